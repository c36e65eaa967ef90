"""CronHub's functions: `api` answers requests, `tick` looks every minute at what is due."""

import logging
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, Rate

from chalicelib.api import (
    channels,
    crons,
    dependencies,
    incidents,
    maintenance,
    orgs,
    schedules,
    signals,
    statistics,
)
from chalicelib.services import clock
from chalicelib.services.tick import run_tick

app = Chalice(app_name="cronhub")
logging.getLogger("cronhub").setLevel(logging.INFO)

for part in (
    orgs,
    crons,
    dependencies,
    signals,
    incidents,
    maintenance,
    schedules,
    statistics,
    channels,
):
    app.register_blueprint(part.blueprint)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def tick(_event: CloudWatchEvent) -> dict[str, Any]:
    report = run_tick(clock.now())
    return {"looked_at": report.looked_at, "changed": report.changed, "broken": report.broken}
