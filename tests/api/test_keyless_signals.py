"""An org may turn keyless signals off: then ids of crons are only names."""

from typing import Any

import pytest

from chalicelib.services import keyless_signals
from chalicelib.services.tick import run_minute
from chalicelib.store import crons, keyless, orgs
from chalicelib.store.org_moments import OrgMoment
from chalicelib.store.tables import CronItem
from tests.api.client import Api, Clock
from tests.api.conftest import Calls

ORG = "/api/orgs/mon-org"
UNKNOWN = "00000000-0000-8000-8000-000000000000"
KINDS = ("ping", "start", "fail", "log")
METHODS = ("GET", "HEAD", "POST")


def turn(api: Api, allowed: bool, key: str | None = "own") -> Any:
    return api.patch(ORG, {"keyless_signals": allowed}, key=key)


def item(cron_id: str) -> dict[str, Any]:
    [found] = [one for one in CronItem.scan() if one.cron_id == cron_id]
    return dict(found.serialize())


def test_keyless_signals_are_on_until_they_are_turned_off(api: Api) -> None:
    org = api.get(ORG).json
    assert (org["keyless_signals"], org["keyless_signals_pending"]) == (True, False)

    assert turn(api, False).json["keyless_signals"] is False
    org = api.get(ORG).json
    assert (org["keyless_signals"], org["keyless_signals_pending"]) == (False, False)
    # What is not sent stays as it is.
    assert api.patch(ORG, {"name": "New"}).json["keyless_signals"] is False


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_without_them_a_ping_url_is_unknown_and_changes_nothing(api: Api, kind: str, method: str) -> None:
    cron_id = api.new_cron()
    turn(api, False)
    before = item(cron_id)

    answer = api.call(method, f"/api/{kind}/{cron_id}", key=None)
    unknown = api.call(method, f"/api/{kind}/{UNKNOWN}", key=None)

    assert (answer.status, answer.text) == (unknown.status, unknown.text)
    assert answer.status == 404
    assert item(cron_id) == before
    assert api.runs(cron_id) == []


@pytest.mark.parametrize("path", ["/ping/{}", "/ping/{}/start", "/ping/{}/3", "/{}", "/api/push/{}"])
def test_nor_does_any_other_protocol_signal_by_an_id(api: Api, path: str) -> None:
    cron_id = api.new_cron()
    turn(api, False)
    before = item(cron_id)

    answer, unknown = (api.get(path.format(one), key=None) for one in (cron_id, UNKNOWN))

    assert (answer.status, answer.text) == (unknown.status, unknown.text)
    assert item(cron_id) == before
    turn(api, True)
    assert api.get(path.format(cron_id), key=None).status == 200


def test_signals_with_a_key_go_on(api: Api) -> None:
    cron_id = api.new_cron()
    turn(api, False)
    ingest = api.new_key("ingest")

    assert api.post(f"/api/crons/{cron_id}/start", key=ingest).status == 200
    assert api.post(f"/api/crons/{cron_id}/heartbeat", {"status": "success"}, key=ingest).status == 200
    assert api.post(f"/api/crons/{cron_id}/log", {"message": "x"}, key=ingest).status == 200
    assert api.cron(cron_id)["status"] == "up"


def test_turned_on_again_the_same_urls_work(api: Api) -> None:
    cron_id = api.new_cron()
    url = api.cron(cron_id)["ping_url"]
    turn(api, False)
    turn(api, True)

    assert api.cron(cron_id)["ping_url"] == url
    assert api.post(f"/api/ping/{cron_id}", key=None).status == 200


def test_new_and_archived_crons_have_what_their_org_has(api: Api) -> None:
    [gone] = api.register({"name": "gone", "schedule": None})
    api.register(prune=True)
    turn(api, False)

    made = api.post(
        "/api/crons/register",
        {
            "product": "shop",
            "service": "nightly",
            "crons": [{"name": n, "schedule": None} for n in ("gone", "new")],
        },
    ).json["crons"]

    assert [(cron["name"], cron["ping_url"]) for cron in made] == [("gone", None), ("new", None)]
    assert made[0]["id"] == gone
    assert {api.post(f"/api/ping/{cron['id']}", key=None).status for cron in made} == {404}


def test_what_can_be_read_then_holds_nothing_that_signals(api: Api) -> None:
    cron_id = api.new_cron()
    api.heartbeat(cron_id, "failure")
    read = api.new_key("read")
    turn(api, False)

    for path in ("/api/crons", f"/api/crons/{cron_id}", "/api/incidents", f"/api/crons/{cron_id}/runs"):
        text = api.get(path, key=read).text
        assert not [kind for kind in KINDS if f"/api/{kind}/" in text]
    assert api.get(f"/api/crons/{cron_id}", key=read).json["ping_url"] is None


def test_only_owners_and_admins_turn_them_off_and_only_in_their_own_org(api: Api) -> None:
    cron_id = api.new_cron()
    for key in (api.new_key("ingest"), api.new_key("read")):
        assert turn(api, False, key).status == 403
    assert turn(api, False, api.new_org("other-org")).status == 404
    assert api.patch(ORG, {"keyless_signals": "no"}).wrong_fields == ["keyless_signals"]
    assert api.patch(ORG, {"keyless_signals": None}).wrong_fields == ["keyless_signals"]

    assert api.post(f"/api/ping/{cron_id}", key=None).status == 200


def test_another_orgs_ping_urls_go_on(api: Api) -> None:
    own = api.key
    api.key = api.new_org("other-org")
    theirs = api.new_cron()
    api.key = own

    turn(api, False)

    assert api.post(f"/api/ping/{theirs}", key=None).status == 200


def test_a_ping_costs_what_it_did_and_a_refused_one_a_read(api: Api, calls: Calls) -> None:
    cron_id = api.new_cron()
    calls.clear()
    api.post(f"/api/ping/{cron_id}", key=None)
    assert calls.names == ["GetItem", "TransactWriteItems"]

    turn(api, False)
    calls.clear()
    api.post(f"/api/ping/{cron_id}", key=None)
    assert calls.names == ["GetItem"]


def test_a_ping_that_read_the_cron_just_before_does_not_undo_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    cron_id = api.new_cron()
    real = crons.find_cron
    turned: list[Any] = []

    def read_and_then_turn(*args: str) -> Any:
        found = real(*args)
        if not turned:
            turned.append(turn(api, False))
        return found

    monkeypatch.setattr(crons, "find_cron", read_and_then_turn)

    assert api.post(f"/api/ping/{cron_id}", key=None).status == 404
    assert api.runs(cron_id) == []
    assert api.cron(cron_id)["status"] == "new"


def test_what_a_request_has_no_time_for_is_pending_and_done_by_the_tick(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = api.register(*({"name": f"job {number}", "schedule": None} for number in range(5)))
    real = keyless_signals.tell_crons
    monkeypatch.setattr(keyless_signals, "tell_crons", lambda org_id: real(org_id, 0.0))

    answer = turn(api, False)
    assert answer.json["keyless_signals_pending"] is True
    assert api.get(ORG).json["keyless_signals_pending"] is True
    monkeypatch.setattr(keyless_signals, "tell_crons", real)
    run_minute(clock.now)

    assert api.get(ORG).json["keyless_signals_pending"] is False
    assert {api.post(f"/api/ping/{cron_id}", key=None).status for cron_id in ids} == {404}


def test_a_request_that_is_sent_again_goes_on_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    cron_id = api.new_cron()
    real = keyless_signals.tell_crons
    monkeypatch.setattr(keyless_signals, "tell_crons", lambda _org_id: False)
    turn(api, False)
    monkeypatch.setattr(keyless_signals, "tell_crons", real)

    assert turn(api, False).json["keyless_signals_pending"] is False
    assert api.post(f"/api/ping/{cron_id}", key=None).status == 404


def test_a_cron_that_is_made_at_that_very_moment_learns_of_it_within_minutes(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = orgs.find_org
    turned: list[Any] = []

    def read_and_then_turn(org_id: str) -> Any:
        found = real(org_id)
        if not turned:
            turned.append(None)
            turn(api, False)
        return found

    with monkeypatch.context() as racing:
        racing.setattr(orgs, "find_org", read_and_then_turn)
        cron_id = api.new_cron(None)
    assert api.post(f"/api/ping/{cron_id}", key=None).status == 200

    clock.pass_by(minutes=1)
    run_minute(clock.now)

    assert api.post(f"/api/ping/{cron_id}", key=None).status == 404
    assert keyless.noted()
    clock.pass_by(minutes=1)
    run_minute(clock.now)
    assert keyless.noted() == []


def test_one_org_in_trouble_holds_up_neither_the_others_nor_the_tick(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.domain.errors import Unavailable

    cron_id = api.new_cron()
    real = keyless_signals.tell_crons
    monkeypatch.setattr(keyless_signals, "tell_crons", lambda _org_id: False)
    turn(api, False)
    broken = "0" * 12
    keyless.note(OrgMoment(broken, clock.now))

    def tell(org_id: str, budget: float) -> bool:
        if org_id == broken:
            raise Unavailable("the store does not answer")
        return real(org_id, budget)

    monkeypatch.setattr(keyless_signals, "tell_crons", tell)

    run_minute(clock.now)

    assert api.post(f"/api/ping/{cron_id}", key=None).status == 404


def test_the_last_of_two_changes_counts(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron(None)
    turn(api, False)
    clock.pass_by(seconds=1)
    turn(api, True)
    for _ in range(4):
        clock.pass_by(minutes=1)
        run_minute(clock.now)

    assert api.post(f"/api/ping/{cron_id}", key=None).status == 200
    assert keyless.noted() == []
