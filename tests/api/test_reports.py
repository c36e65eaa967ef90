"""Weekly and monthly reports: set, put into the outbox when due, sent once, over the channels that were chosen."""

import json
from typing import Any

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.services import reports
from chalicelib.services.notify import send_due
from chalicelib.services.tick import run_minute
from chalicelib.store import alerts, report_times
from chalicelib.store.tables import AlertItem, OrgItem
from tests.api.client import Answer, Api, Clock
from tests.api.conftest import Calls
from tests.channels.receivers import Receiver, receiver

ORG = "/api/orgs/mon-org"
#: The clock begins on Tuesday 10 March 2026, 12:00.
DUE = "2026-03-16T07:00:00"
MONDAYS = {"every": "weekly", "day": 1, "hour": 8, "timezone": "Europe/Paris"}


pytestmark = pytest.mark.usefixtures("private_allowed")


def plan(api: Api, **report: Any) -> Answer:
    return api.patch(ORG, {"report": report})


def channel(api: Api, to: Receiver, **more: Any) -> str:
    answer = api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": to.url, **more})
    assert answer.status == 201, answer.text
    return str(answer.json["id"])


def told(to: Receiver) -> list[Any]:
    events = [json.loads(got.body) for got in to.got]
    return [event for event in events if event["type"] == "notice.report"]


def tick(clock: Clock) -> None:
    reports.go_on(clock.now)
    send_due(clock.now)


def test_there_are_none_until_somebody_wants_them(api: Api, clock: Clock, hook: Receiver) -> None:
    channel(api, hook)
    off = {"every": "off", "day": 1, "hour": 8, "timezone": "UTC", "channel_ids": [], "next_at": None}
    assert api.get(ORG).json["report"] == off

    clock.pass_by(days=40)
    tick(clock)

    assert told(hook) == []


def test_what_is_set_is_shown_with_when_the_next_one_is_due(api: Api, hook: Receiver) -> None:
    own = channel(api, hook)

    answer = plan(api, **MONDAYS, channel_ids=[own, own])

    expected = {**MONDAYS, "channel_ids": [own], "next_at": f"{DUE}Z"}
    assert answer.json["report"] == expected
    assert api.get(ORG).json["report"] == expected
    # Other changes leave it alone.
    assert api.patch(ORG, {"name": "New"}).json["report"] == expected
    assert plan(api, every="off").json["report"]["next_at"] is None


@pytest.mark.parametrize(
    ("report", "field"),
    [
        ({"every": "daily"}, "report.every"),
        ({}, "report.every"),
        ({"every": "weekly", "day": 8}, "report.day"),
        ({"every": "monthly", "day": 29}, "report.day"),
        ({"every": "weekly", "hour": 24}, "report.hour"),
        ({"every": "weekly", "timezone": "Mars/Olympus"}, "report.timezone"),
        ({"every": "weekly", "channel_ids": ["unknown"]}, "report.channel_ids[0]"),
        ({"every": "weekly", "at": 3}, "report.at"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(api: Api, report: dict[str, Any], field: str) -> None:
    answer = plan(api, **report)

    assert (answer.status, answer.wrong_fields) == (422, [field])
    assert api.get(ORG).json["report"]["every"] == "off"


def test_it_comes_when_it_is_due_and_once(api: Api, clock: Clock, hook: Receiver) -> None:
    channel(api, hook)
    cron_id = api.new_cron(schedule=None)
    plan(api, **MONDAYS)
    api.post(f"/api/fail/{cron_id}", key=None)

    clock.at("2026-03-16T06:59:59")
    tick(clock)
    assert told(hook) == []
    clock.at(DUE)
    for _ in range(3):
        tick(clock)
        clock.pass_by(minutes=1)

    [event] = told(hook)
    assert event["data"]["title"] == "Weekly report of Mon-Org: 1 cron down"
    assert event["data"]["severity"] == "info"
    assert "shop/nightly/backup failed; down for 5 days 19 h, nobody acknowledged it" in event["data"]["text"]
    assert cron_id not in hook.got[-1].body.decode()
    assert api.get(ORG).json["report"]["next_at"] == "2026-03-23T07:00:00Z"

    clock.at("2026-03-23T07:00:00")
    tick(clock)
    assert len(told(hook)) == 2


def test_the_minute_of_the_tick_sends_it(api: Api, clock: Clock, hook: Receiver) -> None:
    channel(api, hook)
    plan(api, **MONDAYS)
    clock.at(DUE)

    run_minute(clock.now)
    clock.pass_by(minutes=1)
    run_minute(clock.now)

    assert len(told(hook)) == 1


def test_it_goes_over_the_channels_that_were_chosen(api: Api, clock: Clock, hook: Receiver) -> None:
    with receiver() as other:
        chosen = channel(api, hook, filters={"kinds": ["failed"], "products": ["elsewhere"]})
        channel(api, other, name="pager")
        plan(api, **MONDAYS, channel_ids=[chosen])
        clock.at(DUE)
        tick(clock)

        assert (len(told(hook)), len(told(other))) == (1, 0)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"products": ["elsewhere"]}, 1),
        ({"severities": ["critical"]}, 0),
        ({"kinds": ["failed"]}, 0),
        ({"kinds": ["failed", "report"]}, 1),
    ],
)
def test_where_none_is_chosen_it_goes_where_filters_by_kind_and_severity_let_it(
    api: Api, clock: Clock, hook: Receiver, filters: dict[str, Any], expected: int
) -> None:
    channel(api, hook, filters=filters)
    plan(api, **MONDAYS)
    clock.at(DUE)
    tick(clock)

    assert len(told(hook)) == expected


def test_a_change_of_mind_counts_from_then_on(api: Api, clock: Clock, hook: Receiver) -> None:
    channel(api, hook)
    plan(api, **MONDAYS)
    plan(api, every="monthly", day=20, hour=0)

    clock.at(DUE)
    tick(clock)
    assert told(hook) == []
    clock.at("2026-03-20T00:00:00")
    tick(clock)
    assert told(hook)[0]["data"]["title"].startswith("Monthly report")
    plan(api, every="off")
    clock.pass_by(days=60)
    tick(clock)

    assert len(told(hook)) == 1
    assert not OrgItem.get("reporting").reporting


def test_after_an_outage_of_weeks_one_report_comes(api: Api, clock: Clock, hook: Receiver) -> None:
    channel(api, hook)
    plan(api, **MONDAYS)

    clock.at("2026-04-15T00:00:00")
    for _ in range(3):
        tick(clock)

    assert len(told(hook)) == 1
    assert api.get(ORG).json["report"]["next_at"] == "2026-04-20T06:00:00Z"


@pytest.mark.parametrize("step", ["put_notice", "note", "move_on", "forget", "write_words"])
def test_a_crash_at_any_step_neither_loses_nor_repeats_it(
    api: Api, clock: Clock, hook: Receiver, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    channel(api, hook)
    plan(api, **MONDAYS)
    clock.at(DUE)
    module = alerts if hasattr(alerts, step) else report_times
    for is_done in (False, True):
        whole = getattr(module, step)

        def crash(*given: Any, is_done: bool = is_done, whole: Any = whole) -> Any:
            if is_done:
                whole(*given)
            raise Unavailable("gone")

        with monkeypatch.context() as patch:
            patch.setattr(module, step, crash)
            tick(clock)
    for _ in range(3):
        tick(clock)
        clock.pass_by(minutes=1)

    assert len(told(hook)) == 1
    assert api.get(ORG).json["report"]["next_at"] == "2026-03-23T07:00:00Z"
    assert len(OrgItem.get("reporting").reporting) == 1


def test_a_report_that_cannot_be_written_holds_up_no_alert(
    api: Api, clock: Clock, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel(api, hook)
    cron_id = api.new_cron(schedule=None)
    plan(api, **MONDAYS)
    clock.at(DUE)
    reports.go_on(clock.now)
    api.post(f"/api/fail/{cron_id}", key=None)

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(reports, "report_of", broken)
        send_due(clock.now)
    assert [json.loads(got.body)["type"] for got in hook.got] == ["cron.failed"]

    send_due(clock.now)
    assert len(told(hook)) == 1


def test_an_org_that_is_gone_gets_none(api: Api, clock: Clock, hook: Receiver) -> None:
    plan(api, **MONDAYS)
    api.delete(ORG, raw='{"slug":"mon-org"}')

    clock.at(DUE)
    tick(clock)

    assert list(AlertItem.scan()) == []
    assert not OrgItem.get("reporting").reporting


def test_without_a_report_the_tick_pays_one_read_and_a_report_is_read_in_pages(
    api: Api, clock: Clock, hook: Receiver, calls: Calls
) -> None:
    channel(api, hook)
    for number in range(6):
        [cron_id] = api.register({"name": f"job-{number}", "schedule": None})
        if number < 2:
            api.post(f"/api/fail/{cron_id}", key=None)
    plan(api, **MONDAYS)
    calls.clear()
    reports.go_on(clock.now)
    assert calls.names == ["GetItem"]

    clock.at(DUE)
    reports.go_on(clock.now)
    keys = [(item.cron_id, item.alert_id) for item in AlertItem.scan()]
    [found] = [one for one in alerts.find_outgoing(keys) if reports.is_unwritten(one.alert)]
    calls.clear()
    reports.written(found)

    # The org; the crons; the incidents; the days of the two that had one; the words.
    assert calls.names == ["GetItem", "Query", "Query", "Query", "Query", "UpdateItem"]
