"""A cron in a list: its status, what is to be said about it now, and its last runs."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from chalicelib.api.pages.words import Words, iso, text
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.schedule.description import describe
from chalicelib.domain.schedule.schedule import ScheduleError
from chalicelib.services.crons import Shown

_HEIGHT = 20
_LEAST_BAR = 6


class Slot(NamedTuple):
    """One run in a strip."""

    kind: str
    #: Where its bar begins, from above.
    top: int
    title: str


class Row(NamedTuple):
    id: str
    name: str
    product: str
    service: str
    description: str
    status: str
    label: str
    note: str
    note_at: str
    last: str
    last_at: str
    duration: str
    schedule: str
    schedule_words: str
    tags: tuple[str, ...]
    slots: tuple[Slot, ...]
    strip_label: str


def status_label(words: Words, status: str) -> str:
    return words._(status.replace("_", " "))


def row_of(words: Words, one: Shown, strip: Sequence[Run]) -> Row:
    cron, run = one.cron, one.cron.last_run
    note, at = _note(words, one)
    return Row(
        id=cron.id,
        name=cron.name,
        product=cron.product,
        service=cron.service,
        description=cron.settings.description,
        status=one.status.value,
        label=status_label(words, one.status.value),
        note=note,
        note_at=at,
        last=words.ago(cron.last_signal_at) if cron.last_signal_at else words._("never"),
        last_at=iso(cron.last_signal_at),
        duration=words.duration(run.duration_ms) if run else "–",
        schedule=cron.settings.schedule or "",
        schedule_words=schedule_words(words, cron.settings.schedule, cron.settings.timezone),
        tags=cron.settings.tags,
        slots=slots_of(words, strip),
        strip_label=_strip_label(words, strip),
    )


def schedule_words(words: Words, schedule: str | None, zone: str) -> str:
    if schedule is None:
        return words._("No set times")
    try:
        said = describe(schedule, words.language)
    except ScheduleError:
        said = schedule
    return f"{said} ({zone})"


def _note(words: Words, one: Shown) -> tuple[str, str]:
    """What is to be said about a cron now, and the moment it is about."""
    said, at = _SAID.get(one.status, ""), _about(one)
    if at is None:
        return words._(said or "no set times"), ""
    if one.status in _PLAIN:
        return words._(said), iso(at)
    if not said:
        return words._("next %(span)s", span=words.until(at)), iso(at)
    return words._(said, span=words.span(words.now - at)), iso(at)


#: What is said of a status; of others, when the next run is expected.
_SAID = {
    DisplayStatus.DOWN: text("down for %(span)s"),
    DisplayStatus.LATE: text("%(span)s overdue"),
    DisplayStatus.RUNNING: text("running for %(span)s"),
    DisplayStatus.BLOCKED: text("waits for what it depends on"),
    DisplayStatus.PAUSED: text("is not watched"),
    DisplayStatus.ARCHIVED: text("is not watched"),
    DisplayStatus.NEW: text("waits for its first signal"),
    DisplayStatus.IN_MAINTENANCE: text("alerts wait until it ends"),
}
_PLAIN = frozenset(_SAID) - {DisplayStatus.DOWN, DisplayStatus.LATE, DisplayStatus.RUNNING}


def _about(one: Shown) -> datetime | None:
    cron = one.cron
    match one.status:
        case DisplayStatus.DOWN:
            # An incident that opened this moment may not be read yet.
            return cron.incident.opened_at if cron.incident else one.next_expected_at
        case DisplayStatus.LATE:
            return cron.expected_at
        case DisplayStatus.RUNNING:
            return max((run.started_at for run in cron.open_runs), default=None)
        case DisplayStatus.PAUSED | DisplayStatus.ARCHIVED | DisplayStatus.BLOCKED:
            return None
        case DisplayStatus.IN_MAINTENANCE:
            return cron.held_until
    return one.next_expected_at


def slots_of(words: Words, strip: Sequence[Run]) -> tuple[Slot, ...]:
    longest = max((run.duration_ms or 0 for run in strip if run.status is RunStatus.SUCCESS), default=0)
    return tuple(
        Slot(_kind(run), _top(run, longest), title_of(words, run))
        for run in strip
        if run.status is not RunStatus.LOG
    )


def _kind(run: Run) -> str:
    if run.status is RunStatus.SUCCESS and run.late:
        return "late"
    return run.status.value


def _top(run: Run, longest: int) -> int:
    """A success is as high as it took long; what was missed is a gap with a line at its foot."""
    match run.status:
        case RunStatus.SUCCESS:
            part = math.sqrt((run.duration_ms or 0) / longest) if longest else 0.5
            return round((_HEIGHT - _LEAST_BAR) * (1 - part))
        case RunStatus.MISSED | RunStatus.PAUSED | RunStatus.UNKNOWN | RunStatus.BLOCKED:
            return _HEIGHT - 3
    return 0


def title_of(words: Words, run: Run) -> str:
    at = run.started_at or run.scheduled_at or run.finished_at
    parts = [words.when(at), status_label(words, run.status.value)]
    if run.occurrences > 1:
        parts.append(words.number_of("%(num)s time", "%(num)s times", run.occurrences))
    if run.duration_ms is not None:
        parts.append(words.duration(run.duration_ms))
    return ", ".join(parts)


def _strip_label(words: Words, strip: Sequence[Run]) -> str:
    """The strip, for who cannot see it."""
    good = sum(run.status is RunStatus.SUCCESS for run in strip)
    return words._("Last %(total)s runs: %(good)s succeeded", total=len(strip), good=good)
