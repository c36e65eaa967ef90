"""CronHub's functions: `api` answers requests, `tick` looks every minute at what is due, `notify`
sends alerts."""

import logging
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, Rate, SQSEvent

from chalicelib import settings
from chalicelib.api import (
    channels,
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

settings.check()
app = Chalice(app_name="cronhub")
logging.getLogger("cronhub").setLevel(logging.INFO)

for part in (
    orgs,
    members,
    projects,
    crons,
    statistics,
    dependencies,
    signals,
    incidents,
    maintenance,
    channels,
    schedules,
):
    app.register_blueprint(part.blueprint)


# What only these two do is loaded by them: a request's cold start does not pay for it.
@app.schedule(Rate(1, unit=Rate.MINUTES))
def tick(_event: CloudWatchEvent) -> dict[str, Any]:
    from chalicelib.services.minute import run_minute

    report = run_minute(clock.now())
    return {"looked_at": report.looked_at, "changed": report.changed, "broken": report.broken}


@app.on_sqs_message(queue=settings.queue_name(), batch_size=10)
def notify(event: SQSEvent) -> None:
    from chalicelib.services.notify import send_alerts
    from chalicelib.store.queue import keys_of

    for record in event:
        send_alerts(keys_of(record.body))
