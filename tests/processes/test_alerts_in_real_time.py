"""400 alerts, five kills, two minutes of refusals: by the clock on the wall (`make test-long`)."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.local.program import wait_for
from tests.processes.inbox import Inbox
from tests.processes.service import Service, running
from tests.processes.steps import add_webhook, kinds_by_cron, register, signal

ALERTS = 400
MOST_REPEATS = 0.02 * ALERTS
KILLS = 5
# Of who was killed: a message comes back, or a claim ends, after a minute, and the next tick finds it.
FOUND_WITHIN = 200.0
NEXT_MINUTE = 75.0
OUTAGE = 120.0
# The third pause is two minutes, and a tick ends it.
TRIED_AGAIN_WITHIN = 240.0

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("state")) as found:
        yield found


def test_no_alert_of_a_burst_dies_with_its_sender(service: Service, box: Inbox) -> None:
    api = service.org("burst")
    add_webhook(api, box)
    box.pause_seconds = 0.03
    ids = register(api, "burst", ALERTS)

    with ThreadPoolExecutor(3) as pool:
        told = pool.map(lambda cron_id: signal(api, "fail", cron_id), ids)
        for _ in range(KILLS):
            box.wait_for_more(1, FOUND_WITHIN)
            service.kill("notify")
        assert len(list(told)) == ALERTS
    wait_for(lambda: box.cron_ids() == set(ids), FOUND_WITHIN)

    alerts = [event["data"]["alert_id"] for arrival in box.without_repeats() for event in arrival.events]
    twice = len(alerts) - len(set(alerts))
    print(f"\n{ALERTS} alerts, {KILLS} kills of notify: none lost, {box.repeats()} messages repeated, ", end="")
    print(f"{twice} alerts told under two delivery ids")
    assert len(set(alerts)) == ALERTS
    assert twice + box.repeats() < MOST_REPEATS


def test_no_overdue_cron_is_lost_with_the_tick(service: Service, box: Inbox) -> None:
    api = service.org("overdue")
    add_webhook(api, box)
    box.pause_seconds = 0.5
    ids = register(api, "overdue", ALERTS, "* * * * *")

    # While it decides: what it decided the next one has to send.
    for missed in (60, 120, 180):
        service.run.line("tick    MISSED", nth=missed, seconds=NEXT_MINUTE)
        service.kill("eventbridge")
    # While they send.
    for _ in range(KILLS - 3):
        box.wait_for_more(1, FOUND_WITHIN)
        service.kill("eventbridge")
        service.kill("notify")
    wait_for(lambda: box.cron_ids() == set(ids), FOUND_WITHIN)

    alerts = [event["data"]["alert_id"] for arrival in box.without_repeats() for event in arrival.events]
    twice = len(alerts) - len(set(alerts))
    print(f"\n{ALERTS} overdue crons, {KILLS} kills of the tick: none lost, {len(box.taken)} messages, ", end="")
    print(f"{box.repeats()} of them repeated, {twice} alerts told under two delivery ids")
    assert len(set(alerts)) == ALERTS
    assert twice < MOST_REPEATS


def test_what_a_receiver_refused_for_two_minutes_arrives_in_order(service: Service, box: Inbox) -> None:
    api = service.org("outage")
    add_webhook(api, box)
    ids = register(api, "outage", 60)
    fails, recovers, fails_again = ids[:20], ids[20:40], ids[40:]
    for cron_id in fails_again:
        signal(api, "fail", cron_id)
    wait_for(lambda: box.cron_ids() == set(fails_again))

    box.status = 500
    began = time.monotonic()
    for cron_id in [*fails, *recovers]:
        signal(api, "fail", cron_id)
    for cron_id in [*recovers, *fails_again]:
        signal(api, "ping", cron_id)
    for cron_id in fails_again:
        signal(api, "fail", cron_id)
    wait_for(lambda: time.monotonic() - began > OUTAGE, OUTAGE + 1)
    box.status = 200
    wanted = (
        {cron_id: ["failed"] for cron_id in fails}
        | {cron_id: ["recovered"] for cron_id in recovers}
        # Recoveries of an outage wait for each other, and these were down again meanwhile.
        | {cron_id: ["failed", "failed"] for cron_id in fails_again}
    )
    with suppress(AssertionError):
        wait_for(lambda: kinds_by_cron(box.taken) == wanted, TRIED_AGAIN_WITHIN)
    assert kinds_by_cron(box.taken) == wanted

    took = time.monotonic() - began - OUTAGE
    print(f"\n{len(box.arrivals) - len(box.taken)} refusals; all told within {took:.0f} s of their end")
    assert box.repeats() == 0
