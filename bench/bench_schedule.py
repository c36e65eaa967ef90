"""What schedules cost: `python bench/bench_schedule.py`. Exits with 1 where a limit is missed.

Times are medians; the floor is what croniter alone takes for one step, in the same run.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from croniter import croniter

from chalicelib.domain.schedule.schedule import CronSchedule, ScheduleError, parse_schedule

ORDINARY = ("*/5 * * * *", "0 * * * *", "30 2 * * *", "0 9 * * 1-5", "@daily", "15 4 1 * *")
WORST = (
    "0 0 29 2 */7",
    "59 23 29 feb */6",
    "0 0 31 12 */6",
    "*/7 */5 */31 2,4 */6",
    "0 0 29 2 *",
    "1-59/2 1-23/2 1-31/2 1-12/2 1-6/2",
)
ORDINARY_LIMIT_US = 150.0
ANY_LIMIT_US = 10_000.0
TEN_YEARS_LIMIT_US = 50_000.0
MOMENTS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=131 * n) for n in range(400)]


def cron(expression: str, zone: str) -> CronSchedule:
    schedule = parse_schedule(expression, zone)
    assert isinstance(schedule, CronSchedule)
    return schedule


def microseconds(call: Callable[[datetime], object], moments: list[datetime]) -> list[float]:
    call(moments[0])
    times = []
    for moment in moments:
        start = time.perf_counter()
        call(moment)
        times.append((time.perf_counter() - start) * 1e6)
    return times


def show(name: str, value: float, limit: float | None = None) -> bool:
    kept = limit is None or value <= limit
    told = "" if limit is None else f"   limit {limit:>9.0f}   {'ok' if kept else 'MISSED'}"
    print(f"{name:<58}{value:>9.1f} µs{told}")
    return kept


def ordinary() -> bool:
    kept = True
    for expression in ORDINARY:
        walker = croniter("0 0 * * *" if expression == "@daily" else expression, 0.0)
        floor = microseconds(lambda at, w=walker: w.get_next(float, at.timestamp()), MOMENTS)  # type: ignore[misc]
        schedule = cron(expression, "Europe/Paris")
        show(f"floor: croniter's own step, {expression}", statistics.median(floor))
        kept &= show(
            f"next, {expression}, Paris",
            statistics.median(microseconds(schedule.next, MOMENTS)),
            ORDINARY_LIMIT_US,
        )
        show(
            f"latest, {expression}, Paris",
            statistics.median(microseconds(schedule.latest, MOMENTS)),
        )
    return kept


def random_expressions(number: int) -> list[str]:
    rng = random.Random(1)
    found: list[str] = []
    while len(found) < number:
        fields = []
        for low, high in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7)):
            value, step = rng.randint(low, high), rng.randint(1, high)
            fields.append(rng.choice([str(value), f"*/{step}", f"{low}-{high}/{step}", "*"]))
        try:
            parse_schedule(" ".join(fields))
        except ScheduleError:
            continue
        found.append(" ".join(fields))
    return found


def any_accepted() -> bool:
    worst = (0.0, "")
    for expression in (*WORST, *random_expressions(300)):
        for zone in ("UTC", "Asia/Gaza"):
            schedule = cron(expression, zone)
            slowest = max(
                statistics.median(microseconds(lambda _, s=schedule, at=at: s.next(at), [at] * 3))  # type: ignore[misc]
                for at in (MOMENTS[0], MOMENTS[200], datetime(2073, 1, 1, tzinfo=UTC))
            )
            worst = max(worst, (slowest, f"{expression}, {zone}"))
    return show(f"next, slowest of 306 in 2 zones: {worst[1]}", worst[0], ANY_LIMIT_US)


def others() -> bool:
    schedule, start = cron("* * * * *", "Europe/Paris"), MOMENTS[0]
    end = start.replace(year=start.year + 10)
    ten_years = microseconds(lambda at: schedule.count(at, end), [start] * 5)
    kept = show("count of every minute over ten years", statistics.median(ten_years), TEN_YEARS_LIMIT_US)
    fresh = [f"{minute} {hour} * * *" for minute in range(20) for hour in range(20)]
    texts = iter(["59 23 * * *", *fresh])
    parse = microseconds(lambda _: parse_schedule(next(texts), "Europe/Rome"), MOMENTS)
    show("parse_schedule, an expression not seen before", statistics.median(parse))
    schedules = iter([cron(text, "Europe/Rome") for text in ["59 23 * * *", *fresh]])
    first = microseconds(lambda at: next(schedules).next(at), MOMENTS)
    show("next, the first time for an expression", statistics.median(first))
    return kept


if __name__ == "__main__":
    sys.exit(0 if all([ordinary(), any_accepted(), others()]) else 1)
