"""CronHub's functions: `api` answers requests, `tick` looks every minute at what is due, `notify`
sends alerts."""

import logging
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, Rate, SQSEvent

from chalicelib import settings
from chalicelib.api import crons, incidents, maintenance, orgs, schedules, signals, statistics
from chalicelib.services import clock
from chalicelib.services.minute import run_minute
from chalicelib.services.notify import send_alerts
from chalicelib.store.queue import keys_of

app = Chalice(app_name="cronhub")
logging.getLogger("cronhub").setLevel(logging.INFO)

for part in (orgs, crons, signals, incidents, maintenance, schedules, statistics):
    app.register_blueprint(part.blueprint)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def tick(_event: CloudWatchEvent) -> dict[str, Any]:
    report = run_minute(clock.now())
    return {"looked_at": report.looked_at, "changed": report.changed, "broken": report.broken}


@app.on_sqs_message(queue=settings.queue_name(), batch_size=10)
def notify(event: SQSEvent) -> None:
    for record in event:
        send_alerts(keys_of(record.body))
