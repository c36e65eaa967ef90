"""What an alert says in words."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.alerts.alert import Alert, is_down
from chalicelib.domain.alerts.system_notice import NOTICES
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.times import EPOCH

_SAYS = {
    EventKind.LATE: "is late",
    EventKind.MISSED: "did not run",
    EventKind.FAILED: "failed",
    EventKind.TIMEOUT: "exceeded its maximum run time",
    EventKind.OVERRUNNING: "is running far longer than usual",
    EventKind.ANOMALY: "took unusually long or short",
    EventKind.DRIFT: "is drifting from its schedule",
    EventKind.ON_SCHEDULE: "is back on schedule",
    EventKind.BLOCKED: "was blocked by a dependency",
    EventKind.RECOVERED: "is up again",
    EventKind.RESOLVED: "has its incident closed",
    EventKind.REMINDER: "is still down",
    EventKind.FLAPPING: "keeps going down and up",
    EventKind.CHANNEL_FAILING: "is rejecting alerts",
    EventKind.BLIND: "was interrupted",
}
# Their detail is the expected time, which the message shows in the cron's own time zone.
_ONLY_TIMED = {EventKind.LATE, EventKind.MISSED}
_LISTED = 50
_NAMED = 10


def title(alert: Alert) -> str:
    if alert.kind is EventKind.REPORT:
        return alert.name
    if alert.kind in NOTICES:
        return f"CRONHUB: {alert.name} {_SAYS[alert.kind]}"
    return f"{alert.kind.value.upper()}: {_full_name(alert)} {_SAYS[alert.kind]}"


def _full_name(alert: Alert) -> str:
    return f"{alert.product}/{alert.service}/{alert.name}"


def worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    """The cron that is, or was, down for longest, and of these the one that missed most, comes first."""
    return sorted(alerts, key=lambda alert: (_down_for(alert), -alert.missed, _full_name(alert)))


def _down_for(alert: Alert) -> timedelta:
    """Sorts crons that are down by when they went down, and those that are up again by how long they were."""
    opened_at = alert.opened_at or alert.at
    return opened_at - EPOCH if is_down(alert) else opened_at - alert.at


def group_title(alerts: Sequence[Alert]) -> str:
    """alerts: the worst first."""
    worst, services = alerts[0], {(alert.product, alert.service) for alert in alerts}
    where, name = f"{len(services)} services", _full_name(worst)
    if len(services) == 1:
        where, name = f"{worst.product}/{worst.service}", worst.name
    return f"{'DOWN' if is_down(worst) else 'UP'}: {len(alerts)} crons in {where}, longest down: {name}"


def text(alert: Alert, link: str, also_down: Sequence[str] = ()) -> str:
    """The message, one fact per line: what happened, to which cron, since when, and what else is down."""
    if alert.kind is EventKind.REPORT:
        return f"{alert.detail}\n\n{link}"
    lines = [] if alert.kind in NOTICES else [f"{_named(alert)} {_SAYS[alert.kind]}."]
    if alert.detail and not (alert.kind in _ONLY_TIMED and alert.about is not None):
        lines.append(f"{alert.detail[0].upper()}{alert.detail[1:]}.")
    if alert.about is not None:
        lines.append(f"{_ABOUT.get(alert.kind, 'Expected at')} {local(alert.about, alert.timezone)}.")
    elif alert.opened_at is not None and alert.opened_at < alert.at:
        lines.append(f"Down since {local(alert.opened_at, alert.timezone)}.")
    lines.append(f"Noticed at {local(alert.at, alert.timezone)}.")
    if alert.missed > 1:
        lines.append(f"{alert.missed} occurrences were missed in this incident.")
    if alert.output:
        lines += ["", "Last output:", alert.output]
    if also_down:
        more = [f"{len(also_down) - _NAMED} more"] if len(also_down) > _NAMED else []
        lines += ["", "Also down in this service: " + ", ".join([*also_down[:_NAMED], *more]) + "."]
    return "\n".join([*lines, "", link])


def _named(alert: Alert) -> str:
    return f"{alert.name} in {alert.product}/{alert.service}"


_ABOUT = {
    EventKind.FAILED: "Started at",
    EventKind.TIMEOUT: "Started at",
    EventKind.OVERRUNNING: "Started at",
    EventKind.ANOMALY: "Started at",
    EventKind.RECOVERED: "Down since",
    EventKind.RESOLVED: "Down since",
    EventKind.REMINDER: "Down since",
    EventKind.BLOCKED: "Start requested at",
    EventKind.FLAPPING: "Since",
    EventKind.CHANNEL_FAILING: "Since",
}


def group_text(alerts: Sequence[Alert], link: str) -> str:
    """alerts: the worst first."""
    worst = alerts[0]
    since = f"since {local(worst.opened_at or worst.at, worst.timezone)}"
    if not is_down(worst):
        since = f"{since} until {local(worst.at, worst.timezone)}"
    missed = f", {worst.missed} occurrences missed" if worst.missed > 1 else ""
    lines = [
        f"{len(alerts)} crons {'went down' if is_down(worst) else 'are up again'}.",
        f"Down for longest: {_named(worst)}, {since}{missed}.",
        "",
        *(f"{_full_name(alert)} {_SAYS[alert.kind]} ({alert.detail})" for alert in alerts[:_LISTED]),
    ]
    if len(alerts) > _LISTED:
        lines.append(f"… and {len(alerts) - _LISTED} more")
    return "\n".join([*lines, "", link])


def local(at: datetime, zone: str) -> str:
    """A time in the cron's own time zone."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} {zone}"
