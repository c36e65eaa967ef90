"""Plots as shapes: where each thing is drawn. The templates draw them as SVG."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from chalicelib.api.pages.cron_rows import status_label
from chalicelib.api.pages.words import Words, iso
from chalicelib.domain.runs.counts import DailyCounts
from chalicelib.domain.runs.run import Run, RunStatus

WIDTH, HEIGHT = 720, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 8, 10, 26
_TICKS = 4
_DAY_WIDTH = 8
_USUAL = (0.05, 0.95)


class Dot(NamedTuple):
    x: float
    y: float
    kind: str
    title: str


class Mark(NamedTuple):
    """A line across the plot."""

    y: float
    label: str
    kind: str


class Band(NamedTuple):
    y: float
    height: float


class Label(NamedTuple):
    place: float
    text: str


class TableRow(NamedTuple):
    at: str
    at_iso: str
    status: str
    label: str
    value: str
    note: str


class Plot(NamedTuple):
    dots: list[Dot]
    marks: list[Mark]
    band: Band | None
    y_labels: list[Label]
    x_labels: list[Label]
    rows: list[TableRow]


class _Measured(NamedTuple):
    run: Run
    at: datetime
    value: float


def _moment(run: Run) -> datetime | None:
    return run.started_at or run.finished_at or run.scheduled_at


def duration_plot(
    words: Words, recent: Sequence[Run], limits: Sequence[tuple[float | None, str, str]]
) -> Plot | None:
    """How long the latest runs took. limits: lines as (ms, label, kind)."""
    found = [
        _Measured(run, at, run.duration_ms)
        for run in reversed(recent)
        if run.duration_ms is not None and (at := _moment(run)) is not None
    ]
    if len(found) < 2:
        return None
    top = max(one.value for one in found)
    # A limit far above all runs would press them flat: its line is left out then.
    marks = [(ms, label, kind) for ms, label, kind in limits if ms is not None and ms <= 6 * top]
    scale = _scale(0.0, max([top, *(ms for ms, _, _ in marks)]) * 1.08)
    good = sorted(one.value for one in found if one.run.status is RunStatus.SUCCESS)
    return _plot(words, found, scale, marks, _band(good, scale), words.duration)


def offset_plot(words: Words, recent: Sequence[Run], tolerance_ms: float) -> Plot | None:
    """How far from their occurrence the latest runs began."""
    found = [
        _Measured(run, at, run.offset_ms)
        for run in reversed(recent)
        if run.offset_ms is not None and (at := _moment(run)) is not None
    ]
    if len(found) < 2:
        return None
    values = [one.value for one in found]
    low, high = min(0.0, *values), max(0.0, *values)
    marks = [(tolerance_ms, words._("late from here on"), "limit")] if tolerance_ms <= max(6 * high, 1) else []
    room = (max([high, *(ms for ms, _, _ in marks)]) - low or 1) * 0.08
    scale = _scale(low - (room if low < 0 else 0), max([high, *(ms for ms, _, _ in marks)]) + room)
    return _plot(words, found, scale, marks, None, lambda ms: _signed(words, ms))


def _signed(words: Words, ms: float | None) -> str:
    if ms is None:
        return "–"
    return f"−{words.duration(-ms)}" if ms < 0 else f"+{words.duration(ms)}"


def _scale(low: float, high: float) -> Callable[[float], float]:
    span = (high - low) or 1.0
    room = HEIGHT - _TOP - _BOTTOM

    def place(value: float) -> float:
        return round(_TOP + room * (1 - (value - low) / span), 1)

    place.low, place.high = low, high  # type: ignore[attr-defined]
    return place


def _band(good: list[float], scale: Callable[[float], float]) -> Band | None:
    """The usual range: where nine of ten runs are."""
    if len(good) < 10:
        return None
    low, high = (good[min(len(good) - 1, int(part * len(good)))] for part in _USUAL)
    return Band(scale(high), round(max(1.0, scale(low) - scale(high)), 1))


def _plot(
    words: Words,
    found: list[_Measured],
    scale: Callable[[float], float],
    marks: Sequence[tuple[float, str, str]],
    band: Band | None,
    said: Callable[[float | None], str],
) -> Plot:
    first, last = found[0].at, found[-1].at
    span = (last - first).total_seconds() or 1.0
    room = WIDTH - _LEFT - _RIGHT - 10

    def across(at: datetime) -> float:
        return round(_LEFT + 5 + room * (at - first).total_seconds() / span, 1)

    dots = [Dot(across(one.at), scale(one.value), _kind(one.run), _title(words, one, said)) for one in found]
    steps = _nice_steps(scale.low, scale.high)  # type: ignore[attr-defined]
    return Plot(
        dots=dots,
        marks=[Mark(scale(ms), label, kind) for ms, label, kind in marks],
        band=band,
        y_labels=[Label(scale(value), said(value) if value else "0") for value in steps],
        x_labels=[Label(across(at), words.when(at)) for at in (first, first + (last - first) / 2, last)],
        rows=[_row(words, one, said) for one in reversed(found)],
    )


def _nice_steps(low: float, high: float) -> list[float]:
    """Round values of time between: 1, 2, 5, 10, 15, 30 of a unit."""
    wanted = (high - low) / _TICKS
    units = (1, 1000, 60_000, 3_600_000, 86_400_000)
    factors = (1, 2, 5, 10, 15, 20, 30, 50, 100, 200, 500)
    steps = sorted({unit * factor for unit in units for factor in factors})
    step = next((one for one in steps if one >= wanted), wanted or 1)
    first = math.ceil(low / step)
    return [place * step for place in range(first, math.floor(high / step) + 1)]


def _kind(run: Run) -> str:
    return (
        "anomaly" if run.anomaly else "late" if run.late and run.status is RunStatus.SUCCESS else run.status.value
    )


def _title(words: Words, one: _Measured, said: Callable[[float | None], str]) -> str:
    return f"{words.when(one.at)}: {said(one.value)}, {status_label(words, one.run.status.value)}"


def _row(words: Words, one: _Measured, said: Callable[[float | None], str]) -> TableRow:
    status = one.run.status.value
    note = words._("unusually %(kind)s", kind=words._(one.run.anomaly.kind.value)) if one.run.anomaly else ""
    return TableRow(words.when(one.at), iso(one.at), status, status_label(words, status), said(one.value), note)


class Day(NamedTuple):
    x: int
    kind: str
    title: str


def day_bars(words: Words, days: Sequence[DailyCounts]) -> list[Day]:
    """One bar per day: all met, some not, none; or nothing was expected."""
    found = []
    for place, (day, counts) in enumerate(days):
        counted = counts.expected - counts.excused
        at = words.day(datetime(day.year, day.month, day.day, tzinfo=words.now.tzinfo))
        if counted:
            kind = "good" if counts.met >= counted else "bad" if counts.met * 2 < counted else "partly"
            said = words._("%(met)s of %(expected)s runs", met=counts.met, expected=counted)
        else:
            bad = counts.failed + counts.timed_out
            kind = "none" if not counts.runs else "bad" if bad else "good"
            said = words.number_of("%(num)s run", "%(num)s runs", counts.runs)
        more = f", {words._('%(num)s excused', num=counts.excused)}" if counts.excused else ""
        found.append(Day(place * _DAY_WIDTH, kind, f"{at}: {said}{more}"))
    return found
