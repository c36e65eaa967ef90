"""The record of a run holds all of it, and what figures are made of is read from it alike."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.runs.anomaly import Anomaly, AnomalyKind
from chalicelib.domain.runs.run import Excuse, Run, RunStatus
from chalicelib.domain.times import from_ms
from chalicelib.store.runs import new_item, to_run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

_INSTANTS = st.none() | st.integers(0, 4 * 10**12).map(from_ms)
_NUMBERS = st.none() | st.integers(-(10**9), 10**9)
_FLOATS = st.floats(-1e9, 1e9, allow_nan=False)
_ANOMALIES = st.builds(
    Anomaly, st.sampled_from(AnomalyKind), st.integers(0, 10**9), _FLOATS, _FLOATS, st.booleans()
)
_RUNS = st.builds(
    Run,
    st.text(min_size=1),
    st.text(min_size=1),
    st.sampled_from(RunStatus),
    key=st.none() | st.text(min_size=1),
    scheduled_at=_INSTANTS,
    scheduled_until=_INSTANTS,
    occurrences=st.integers(1, 10**6),
    started_at=_INSTANTS,
    finished_at=_INSTANTS,
    duration_ms=_NUMBERS,
    offset_ms=_NUMBERS,
    late=st.booleans(),
    exit_code=_NUMBERS,
    message=st.none() | st.text(min_size=1, max_size=250),
    anomaly=st.none() | _ANOMALIES,
    incident_id=st.none() | st.text(min_size=1),
    excused=st.none() | st.sampled_from(Excuse),
    heard_at=_INSTANTS,
    metrics=st.dictionaries(st.text(), _FLOATS, max_size=3).map(lambda found: tuple(found.items())),
)


@given(_RUNS)
def test_a_record_is_read_as_it_was_written(run: Run) -> None:
    # A run whose last signal is not noted was last heard of when it finished or started.
    heard_at = run.heard_at or run.finished_at or run.started_at

    assert to_run(new_item(run, NOW).serialize()) == run._replace(heard_at=heard_at)


def test_numbers_that_an_older_release_did_not_round_are_read() -> None:
    item = new_item(Run("cron", "run", RunStatus.SUCCESS, duration_ms=20_000), NOW).serialize()

    assert to_run({**item, "duration_ms": {"N": "19999.7"}}).duration_ms == 19_999


def test_what_is_not_there_may_be_said_to_be_null() -> None:
    item = new_item(Run("cron", "run", RunStatus.FAILED, finished_at=NOW - timedelta(1)), NOW).serialize()

    assert to_run({**item, "exit_code": {"NULL": True}, "late": {"NULL": True}}) == to_run(item)
