"""Healthchecks' pings (healthchecks.io, "Pinging API"), and Dead Man's Snitch's check-ins."""

import re
import uuid
from collections.abc import Callable
from functools import partial

from chalice.app import Response

from chalicelib import telemetry
from chalicelib.api.http.dialect import Dialect
from chalicelib.api.http.problem import problem
from chalicelib.api.http.problem_types import ProblemType
from chalicelib.api.http.request import Call, output
from chalicelib.api.http.route import route, with_key
from chalicelib.api.routes.compat import plain_text
from chalicelib.api.routes.compat.cronitor import is_cronitors, telemetry_of
from chalicelib.api.routes.compat.homes import HEALTHCHECKS
from chalicelib.domain.accounts.api_key import looks_like_key
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import Malformed, NotFound
from chalicelib.domain.ids import org_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.ping_filter import Sent, filter_of
from chalicelib.domain.monitor.signal import Signal, SignalKind, kept_message
from chalicelib.services.first_contact import Wanted, reach
from chalicelib.services.signals import receive
from chalicelib.services.throttle import PINGS_OF_ADDRESS, PINGS_OF_CRON, throttle

_KINDS = {"": SignalKind.SUCCESS, "start": SignalKind.START, "fail": SignalKind.FAIL, "log": SignalKind.LOG}
_HIGHEST_STATUS = 255
_SLUG = re.compile(r"[a-z0-9_-]{1,100}")
_ANY_CASE = re.compile(r"[A-Za-z0-9_-]{1,100}")

PINGS = Dialect(plain_text.failed, lambda _call, params: params["target"], "the path")

_ping = partial(
    route,
    ("GET", "HEAD", "POST"),
    public=True,
    limit=PINGS_OF_ADDRESS,
    takes_text=True,
    produces=plain_text.MEDIA,
    dialect=PINGS,
)
#: A start may be blocked, and an unknown slug may make a cron.
_longer_ping = partial(_ping, problems=(409,), successes=(200, 201))


@_ping("/ping/{target}")
def hc_ping(call: Call, target: str) -> Response:
    """Healthchecks: ping by a cron's id

    A success. Query: `rid`, a UUID that the start and the end of a run share. The body is any output of the job.
    """
    return _by_id(call, target, "")


@_longer_ping("/ping/{target}/{part}")
def hc_ping_part(call: Call, target: str, part: str) -> Response:
    """Healthchecks: signal by a cron's id, or ping by key and slug

    By id the last part is `start`, `fail`, `log` or an exit status of 0 to 255. By a key of scope full or ingest
    it is a slug; with `?create=1` an unknown slug makes a cron. A ping by key with `state`, `series` or `stamp` is
    Cronitor's.
    """
    if org_of(target) is not None:
        return _by_id(call, target, part)
    return telemetry_of(call, target, part) if is_cronitors(call) else _by_slug(call, target, (part, ""))


@_longer_ping("/ping/{target}/{part}/{action}")
def hc_ping_slug(call: Call, target: str, part: str, action: str) -> Response:
    """Healthchecks: signal by key and slug

    The last part is `start`, `fail`, `log` or an exit status of 0 to 255.
    """
    return _by_slug(call, target, (part, action))


@_ping("/{target}")
def bare_ping(call: Call, target: str) -> Response:
    """Healthchecks and Dead Man's Snitch: ping by a cron's id, as on a host of its own

    Dead Man's Snitch's query: `m`, a message, and `s`, an exit status.
    """
    return _by_id(call, target, "") if org_of(target) is not None else _nothing_here(call)


@_longer_ping("/{target}/{part}")
def bare_ping_part(call: Call, target: str, part: str) -> Response:
    """Healthchecks: signal by a cron's id, or ping by key and slug, as on a host of its own"""
    if org_of(target) is not None:
        return _by_id(call, target, part)
    return _by_slug(call, target, (part, "")) if looks_like_key(target) else _nothing_here(call)


@_longer_ping("/{target}/{part}/{action}")
def bare_ping_slug(call: Call, target: str, part: str, action: str) -> Response:
    """Healthchecks: signal by key and slug, as on a host of its own"""
    return _by_slug(call, target, (part, action)) if looks_like_key(target) else _nothing_here(call)


def _nothing_here(call: Call) -> Response:
    """These routes are where most mistyped addresses end, on AWS as well: people get a page."""
    if call.from_browser and call.request.method != "POST":
        from chalicelib.api.pages.errors import error_page

        page = error_page(call, ProblemType.NOT_FOUND.status)
        if page is not None:
            return page
    return problem(ProblemType.NOT_FOUND, "There is nothing at this path.")


def _by_id(call: Call, cron_id: str, action: str) -> Response:
    signal = _signal(call, action)
    throttle(PINGS_OF_CRON, cron_id[:64], call.now)
    telemetry.note(cron_id=cron_id)
    receive(None, cron_id, signal, call.now)
    return plain_text.text(200, "OK")


def _by_slug(call: Call, key: str, path: tuple[str, str]) -> Response:
    slug, action = path
    keyed = with_key(call, key, Action.INGEST)
    if not _SLUG.fullmatch(slug):
        raise Malformed("invalid url format") if _ANY_CASE.fullmatch(slug) else NotFound("not found")
    signal = _signal(call, action)
    wanted = Wanted(keyed.org_id, slug, HEALTHCHECKS, create=call.query.get("create") == "1")
    reached, _ = reach(wanted, call.now, lambda cron_id: receive(keyed.org_id, cron_id, signal, call.now))
    return plain_text.text(201, "Created") if reached.created else plain_text.text(200, "OK")


def _signal(call: Call, action: str) -> Callable[[Cron], Signal]:
    """What the ping is once the settings of its cron are known. Raises Malformed, NotFound for a path that says
    nothing."""
    kind, exit_code = _said(action or call.query.get("s", ""))
    body, _ = output(call.request)
    message = "\n".join(part for part in (call.query.get("m"), body) if part)
    signal = Signal(
        kind,
        run_key=_run_id(call.query.get("rid")),
        exit_code=exit_code,
        message=kept_message(message, call.cut_bytes) if message else None,
    )
    sent = Sent(call.request.method, body or "")

    def of_cron(cron: Cron) -> Signal:
        found = filter_of(cron)
        return signal if found is None else found.applied(signal, sent)

    return of_cron


def _said(action: str) -> tuple[SignalKind, int | None]:
    if action in _KINDS:
        return _KINDS[action], None
    if not re.fullmatch(r"[0-9]+", action):
        raise NotFound("not found")
    # Longer than any status: compared as text, as Python reads 4,300 digits at most.
    status = int(action) if len(action) < 10 else _HIGHEST_STATUS + 1
    if status > _HIGHEST_STATUS:
        raise Malformed("invalid url format")
    return (SignalKind.FAIL if status else SignalKind.SUCCESS), status


def _run_id(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        found = uuid.UUID(given)
    except ValueError:
        raise Malformed("invalid uuid format") from None
    return str(found)
