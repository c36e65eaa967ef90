"""Alerts arrive, whatever dies or refuses on their way: real processes, a real receiver, kill -9.

The tick of `make run` is held still: what it does at a full minute is done when a test says so, by a clock
that may be ahead. `test_alerts_in_real_time.py` does it by the clock on the wall, and with more of them.
"""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.ids import org_of
from chalicelib.services import register as registering
from chalicelib.services.crons import SettingsChanges
from chalicelib.services.register import Registration, WantedCron
from chalicelib.store import queue
from tests.api.client import Api
from tests.channels.hostile import silent
from tests.channels.mailbox import Mailbox, mailbox
from tests.local.program import wait_for
from tests.processes.inbox import IDS, Inbox
from tests.processes.service import Service, running
from tests.processes.steps import add_webhook, kinds_by_cron, register, signal
from tests.stores import embedded_at

ALERTS = 100
KILLS = 4
# After this the claims of a sender that died have ended, and what failed once is tried again.
CLAIMS_OVER = 61.0


@pytest.fixture(scope="module")
def mail() -> Iterator[tuple[Mailbox, ExitStack]]:
    """A mail server, and what it is closed by."""
    with ExitStack() as stack:
        yield stack.enter_context(mailbox()), stack


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, mail: tuple[Mailbox, ExitStack]) -> Iterator[Service]:
    with (
        running(tmp_path_factory.mktemp("state"), CRONHUB_MAIL=mail[0].url) as found,
        embedded_at(found.store_file),
        found.standing_still("eventbridge"),
    ):
        yield found


def wait_until_idle(box: Inbox) -> None:
    """Until `notify` has worked on all that it was woken for, and on what it took before it died no more."""

    def at_work() -> tuple[int, str, str]:
        waiting = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        answer = queue.client().get_queue_attributes(QueueUrl=queue.queue_url(), AttributeNames=list(waiting))
        visible, taken = (answer["Attributes"][name] for name in waiting)
        return len(box.arrivals), visible, taken

    seen: list[tuple[tuple[int, str, str], float]] = []

    def is_idle() -> bool:
        now = at_work()
        if not seen or seen[-1][0] != now:
            seen.append((now, time.monotonic()))
        return now[1] == "0" and time.monotonic() - seen[-1][1] > 1.5

    wait_for(is_idle, 60)


def finish_minute(service: Service, ahead_seconds: float = 0) -> None:
    assert service.minute(ahead_seconds).end(60) == 0


def test_no_alert_of_a_burst_dies_with_its_sender(service: Service, box: Inbox) -> None:
    api = service.org("burst")
    add_webhook(api, box)
    box.pause_seconds = 0.02
    ids: list[str] = []

    for kill in range(KILLS):
        some = register(api, f"s{kill}", ALERTS // KILLS)
        ids += some
        with ExitStack() as dying, ThreadPoolExecutor(3) as pool:
            if kill % 2:
                dying.enter_context(service.dying_minute())
            told = pool.map(lambda cron_id: signal(api, "fail", cron_id), some)
            # The first four are told at once, the others wait for each other.
            box.wait_for_more(1)
            service.kill("notify")
            assert len(list(told)) == len(some)
    wait_until_idle(box)
    finish_minute(service, CLAIMS_OVER)

    assert box.cron_ids() == set(ids)
    # Who dies has at most one message in hand. If that told one alert alone, it may come again in a shared one.
    died = KILLS + KILLS // 2
    assert_each_told(box, ALERTS, again=died)
    assert box.repeats() <= died


def assert_each_told(box: Inbox, count: int, again: int = 0) -> None:
    """again: how many alerts at most may stand in a second message."""
    told = [event["data"]["alert_id"] for arrival in box.without_repeats() for event in arrival.events]
    assert len(set(told)) == count
    assert len(told) <= count + again


def register_overdue(api: Api, count: int) -> set[str]:
    """Registers crons as if it had been done an hour ago, and their jobs had not run since."""
    org_id = org_of(api.new_cron(None))
    assert org_id is not None
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    wanted = tuple(WantedCron(f"job {n}", SettingsChanges(schedule="@every 10m")) for n in range(count))
    made = registering.register(org_id, Registration("shop", "overdue", wanted), an_hour_ago)
    IDS.update({("shop", "overdue", cron.name): cron.id for cron, _ in made.crons})
    return {cron.id for cron, _ in made.crons}


def test_no_overdue_cron_is_lost_with_the_tick(service: Service, box: Inbox) -> None:
    api = service.org("overdue")
    add_webhook(api, box)
    ids = register_overdue(api, ALERTS)
    box.pause_seconds = 1.0

    # While it decides.
    for missed in (10, 30):
        with service.dying_minute() as minute:
            minute.line("MISSED", nth=missed)
    # When it has woken `notify`: both then send, and die while the receiver has not answered.
    for ahead_seconds in (0, CLAIMS_OVER):
        with service.dying_minute(ahead_seconds):
            box.wait_for_more(1)
            service.kill("notify")
    wait_until_idle(box)
    finish_minute(service, 2 * CLAIMS_OVER)

    assert box.cron_ids() == ids
    assert_each_told(box, ALERTS, again=KILLS)
    assert len(box.without_repeats()) <= 2 * KILLS


def test_what_a_receiver_refused_arrives_in_order_when_it_is_well_again(service: Service, box: Inbox) -> None:
    api = service.org("outage")
    add_webhook(api, box)
    ids = register(api, "outage", 15)
    fails, recovers, fails_again = ids[:5], ids[5:10], ids[10:]
    for cron_id in fails_again:
        signal(api, "fail", cron_id)
    wait_for(lambda: box.cron_ids() == set(fails_again))

    box.status = 500
    for cron_id in [*fails, *recovers]:
        signal(api, "fail", cron_id)
    for cron_id in [*recovers, *fails_again]:
        signal(api, "ping", cron_id)
    for cron_id in fails_again:
        signal(api, "fail", cron_id)
    # They wait for each other first.
    wait_for(lambda: len(box.taken) < len(box.arrivals))
    wait_until_idle(box)
    refused = {arrival.id: arrival.cron_ids for arrival in box.arrivals if arrival.status == 500}
    # It is not asked about each of them: after a failed try it is left in peace for a while.
    assert 1 <= len(refused) <= 2
    box.status = 200
    # The recoveries of an outage wait two minutes for each other.
    finish_minute(service, 2 * CLAIMS_OVER)

    told = kinds_by_cron(box.taken)
    assert [told[cron_id] for cron_id in fails] == [["failed"]] * 5
    assert [told[cron_id] for cron_id in recovers] == [["recovered"]] * 5
    # What is down again by then is told as such, without the recovery in between.
    assert [told[cron_id] for cron_id in fails_again] == [["failed", "failed"]] * 5
    assert box.repeats() == 0
    tried = {cron_id for cron_ids in refused.values() for cron_id in cron_ids}
    assert {arrival.id for arrival in box.taken if set(arrival.cron_ids) & tried & set(fails)} <= set(refused)


def test_mail_that_is_refused_does_not_hold_up_a_webhook(
    service: Service, box: Inbox, mail: tuple[Mailbox, ExitStack]
) -> None:
    letters, server = mail
    api = service.org("refused-mail")
    api.post("/api/channels", {"name": "mail", "kind": "email", "url": "ops@example.com"})
    token = re.search(r"confirm\?token=(\S+)", letters.letters[-1].get_content())
    assert token is not None
    assert api.get("/api/channels/confirm", key=None, token=token[1]).status == 200
    add_webhook(api, box)
    by_mail, webhook = (channel["id"] for channel in api.get("/api/channels").json["channels"])
    # As many as are told at once.
    ids = register(api, "mail", 4)
    server.close()

    took: list[float] = []
    for cron_id in ids:
        began = time.monotonic()
        signal(api, "fail", cron_id)
        box.wait_for_more(len(took) + 1 - len(box.arrivals))
        took.append(box.arrivals[-1].at - began)
    wait_until_idle(box)

    assert max(took) < 2, took
    assert box.cron_ids() == set(ids)
    for cron_id in ids:
        incident = api.cron(cron_id)["incident"]["id"]
        alert = api.get(f"/api/incidents/{incident}").json["alerts"][0]
        deliveries = {one["channel_id"]: one for one in alert["deliveries"]}
        assert deliveries[webhook]["state"] == "delivered"
        assert deliveries[by_mail]["state"] == "pending"
        assert "ConnectionRefusedError" in deliveries[by_mail]["error"]
        assert deliveries[by_mail]["next_at"] is not None


def test_a_webhook_that_never_answers_does_not_hold_up_another_org(service: Service, box: Inbox) -> None:
    bad, good = service.org("hanging"), service.org("innocent")
    add_webhook(good, box)
    [cron_id] = register(good, "innocent", 1)
    with silent() as port:
        url = f"http://127.0.0.1:{port}/"
        assert bad.post("/api/channels", {"name": "ops", "kind": "webhook", "url": url}).status == 201
        for hanging in register(bad, "hanging", 24):
            signal(bad, "fail", hanging)
        began = time.monotonic()
        signal(good, "fail", cron_id)
        took = box.wait_for_cron(cron_id).at - began

    assert took < 1, took
