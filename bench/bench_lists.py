"""How long lists and figures take with many crons and many runs, over the embedded store in this process.

Usage: python -m bench.bench_lists [CRONS] [RUNS]
"""

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}

from chalicelib.domain import ids
from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.cron import Cron, Settings
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.services import badges
from chalicelib.services.cron_counts import count_crons, first_crons
from chalicelib.services.crons import CronFilters, list_crons
from chalicelib.services.evaluate import run_tick
from chalicelib.services.paging import Page
from chalicelib.services.statistics import details
from chalicelib.store.cron_codec import to_item
from chalicelib.store.runs import new_item
from chalicelib.store.tables import CronItem, RunItem, StandingCountsItem, create_tables
from infra.local.store import install

ROUNDS = 15
OVERDUE = 1000
# The occurrence of 13:00 and its grace of 6 minutes are over.
OVERDUE_AFTER = timedelta(minutes=70)
NOW = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)


def main() -> None:
    crons = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        installed = install(Path(folder) / "state" / "store.db", sweep=False)
        try:
            create_tables()
            _measure_overdue()
            _measure(crons, runs)
        finally:
            installed.uninstall()


def _measure(crons: int, runs: int) -> None:
    org = ids.org_id(secrets.token_bytes(6))
    _save_crons(org, crons, NOW)
    busy = _save_crons(org, 1, NOW)[0]
    _save_runs(busy, runs)
    _print(f"a page of 20 of {crons} crons", lambda: list_crons(org, CronFilters(), Page(20), NOW))
    _print(f"a page of 100 of {crons} crons", lambda: list_crons(org, CronFilters(), Page(100), NOW))
    _print(f"details of a cron with {runs} runs", lambda: details(org, busy.id, NOW))
    _print(f"all {crons} crons, read to be counted (once per org)", lambda: _recount(org), rounds=3)
    _print(f"numbers of {crons} crons by status (metrics, overview)", lambda: count_crons(org))
    _print(f"gauges of 1000 of {crons} crons (metrics?per_cron=true)", lambda: first_crons(org, 1000))
    for tag in (None, "db"):
        badge = badges.create(org, badges.NewBadge(tag=tag, label="all"), NOW)
        of = "the org" if tag is None else "a tag"
        _print(f"a badge of {of}, of {crons} crons", partial(badges.look, badge.token, NOW))


def _recount(org: str) -> None:
    """Counts as the first time, with every part there that changes of a busy org have made."""
    for item in StandingCountsItem.query(org):
        item.delete()
    for part in range(64):
        StandingCountsItem(org, f"{part // 4:02}.{part % 4}", up=1, new=-1, changes=1).save()
    count_crons(org)


def _measure_overdue() -> None:
    _save_crons(ids.org_id(secrets.token_bytes(6)), OVERDUE, NOW)
    begin = time.perf_counter()
    report = run_tick(NOW + OVERDUE_AFTER, blackouts=lambda _: ())
    seconds = time.perf_counter() - begin
    print(f"{report.looked_at} overdue crons: {report.looked_at / seconds:.0f} per second")


def _print(what: str, call: Callable[[], object], rounds: int = ROUNDS) -> None:
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        found.append((time.perf_counter() - begin) * 1000)
    print(f"{what}: {median(found):.1f} ms ({min(found):.1f} to {max(found):.1f})")


def _save_crons(org: str, number: int, now: datetime) -> list[Cron]:
    made = [_cron(org, place, now) for place in range(number)]
    with CronItem.batch_write() as batch:
        for cron in made:
            batch.save(to_item(cron))
    return made


def _cron(org: str, place: int, now: datetime) -> Cron:
    names = on_request.CronNames("shop", "many", f"job {place}")
    cron_id = ids.cron_id(org, secrets.token_bytes(10))
    return on_request.create(cron_id, names, Settings("0 * * * *"), now)._replace(version=1)


def _save_runs(cron: Cron, number: int) -> None:
    with RunItem.batch_write() as batch:
        for place in range(number):
            batch.save(new_item(_run(cron, NOW - timedelta(minutes=place)), NOW))


def _run(cron: Cron, at: datetime) -> Run:
    return Run(
        cron_id=cron.id,
        id=ids.timed_id(at, secrets.token_bytes(10)),
        status=RunStatus.SUCCESS,
        scheduled_at=at.replace(second=0),
        started_at=at - timedelta(seconds=20),
        finished_at=at,
        duration_ms=20_000,
        offset_ms=3_000,
        message="done",
    )


if __name__ == "__main__":
    main()
