"""CronHub's functions: `api` answers requests, `tick` looks every minute at what is due."""

import logging
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, Rate

from chalicelib.api import (
    crons,
    dependencies,
    incidents,
    maintenance,
    members,
    orgs,
    projects,
    schedules,
    signals,
    statistics,
)
from chalicelib.services import clock
from chalicelib.services.minute import run_minute

app = Chalice(app_name="cronhub")
logging.getLogger("cronhub").setLevel(logging.INFO)

for part in (orgs, members, projects, crons, dependencies, signals, incidents, maintenance, schedules, statistics):
    app.register_blueprint(part.blueprint)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def tick(_event: CloudWatchEvent) -> dict[str, Any]:
    report = run_minute(clock.now())
    return {"looked_at": report.looked_at, "changed": report.changed, "broken": report.broken}
