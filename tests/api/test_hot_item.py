"""The item that every signal reads and writes stays under 1 KB: one write unit."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from chalicelib.domain.ids import timed_id
from chalicelib.domain.monitor.cron import Cron, LastRun, OpenIncident, OpenRun, Settings, Status
from chalicelib.domain.runs.anomaly import Baseline
from chalicelib.domain.runs.counts import Counts, DailyCounts
from chalicelib.domain.runs.durations import Durations
from chalicelib.domain.runs.run import RunStatus
from chalicelib.store.cron_codec import to_cron, to_item
from tests.api.client import Clock


def size_of(item: dict[str, Any]) -> int:
    """As docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html has it."""
    return sum(len(name.encode()) + _size_of_value(value) for name, value in item.items())


def _size_of_value(value: dict[str, Any]) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            digits = len(Decimal(held).normalize().as_tuple().digits)
            return (digits + 1) // 2 + 1
        case "B":
            return len(held)
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _size_of_value(one) for one in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size_of_value(one) for name, one in held.items())
    raise AssertionError(kind)


def full_cron(clock: Clock) -> Cron:
    now = clock.now
    open_runs = tuple(
        OpenRun(
            id=timed_id(now + timedelta(minutes=n), bytes(10)),
            started_at=now + timedelta(minutes=n),
            seen_at=now + timedelta(minutes=n + 1),
            key=f"3f2504e0-4f89-41d3-9a0c-0305e82c33{n:02}",
            scheduled_at=now,
            late=True,
        )
        for n in range(3)
    )
    counts = Counts(24, 20, 2, 1, 22, 20, 1, 1, 3, Durations(20, 40_000_000, 1_000, 7_200_000, _buckets()))
    return Cron(
        org_id="0123456789ab",
        id="01234567-89ab-8cde-8123-456789abcdef",
        product="web-shop",
        service="nightly-maintenance",
        name="rebuild-search-index",
        settings=Settings(
            "*/30 1-5 * * 1-5",
            "Europe/Paris",
            "Rebuilds the search index of the shop from the warehouse.",
            600,
            7200,
            tags=("db", "search", "critical"),
            project_id="01kmtzy4g0a1b2c3d4e5f6g7h8",
        ),
        created_at=now,
        version=123_456,
        status=Status.DOWN,
        expected_at=now,
        looked_at=now,
        open_runs=open_runs,
        last_run=LastRun(open_runs[0].id, RunStatus.SUCCESS, now, now, 3_600_000),
        last_signal_at=now,
        failure_streak=3,
        baseline=Baseline(tuple(3_500_000 + 1000 * n for n in range(50))),
        offsets_ms=tuple(1000 * n for n in range(10)),
        incident=OpenIncident(open_runs[0].id, now, 3),
        today=DailyCounts(now.date(), counts),
        keyless_signals=False,
    )


def _buckets() -> tuple[tuple[int, int], ...]:
    return tuple((100 + n, n + 1) for n in range(15))


def test_a_full_history_fits_in_one_write_unit(clock: Clock) -> None:
    cron = full_cron(clock)

    item = to_item(cron).to_dynamodb_dict()

    assert len(cron.baseline.durations_ms) == 50
    assert size_of(item) < 1024, size_of(item)
    read = to_item(cron)
    read.from_dynamodb_dict(item)
    assert to_cron(read) == cron
