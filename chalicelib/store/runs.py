"""Runs: the record of each, and the lists of a cron's."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from pynamodb.expressions.update import Action
from pynamodb.pagination import ResultIterator

from chalicelib.domain.ids import first_id_at
from chalicelib.domain.runs.anomaly import Anomaly, AnomalyKind
from chalicelib.domain.runs.counts import Outcome, moment_of
from chalicelib.domain.runs.periods import CountedRuns
from chalicelib.domain.runs.run import Excuse, Run, RunStatus
from chalicelib.domain.times import INSTANT, from_ms, to_ms
from chalicelib.store.cron_codec import ms
from chalicelib.store.errors import store_errors
from chalicelib.store.lean_model import Stored
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
_INSTANTS = ("scheduled_at", "scheduled_until", "started_at", "finished_at", "heard_at")
_NUMBERS = ("occurrences", "duration_ms", "offset_ms", "exit_code")
# What figures are made of.
_COUNTED = [
    "cron_id",
    "run_id",
    "status",
    "scheduled_at",
    "scheduled_until",
    "occurrences",
    "started_at",
    "finished_at",
    "duration_ms",
    "late",
    "excused",
]
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
    with store_errors():
        item = RunItem._get_connection().get_item(cron_id, run_id, consistent_read=True).get("Item")
    if item is None:
        return None
    has_output = whole and item.get("has_output", {}).get("BOOL", False)
    output = get_or_none(RunItem, cron_id, _OUTPUT + run_id) if has_output else None
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
        query_page = partial(
            RunItem._get_connection().query,
            cron_id,
            RunItem.run_id.between(low, high),
            RunItem.status == status.value if status else None,
            scan_index_forward=False,
            consistent_read=True,
            # Of a status there may be few among very many: those are looked for in the largest pages.
            limit=limit + 2 if status is None else None,
        )
        runs: Iterator[Run] = ResultIterator(query_page, (), {}, map_fn=to_run)
        for run in runs:
            if run.id == high:  # `between` takes in its end
                continue
            if len(found) == limit:
                return found, found[-1].id
            found.append(run)
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
        since = max(since, moment_of(to_run(items[-1])))
    return _since(items, since)


def _since(items: list[Stored], since: datetime) -> CountedRuns:
    last_before = to_ms(since - INSTANT)
    spanning = [to_run(item) for item in items if "scheduled_until" in item]
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
    return [to_run(item) for item in answer["Items"]]


def _outcome(item: Stored) -> Outcome:
    """As `outcome_of` the run, without making one."""
    occurrences = _whole(item["occurrences"]["N"]) if "occurrences" in item else 1
    return Outcome(
        status=_STATUSES[item["status"]["S"]],
        occurrences=occurrences if "scheduled_at" in item else 0,
        is_excused="excused" in item,
        is_late="late" in item and bool(item["late"]["BOOL"]),
        duration_ms=_whole(item["duration_ms"]["N"]) if "duration_ms" in item else None,
    )


def _moment_ms(item: Stored) -> int:
    """As `moment_of` the run."""
    return _whole(next(item[name]["N"] for name in _MOMENTS if name in item))


def to_run(item: Stored) -> Run:
    """Decodes a record, or those of its attributes that were read: pynamodb takes several times as long."""
    held = {name: value for name, typed in item.items() for kind, value in typed.items() if kind != "NULL"}
    get = held.get
    at = {name: from_ms(_whole(held[name])) for name in _INSTANTS if name in held}.get
    number = {name: _whole(held[name]) for name in _NUMBERS if name in held}.get
    return Run(
        cron_id=held["cron_id"],
        id=held["run_id"],
        status=_STATUSES[held["status"]],
        key=get("key"),
        scheduled_at=at("scheduled_at"),
        scheduled_until=at("scheduled_until"),
        occurrences=number("occurrences", 1),
        started_at=at("started_at"),
        finished_at=at("finished_at"),
        duration_ms=number("duration_ms"),
        offset_ms=number("offset_ms"),
        late=get("late", False),
        exit_code=number("exit_code"),
        message=get("message"),
        anomaly=_anomaly(get("anomaly")),
        incident_id=get("incident_id"),
        excused=Excuse(held["excused"]) if "excused" in held else None,
        metrics=_metrics(get("metrics")),
        heard_at=at("heard_at") or at("finished_at") or at("started_at"),
    )


def _whole(number: str) -> int:
    try:
        return int(number)
    except ValueError:
        return int(float(number))


def _metrics(stored: str | None) -> tuple[tuple[str, float], ...]:
    return () if stored is None else tuple((name, float(value)) for name, value in json.loads(stored).items())


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


def _anomaly(stored: Mapping[str, Mapping[str, Any]] | None) -> Anomaly | None:
    if stored is None:
        return None
    return Anomaly(
        kind=AnomalyKind(stored["kind"]["S"]),
        duration_ms=_whole(stored["duration_ms"]["N"]),
        average_ms=float(stored["average_ms"]["N"]),
        factor=float(stored["factor"]["N"]),
        alerted=bool(stored["told"]["BOOL"]),
    )
