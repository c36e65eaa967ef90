"""Uptime Kuma's push monitors (github.com/louislam/uptime-kuma)."""

from chalice.app import Response
from msgspec import Struct

from chalicelib import telemetry
from chalicelib.api.http.dialect import Dialect
from chalicelib.api.http.json import json_response
from chalicelib.api.http.problem import told_of
from chalicelib.api.http.reading import read_leniently
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.compat.uptime_kuma import PushAnswer, PushFailure, PushQuery
from chalicelib.domain.errors import NotFound
from chalicelib.domain.monitor.signal import Signal, SignalKind, kept_message
from chalicelib.services.signals import receive
from chalicelib.services.throttle import PINGS_OF_ADDRESS, PINGS_OF_CRON, throttle


def _failed(error: Exception) -> Response:
    told = told_of(error)
    detail = "Monitor not found or not active." if isinstance(error, NotFound) else told.detail
    return _json(400 if told.kind.status == 422 else told.kind.status, PushFailure(detail))


def _json(status: int, body: Struct) -> Response:
    return json_response(status, body, {"Access-Control-Allow-Origin": "*"})


PUSH = Dialect(_failed, lambda _call, params: params["token"], "the path", "application/json", PushFailure)


@route(
    ("GET", "POST"),
    "/api/push/{token}",
    public=True,
    limit=PINGS_OF_ADDRESS,
    takes_text=True,
    produces="application/json",
    dialect=PUSH,
)
def kuma_push(call: Call, token: str) -> Response:
    """Uptime Kuma: a push

    The token is a cron's id. Query: `status` (`up`, or `down` for a failure), `msg`, and `ping` in milliseconds,
    which is kept among the run's metrics.
    """
    throttle(PINGS_OF_CRON, token[:64], call.now)
    telemetry.note(cron_id=token)
    given = read_leniently(PushQuery, call.query, from_text=True)[0]
    kind = SignalKind.FAIL if given.status == "down" else SignalKind.SUCCESS
    metrics = () if given.ping is None else (("ping", float(given.ping)),)
    message = kept_message(given.msg) if given.msg else None
    receive(None, token, Signal(kind, message=message, metrics=metrics), call.now)
    return _json(200, PushAnswer())
