"""Runs: the record of each, and the lists of a cron's."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pynamodb.expressions.update import Action

from chalicelib.domain.ids import first_id_at
from chalicelib.domain.runs.anomaly import Anomaly, AnomalyKind
from chalicelib.domain.runs.counts import Outcome, moment_of
from chalicelib.domain.runs.periods import CountedRuns
from chalicelib.domain.runs.run import Excuse, Run, RunStatus
from chalicelib.domain.times import INSTANT, to_ms
from chalicelib.store.cron_codec import at_ms, ms
from chalicelib.store.errors import store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import RunItem

KEPT = timedelta(days=90)
# Ids of runs begin with a digit, so what callers' own ids stand for sorts behind all of them.
_CLAIM = "key#"
# What a run said at length lies beside its record: lists read no megabytes of output.
_OUTPUT = "out#"
_MESSAGE_IN_RECORD = 250
# Figures of a day are made of at most so many runs; a cron that runs every minute has 1,440.
_MOST_COUNTED = 1500
_COUNTED_NUMBERS = (
    "scheduled_at",
    "scheduled_until",
    "occurrences",
    "started_at",
    "finished_at",
    "duration_ms",
)
_COUNTED = ["run_id", "status", *_COUNTED_NUMBERS, "late", "excused"]
_MOMENTS = ("scheduled_at", "started_at", "finished_at")
_STATUSES = {status.value: status for status in RunStatus}
# A run's id is of its arrival, which may be before the occurrence it counts for; that of a record of an hour's
# misses is of the first of them.
_EARLY = timedelta(minutes=61)


def _values(run: Run, now: datetime) -> dict[str, Any]:
    values = {
        "key": run.key,
        "status": run.status.value,
        "scheduled_at": ms(run.scheduled_at),
        "scheduled_until": ms(run.scheduled_until),
        "occurrences": run.occurrences if run.occurrences > 1 else None,
        "started_at": ms(run.started_at),
        "finished_at": ms(run.finished_at),
        "duration_ms": run.duration_ms,
        "offset_ms": run.offset_ms,
        "late": run.late or None,
        "exit_code": run.exit_code,
        "message": run.message and run.message[:_MESSAGE_IN_RECORD],
        "has_output": None if run.message is None else _is_long(run),
        "anomaly": _anomaly_map(run.anomaly),
        "incident_id": run.incident_id,
        "excused": run.excused.value if run.excused else None,
        # Of most runs that is when they finished or started.
        "heard_at": None if run.heard_at in (None, run.finished_at or run.started_at) else ms(run.heard_at),
        "metrics": dict(run.metrics) or None,
        "expires_at": now + KEPT,
    }
    return {name: value for name, value in values.items() if value is not None}


def new_item(run: Run, now: datetime) -> RunItem:
    return RunItem(run.cron_id, run.id, **_values(run, now))


def _is_long(run: Run) -> bool:
    return run.message is not None and len(run.message) > _MESSAGE_IN_RECORD


def output_item(run: Run, now: datetime) -> RunItem | None:
    """The whole of a long message; None of a short one."""
    if not _is_long(run):
        return None
    return RunItem(run.cron_id, _OUTPUT + run.id, message=run.message, expires_at=now + KEPT)


def changes(run: Run, now: datetime) -> tuple[RunItem, list[Action]]:
    """An update that sets what is known of a run now and leaves the rest of its record."""
    actions = [getattr(RunItem, name).set(value) for name, value in _values(run, now).items()]
    return RunItem(run.cron_id, run.id), actions


def claim_item(run: Run, now: datetime) -> RunItem:
    """The caller's own id of a run, taken: a second signal with it is not a second run."""
    assert run.key is not None
    return RunItem(run.cron_id, _claim_key(run.key), stands_for=run.id, expires_at=now + KEPT)


def _claim_key(key: str) -> str:
    # Hashed, as a sort key holds 1,024 bytes and a caller's id may be longer.
    return _CLAIM + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def find_run(cron_id: str, run_id: str, *, whole: bool = False) -> Run | None:
    """whole: with all of a long message, which else is cut."""
    item = get_or_none(RunItem, cron_id, run_id)
    if item is None:
        return None
    output = get_or_none(RunItem, cron_id, _OUTPUT + run_id) if whole and item.has_output else None
    return to_run(item) if output is None else to_run(item)._replace(message=output.message)


def find_claimed(cron_id: str, key: str) -> Run | None:
    """The run that a caller's own id stands for."""
    claim = get_or_none(RunItem, cron_id, _claim_key(key))
    return None if claim is None else find_run(cron_id, claim.stands_for)


class RunQuery(NamedTuple):
    """Which of a cron's runs are read."""

    limit: int
    #: Only runs below this id: where the page before ended.
    before: str | None = None
    status: RunStatus | None = None
    #: `start` ≤ a run's time < `end`.
    start: datetime | None = None
    end: datetime | None = None


def list_runs(cron_id: str, query: RunQuery) -> tuple[list[Run], str | None]:
    """Returns a cron's runs, latest first, and where the next page begins; None at the end."""
    limit, before, status, start, end = query
    low = first_id_at(start) if start else "0"
    high = min(first_id_at(end) if end else _CLAIM, before or _CLAIM)
    if low >= high:
        return [], None
    found: list[Run] = []
    with store_errors():
        items = RunItem.query(
            cron_id,
            RunItem.run_id.between(low, high),
            filter_condition=RunItem.status == status.value if status else None,
            scan_index_forward=False,
            consistent_read=True,
            # Of a status there may be few among very many: those are looked for in the largest pages.
            page_size=limit + 2 if status is None else None,
        )
        for item in items:
            if item.run_id == high:  # `between` takes in its end
                continue
            if len(found) == limit:
                return found, found[-1].id
            found.append(to_run(item))
    return found, None


def latest_runs(cron_id: str, limit: int) -> list[Run]:
    """Returns a cron's latest runs, latest first, in one read."""
    return list_runs(cron_id, RunQuery(limit))[0]


def counted_runs(cron_id: str, before: str, since: datetime) -> CountedRuns:
    """Returns the runs below an id that may count since a moment.

    A cron may have 1,440 of them, so this is one read, and only what figures are made of is decoded.
    """
    low = first_id_at(since - _EARLY)
    if low >= before:
        return CountedRuns(since)
    with store_errors():
        answer = RunItem._get_connection().query(
            cron_id,
            RunItem.run_id.between(low, before),
            attributes_to_get=_COUNTED,
            scan_index_forward=False,
            consistent_read=True,
            limit=_MOST_COUNTED,
        )
    items = [item for item in answer["Items"] if item["run_id"]["S"] != before]
    if items and "LastEvaluatedKey" in answer:
        since = max(since, moment_of(_counted(cron_id, items[-1])))
    return _since(cron_id, items, since)


def _since(cron_id: str, items: list[dict[str, Any]], since: datetime) -> CountedRuns:
    last_before = to_ms(since - INSTANT)
    spanning = [_counted(cron_id, item) for item in items if "scheduled_until" in item]
    single = (item for item in items if "scheduled_until" not in item)
    return CountedRuns(since, [_outcome(item) for item in single if _moment_ms(item) > last_before], spanning)


def latest_outcomes(cron_id: str, limit: int) -> list[Run]:
    """Returns how a cron's latest runs ended, latest first, in one read; without what they said."""
    with store_errors():
        answer = RunItem._get_connection().query(
            cron_id,
            RunItem.run_id < _CLAIM,
            attributes_to_get=_COUNTED,
            scan_index_forward=False,
            # What is kept of it must not lack the run that has just ended.
            consistent_read=True,
            limit=limit,
        )
    return [_counted(cron_id, item) for item in answer["Items"]]


def _counted(cron_id: str, item: Mapping[str, Any]) -> Run:
    """Decodes what figures need of a run: pynamodb takes three times as long for all of it."""
    number = {name: int(item[name]["N"]) for name in _COUNTED_NUMBERS if name in item}.get
    return Run(
        cron_id=cron_id,
        id=item["run_id"]["S"],
        status=RunStatus(item["status"]["S"]),
        scheduled_at=at_ms(number("scheduled_at")),
        scheduled_until=at_ms(number("scheduled_until")),
        occurrences=number("occurrences", 1),
        started_at=at_ms(number("started_at")),
        finished_at=at_ms(number("finished_at")),
        duration_ms=number("duration_ms"),
        late="late" in item and bool(item["late"]["BOOL"]),
        excused=Excuse(item["excused"]["S"]) if "excused" in item else None,
    )


def _outcome(item: Mapping[str, Any]) -> Outcome:
    """As `outcome_of` the run, in a fifth of the time."""
    occurrences = int(item["occurrences"]["N"]) if "occurrences" in item else 1
    return Outcome(
        status=_STATUSES[item["status"]["S"]],
        occurrences=occurrences if "scheduled_at" in item else 0,
        is_excused="excused" in item,
        is_late="late" in item and bool(item["late"]["BOOL"]),
        duration_ms=int(item["duration_ms"]["N"]) if "duration_ms" in item else None,
    )


def _moment_ms(item: Mapping[str, Any]) -> int:
    """As `moment_of` the run."""
    return int(next(item[name]["N"] for name in _MOMENTS if name in item))


def to_run(item: RunItem) -> Run:
    return Run(
        cron_id=item.cron_id,
        id=item.run_id,
        status=RunStatus(item.status),
        key=item.key,
        scheduled_at=at_ms(item.scheduled_at),
        scheduled_until=at_ms(item.scheduled_until),
        occurrences=int(item.occurrences or 1),
        started_at=at_ms(item.started_at),
        finished_at=at_ms(item.finished_at),
        duration_ms=_whole(item.duration_ms),
        offset_ms=_whole(item.offset_ms),
        late=bool(item.late),
        exit_code=_whole(item.exit_code),
        message=item.message,
        anomaly=_anomaly(item.anomaly),
        incident_id=item.incident_id,
        excused=Excuse(item.excused) if item.excused else None,
        metrics=tuple((name, float(value)) for name, value in (item.metrics or {}).items()),
        heard_at=at_ms(item.heard_at) or at_ms(item.finished_at) or at_ms(item.started_at),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _anomaly_map(anomaly: Anomaly | None) -> dict[str, Any] | None:
    if anomaly is None:
        return None
    return {
        "kind": anomaly.kind.value,
        "duration_ms": anomaly.duration_ms,
        "average_ms": anomaly.average_ms,
        "factor": anomaly.factor,
        "told": anomaly.alerted,
    }


def _anomaly(stored: Any) -> Anomaly | None:
    if stored is None:
        return None
    values = stored.as_dict()
    return Anomaly(
        kind=AnomalyKind(values["kind"]),
        duration_ms=int(values["duration_ms"]),
        average_ms=float(values["average_ms"]),
        factor=float(values["factor"]),
        alerted=bool(values["told"]),
    )
