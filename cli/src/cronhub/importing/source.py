"""What another monitor has, in the form of our file; and what CronHub cannot hold of it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, NamedTuple

from cronhub.ascode.document import CRON
from cronhub.client import Object, Query
from cronhub.discover import calendar, expression
from cronhub.discover.job import NotUnderstood
from cronhub.settings import UsageError

_LONGEST_NAME = 128
_MOST_TAGS = 20
_LONGEST_DESCRIPTION = 1000
_MOST_SECONDS = 366 * 86400

#: Asks the other monitor: a path and a query; returns its JSON.
Ask = Callable[[str, Query], Any]


class PastRun(NamedTuple):
    run_id: str
    exit_code: int
    started_at: datetime | None
    finished_at: datetime
    duration_ms: int | None = None


class Check(NamedTuple):
    """One check of the other monitor."""

    #: What it is called there.
    id: str
    name: str
    cron: Object
    #: What CronHub cannot hold of it.
    lost: tuple[str, ...] = ()
    #: Oldest first.
    history: tuple[PastRun, ...] = ()


class Found(NamedTuple):
    product: str
    service: str
    checks: list[Check]
    #: What belongs to no check and cannot be held.
    lost: tuple[str, ...] = ()


def read_file(path: Path) -> Any:
    """The JSON of an export file. Raises UsageError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}") from None


def listed(raw: Any, *keys: str) -> list[Object]:
    """The list of checks, bare or under one of these keys. Raises UsageError."""
    for key in keys:
        if isinstance(raw, dict) and isinstance(raw.get(key), list):
            raw = raw[key]
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        raise UsageError(f"this is no list of checks: {' or '.join(keys)} is missing")
    return raw


class Draft:
    """A cron being made of a check; what does not fit is named."""

    def __init__(self) -> None:
        self.cron: Object = {
            name: list(value) if isinstance(value, list) else value for name, value in CRON.items()
        }
        self.lost: list[str] = []

    def describe(self, text: str) -> None:
        if len(text) > _LONGEST_DESCRIPTION:
            self.lost.append(f"the description is cut to {_LONGEST_DESCRIPTION} characters")
        self.cron["description"] = text[:_LONGEST_DESCRIPTION]

    def tag(self, tags: list[str]) -> None:
        distinct = sorted({tag.strip()[:_LONGEST_NAME] for tag in tags if tag.strip()})
        if len(distinct) > _MOST_TAGS:
            self.lost.append(f"only {_MOST_TAGS} tags are kept, not {', '.join(distinct[_MOST_TAGS:])}")
        self.cron["tags"] = distinct[:_MOST_TAGS]

    def schedule(self, text: str, timezone: str | None) -> None:
        """A cron expression, or an OnCalendar one."""
        try:
            self.cron["schedule"] = _schedule(text)
        except NotUnderstood as error:
            self.lost.append(f"the schedule {text!r}: {error}; it has none, so it is never missed")
            return
        self.cron["timezone"] = timezone or "UTC"

    def every(self, seconds: float) -> None:
        whole = round(seconds)
        if not 1 <= whole <= _MOST_SECONDS:
            self.lost.append(f"the period of {seconds} s: 1 s to 366 days can be watched")
            return
        self.cron["schedule"] = interval(whole)

    def seconds(self, name: str, value: float | None, least: int = 0) -> None:
        if value is None:
            return
        whole = round(value)
        if not least <= whole <= _MOST_SECONDS:
            self.lost.append(f"{name} {value}: {least} s to 366 days can be set")
            whole = min(max(whole, least), _MOST_SECONDS)
        self.cron[name] = whole

    def made(self, check_id: str, name: str, history: tuple[PastRun, ...] = ()) -> Check:
        return Check(check_id, name, self.cron, tuple(self.lost), history)


def interval(seconds: int) -> str:
    parts = (
        (seconds // 86400, "d"),
        (seconds % 86400 // 3600, "h"),
        (seconds % 3600 // 60, "m"),
        (seconds % 60, "s"),
    )
    return "@every " + "".join(f"{count}{unit}" for count, unit in parts if count)


def _schedule(text: str) -> str:
    given = " ".join(text.split())
    if given in expression.NAMES:
        return given
    try:
        return expression.translated(given, expression.CRON)
    except NotUnderstood as error:
        try:
            calendar.parse(given)
        except NotUnderstood as other:
            raise (error if len(given.split()) == 5 and ":" not in given else other) from None
        return given


def with_distinct_names(checks: list[Check]) -> list[Check]:
    """CronHub tells crons apart by name: those that share one, or have none, get a part of their id."""
    counts: dict[str, int] = {}
    for check in checks:
        counts[check.name] = counts.get(check.name, 0) + 1
    done = []
    for check in checks:
        plain = "".join(letter if letter.isprintable() else " " for letter in check.name).strip()
        name = plain[:_LONGEST_NAME] or check.id[:_LONGEST_NAME]
        lost = check.lost
        if counts[check.name] > 1:
            name = f"{name[: _LONGEST_NAME - 9]} {check.id[:8]}"
        if name != check.name:
            lost = (*lost, f"it is called {name!r} here: names are distinct, printable and at most 128 characters")
        done.append(check._replace(name=name, lost=lost))
    return done
