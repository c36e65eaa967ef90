"""Whether CronHub is well, for load balancers and for whoever watches it."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.api.http.json import instant
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.services import health
from chalicelib.services.throttle import HEALTH_CHECKS

blueprint = Blueprint(__name__)


@route(blueprint, ["GET", "HEAD"], "/api/health", action=None)
def shallow(_call: Call) -> tuple[int, Any]:
    """That functions answer: nothing else is asked."""
    return 200, {"status": "ok"}


@route(blueprint, ["GET", "HEAD"], "/api/health/deep", action=None, limit=HEALTH_CHECKS)
def deep(call: Call) -> tuple[int, Any]:
    found = health.look(call.now)
    age = None if found.ticked_at is None else (call.now - found.ticked_at).total_seconds()
    return 200 if found.is_well else 503, {
        "status": "ok" if found.is_well and found.queue else "degraded" if found.is_well else "failing",
        "store": {"ok": found.store},
        "queue": {"ok": found.queue},
        "tick": {"ok": found.tick, "last_at": instant(found.ticked_at), "age_seconds": age},
    }
