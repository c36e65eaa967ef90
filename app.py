"""CronHub's functions: `api` answers requests, `tick` looks every minute at what is due, `evaluate`
works off large backlogs, `notify` sends alerts."""

import gc

# What is loaded stays: the collector is not to look through it, neither now nor at any request.
gc.disable()

import logging
from collections.abc import Callable
from typing import Any

from chalice.app import BaseLambdaEvent, Chalice, CloudWatchEvent, Rate, SQSEvent

from chalicelib import settings, telemetry
from chalicelib.api.http.route import register_routes
from chalicelib.api.routes import ROUTES
from chalicelib.services import clock

gc.freeze()
gc.enable()
settings.refuse_chalice_alone()
settings.check()
telemetry.set_up_logging()
app = Chalice(app_name="cronhub", configure_logs=False)
logging.getLogger("cronhub").setLevel(logging.INFO)

register_routes(app, ROUTES)


# What only these do is loaded by them: a request's cold start does not pay for it.
@app.schedule(Rate(1, unit=Rate.MINUTES))
def tick(event: CloudWatchEvent) -> dict[str, Any]:
    from chalicelib.services.tick import watch_minute

    _begin(event)
    try:
        report = watch_minute(clock.now(), clock.at_iso(event.to_dict().get("time")))
    finally:
        telemetry.write_line(function="tick")
    return {"looked_at": report.looked_at, "changed": report.changed, "broken": report.broken}


@app.on_sqs_message(queue=settings.due_queue_name(), batch_size=1)
def evaluate(event: SQSEvent) -> dict[str, Any]:
    from chalicelib.services.evaluate import receive

    return _answer("evaluate", event, receive)


@app.on_sqs_message(queue=settings.queue_name(), batch_size=10)
def notify(event: SQSEvent) -> dict[str, Any]:
    from chalicelib.services.notify import receive

    return _answer("notify", event, receive)


def _answer(function: str, event: SQSEvent, receive: Callable[[list[str]], list[int]]) -> dict[str, Any]:
    """Has messages worked on; answers which failed: the others do not come again with them."""
    _begin(event)
    try:
        records = [record.to_dict() for record in event]
        failed = receive([record["body"] for record in records])
        return {"batchItemFailures": [{"itemIdentifier": records[place]["messageId"]} for place in failed]}
    finally:
        telemetry.write_line(function=function)


def _begin(event: BaseLambdaEvent) -> None:
    telemetry.note(request_id=getattr(event.context, "aws_request_id", None))
