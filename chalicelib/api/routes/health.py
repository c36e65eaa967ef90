"""Whether CronHub is well, for load balancers and for what watches it."""

from chalicelib.api.http.answers import ServiceUnavailable
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.health import Alive, DeepHealth
from chalicelib.services import health
from chalicelib.services.throttle import HEALTH_CHECKS

_METHODS = ("GET", "HEAD")


@route(_METHODS, "/api/health", public=True)
def shallow(_call: Call) -> Alive:
    """Check that the API answers

    Nothing else is checked.
    """
    return Alive()


@route(_METHODS, "/api/health/deep", public=True, limit=HEALTH_CHECKS)
def deep(call: Call) -> DeepHealth | ServiceUnavailable[DeepHealth]:
    """Check the store, the queue, the tick and the public address

    503 when the store does not answer, the last tick is more than 3 minutes old, crons that are due wait to be
    judged past their minute, or test signals no longer arrive through the public address.
    """
    found = health.look(call.now)
    answer = DeepHealth.of(found)
    return answer if found.is_well else ServiceUnavailable(answer)
