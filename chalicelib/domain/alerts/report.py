"""The report of a week or a month: what needs a person first, then what went wrong and what becomes slow."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.domain.monitor.cron import Cron, Reason, Status
from chalicelib.domain.monitor.incident import Incident, NamedIncident
from chalicelib.domain.runs.sla import Sla

#: How many crons a section names.
NAMED = 10
#: The latest runs are compared with the ones before them.
_LATELY = 10
_SLOWER = 1.5
_SLOWER_MS = 1_000
#: Less of the error budget is left: one more failure or two, and the SLA is broken.
_BUDGET_LOW_PERCENT = 25.0
_REASONS = {Reason.MISSED: "did not run", Reason.FAILED: "failed", Reason.TIMEOUT: "exceeded its maximum run time"}


class Span(NamedTuple):
    """The time that a report tells of."""

    since: datetime
    until: datetime
    timezone: str
    #: `Weekly` or `Monthly`.
    called: str


class Findings(NamedTuple):
    """What a report is made from."""

    crons: Sequence[Cron]
    #: Those that opened in the time or were open in it, in any order.
    incidents: Sequence[NamedIncident]
    #: Of the last 30 days, by cron id, of those that may have one to look at.
    slas: dict[str, Sla]
    #: Whether there were more incidents than were read.
    more_incidents: bool = False


class Report(NamedTuple):
    title: str
    text: str


class _Section(NamedTuple):
    title: str
    lines: list[str]

    def text(self) -> str:
        more = [f"- and {len(self.lines) - NAMED} more"] if len(self.lines) > NAMED else []
        return "\n".join(
            [f"{self.title} ({len(self.lines)}):", *(f"- {one}" for one in self.lines[:NAMED]), *more]
        )


def report_of(org_name: str, span: Span, found: Findings) -> Report:
    watched = [cron for cron in found.crons if cron.archived_at is None]
    by_id = {cron.id: cron for cron in watched}
    incidents = [one for one in found.incidents if one.incident.cron_id in by_id and _is_in(one.incident, span)]
    down = _down(watched, span)
    sections = [
        _Section("Down now", down),
        _Section("Below their SLA of the last 30 days", _slas(by_id, found.slas, broken=True)),
        _Section("About to break their SLA", _slas(by_id, found.slas, broken=False)),
        _Section("Failed and recovered", _recovered(by_id, incidents, span)),
        _Section("Slower than before", _slower(watched)),
        _Section("Start later than scheduled", sorted(_name(cron) for cron in watched if cron.noise.is_drifting)),
        _Section("Never heard of", _silent(watched, span)),
    ]
    said = [section for section in sections if section.lines]
    head = f"{org_name}: {span.since.astimezone(ZoneInfo(span.timezone)):%Y-%m-%d} to " + (
        f"{span.until.astimezone(ZoneInfo(span.timezone)):%Y-%m-%d} ({span.timezone})."
    )
    parts = [head, f"{_counted(len(watched), 'cron')} watched, {_counted(len(incidents), 'incident')}."]
    if found.more_incidents:
        parts[-1] += " There were more incidents than a report reads; the latest are counted."
    if not said:
        parts.append("Nothing needs you.")
    needs = f"{_counted(len(down), 'cron')} down" if down else "nothing is down"
    return Report(f"{span.called} report of {org_name}: {needs}", "\n\n".join([*parts, *map(_Section.text, said)]))


def _is_in(incident: Incident, span: Span) -> bool:
    return incident.opened_at < span.until and (incident.resolved_at is None or incident.resolved_at >= span.since)


def _down(crons: Iterable[Cron], span: Span) -> list[str]:
    """The longest first: it was left alone longest."""
    found = [cron for cron in crons if cron.status is Status.DOWN and cron.incident is not None]
    found.sort(key=lambda cron: cron.incident.opened_at if cron.incident else span.until)
    return [_down_line(cron, span) for cron in found]


def _down_line(cron: Cron, span: Span) -> str:
    incident = cron.incident
    assert incident is not None
    why = _REASONS[cron.reason] if cron.reason else "is down"
    taken = ", acknowledged" if incident.acknowledged else ", nobody acknowledged it"
    return f"{_name(cron)} {why}; down for {span_words(span.until - incident.opened_at)}{taken}"


def _slas(crons: dict[str, Cron], slas: dict[str, Sla], *, broken: bool) -> list[str]:
    """The worst first."""
    found = [(sla.compliance or 0.0, cron_id, sla) for cron_id, sla in slas.items() if _is_told(sla, broken)]
    return [
        f"{_name(crons[cron_id])} has {compliance:.2f}% of {sla.target:g}%, {sla.unmet} not met"
        for compliance, cron_id, sla in sorted(found)
        if cron_id in crons
    ]


def _is_told(sla: Sla, broken: bool) -> bool:
    left = sla.budget_left_percent
    if left is None:
        return False
    return sla.is_met is False if broken else bool(sla.is_met) and sla.unmet > 0 and left <= _BUDGET_LOW_PERCENT


def _recovered(crons: dict[str, Cron], incidents: Iterable[NamedIncident], span: Span) -> list[str]:
    """Those that are not down now; the most incidents first."""
    of_cron: dict[str, list[Incident]] = defaultdict(list)
    for one in incidents:
        if crons[one.incident.cron_id].incident is None:
            of_cron[one.incident.cron_id].append(one.incident)
    lines = []
    for cron_id, found in sorted(of_cron.items(), key=lambda item: (-len(item[1]), _name(crons[item[0]]))):
        lasted = sum(
            (
                min(one.resolved_at or span.until, span.until) - max(one.opened_at, span.since)
                for one in found
            ),
            timedelta(),
        )  # fmt: skip
        lines.append(f"{_name(crons[cron_id])}: {_counted(len(found), 'incident')}, down for {span_words(lasted)}")
    return lines


def _slower(crons: Iterable[Cron]) -> list[str]:
    """By how much it is more, the most first. Medians: one slow run is no trend."""
    found = []
    for cron in crons:
        durations = cron.baseline.durations_ms
        if len(durations) < 2 * _LATELY:
            continue
        before, lately = median(durations[:-_LATELY]), median(durations[-_LATELY:])
        if lately >= _SLOWER * before and lately - before >= _SLOWER_MS:
            words = f"{_name(cron)} takes {_ms_words(lately)}, before {_ms_words(before)}"
            found.append((-lately / max(before, 1), words))
    return [words for _, words in sorted(found)]


def _silent(crons: Iterable[Cron], span: Span) -> list[str]:
    return sorted(
        _name(cron)
        for cron in crons
        if cron.last_signal_at is None and cron.status is Status.NEW and cron.created_at < span.since
    )


def _name(cron: Cron) -> str:
    return f"{cron.product}/{cron.service}/{cron.name}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _ms_words(ms: float) -> str:
    return f"{ms / 1000:.1f} s" if ms < 60_000 else span_words(timedelta(milliseconds=ms))


def span_words(span: timedelta) -> str:
    """In its two largest units: `3 days 4 h`, `12 min`."""
    minutes = max(0, round(span.total_seconds() / 60))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, _counted(days, "day")), (hours, f"{hours} h"), (rest, f"{rest} min")]
    said = [words for number, words in parts if number]
    return " ".join(said[:2]) or "under a minute"
