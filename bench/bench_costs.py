"""What CronHub's work costs in calls and capacity, measured on an emulator that counts as AWS does, and
what a month of it then costs on AWS. docs/operations.md has the table.

Prices are list prices of us-east-1 in US dollars, on demand, without free tiers:
aws.amazon.com/dynamodb/pricing/on-demand, /lambda/pricing, /api-gateway/pricing, /cloudwatch/pricing.
"""

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from infra.deploy import emulated
from tests.capacity import Consumed, counting
from tests.channels.receivers import receiver

MINUTE = timedelta(minutes=1)
PERIOD = 5 * MINUTE
CRONS = (100, 10_000, 1_000_000)
PER_MILLION_WRITES = 0.625
PER_MILLION_READS = 0.125
PER_PROVISIONED_WRITE_HOUR = 0.00065
PER_MILLION_INVOCATIONS = 0.20
PER_GB_SECOND = 0.0000166667
PER_GB_OF_LOGS = 0.50
# (how many millions, dollars a million)
REQUESTS = ((333, 3.50), (667, 2.80), (19_000, 2.38), (float("inf"), 1.51))
# Assumed, as only AWS can tell: two calls of the store, at 512 MB, and a tick of 20 of them.
PING_SECONDS = 0.025
TICK_SECONDS = 0.5
MEMORY_GB = 0.5
LINE_BYTES = 600
MONTH = timedelta(days=365) / 12
MINUTES = MONTH / MINUTE


def main() -> int:
    os.environ["CRONHUB_ALLOW_PRIVATE_TARGETS"] = "1"
    os.environ["CRONHUB_THROTTLE"] = "off"
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as scratch, emulated.running(Path(scratch) / "stack.log") as endpoint:
        os.environ.update(emulated.environment(endpoint))
        ping, tick = show_actions()
    show_months(ping, tick)
    return 0


def show_actions() -> tuple[Consumed, Consumed]:
    """Returns what a ping and an idle tick cost."""
    found = dict(measured())
    print(f"{'':34} calls  read units  write units")
    for name, one in found.items():
        print(f"{name:34} {one.calls:5} {one.read:11.1f} {one.write:12.1f}")
    return found["ping"], found["tick, nothing due"]


def measured() -> Iterator[tuple[str, Consumed]]:
    from chalicelib.services import clock
    from chalicelib.services.notify import send_due
    from chalicelib.services.tick import run_minute
    from chalicelib.store.tables import create_tables
    from tests.api.client import Api

    create_tables()
    now = datetime.now(UTC).replace(hour=12, minute=0, second=1, microsecond=0) + timedelta(days=1)
    clock.now = lambda: now

    def of(work: Callable[[], Any]) -> Consumed:
        with counting() as consumed:
            work()
        return consumed

    with Api.started() as api, receiver() as box:
        api.key = api.new_org("bench")
        one = {"name": "job", "schedule": "*/5 * * * *"}
        [cron_id] = api.register(one)
        for _ in range(60):
            now += PERIOD
            api.post(f"/api/start/{cron_id}", key=None)
            now += timedelta(seconds=2)
            api.post(f"/api/ping/{cron_id}", key=None)
        run_minute(now)
        now += MINUTE
        yield "tick, nothing due", of(lambda: run_minute(now))
        now += PERIOD
        yield "start", of(lambda: api.post(f"/api/start/{cron_id}", key=None))
        yield "ping that ends it", of(lambda: api.post(f"/api/ping/{cron_id}", key=None))
        now += PERIOD
        yield "ping", of(lambda: api.post(f"/api/ping/{cron_id}", key=None))
        now += PERIOD
        yield "heartbeat with a key", of(lambda: api.heartbeat(cron_id))
        many = [{"name": f"job {n}", "schedule": "*/5 * * * *"} for n in range(50)]
        yield "register, 50 new", of(lambda: api.register(*many))
        yield "register, 50 unchanged", of(lambda: api.register(*many))
        yield "details of a cron", of(lambda: api.cron(cron_id))
        yield "list of 51 crons", of(lambda: api.get("/api/crons"))
        assert api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": box.url}).status == 201
        yield "failure, which opens an incident", of(lambda: api.post(f"/api/fail/{cron_id}", key=None))
        yield "its alert, over one channel", of(lambda: send_due(clock.now()))
        assert len(box.got) == 1
        run_minute(now)
        # All of them within one minute, once their grace is over.
        while api.cron(cron_id)["incident"]["missed"] == 0:
            now += MINUTE
            consumed = of(partial(run_minute, now))
        yield "tick, 51 missed and told", consumed


class Month(NamedTuple):
    requests: float
    dynamodb: float
    functions: float
    logs: float


def show_months(ping: Consumed, tick: Consumed) -> None:
    """Provisioned: what DynamoDB would be with write units provisioned for an even load."""
    names = ("API", "DynamoDB", "Lambda", "logs", "all", "provisioned")
    print(f"\n{'crons':>9} {'pings':>14} {'a second':>9}" + "".join(f" {name:>11}" for name in names))
    for crons in CRONS:
        pings, per_second = crons * (MONTH / PERIOD), crons / PERIOD.total_seconds()
        month = month_of(pings, ping, tick)
        provisioned = per_second * ping.write * PER_PROVISIONED_WRITE_HOUR * MINUTES / 60
        dollars = "".join(f" {value:11,.0f}" for value in (*month, sum(month), provisioned))
        print(f"{crons:9,} {pings:14,.0f} {per_second:9.1f}{dollars}")


def month_of(pings: float, ping: Consumed, tick: Consumed) -> Month:
    """In dollars."""
    writes = pings * ping.write + MINUTES * tick.write
    reads = pings * ping.read + MINUTES * tick.read
    seconds = pings * PING_SECONDS + MINUTES * TICK_SECONDS
    invocations = pings + MINUTES
    return Month(
        tiered(pings / 1e6),
        (writes * PER_MILLION_WRITES + reads * PER_MILLION_READS) / 1e6,
        invocations * PER_MILLION_INVOCATIONS / 1e6 + seconds * MEMORY_GB * PER_GB_SECOND,
        invocations * LINE_BYTES / 1e9 * PER_GB_OF_LOGS,
    )


def tiered(millions: float) -> float:
    dollars = 0.0
    for size, price in REQUESTS:
        part = min(size, millions)
        dollars += part * price
        millions -= part
    return dollars


if __name__ == "__main__":
    sys.exit(main())
