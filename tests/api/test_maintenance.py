"""Maintenance windows through the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.errors import ConcurrentUpdate
from chalicelib.domain.ids import org_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.maintenance import MaintenanceWindow
from chalicelib.services import maintenance
from chalicelib.store import crons
from chalicelib.store import maintenance as stored
from chalicelib.store.commits import commit_many
from tests.api.client import Answer, Api, Clock

DEPLOY = {"name": "Deploy v2", "starts_at": "2026-03-10T13:00:00Z", "ends_at": "2026-03-10T14:00:00Z"}
NIGHTLY = {"name": "Backups", "schedule": "0 2 * * *", "duration_minutes": 60}
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV".lower()


def made(api: Api, *shapes: dict[str, Any], **more: Any) -> Any:
    body = {key: value for shape in shapes for key, value in shape.items()} | more
    answer = api.post("/api/maintenance", body)
    assert answer.status == 201, answer.text
    return answer.json


def listed(api: Api, **query: Any) -> list[str]:
    answer = api.get("/api/maintenance", **query)
    assert answer.status == 200, answer.text
    return [window["name"] for window in answer.json["maintenance"]]


def test_a_window_that_comes_once(api: Api, clock: Clock) -> None:
    window = made(api, DEPLOY)

    assert window == {
        "id": window["id"],
        "name": "Deploy v2",
        "starts_at": "2026-03-10T13:00:00Z",
        "ends_at": "2026-03-10T14:00:00Z",
        "schedule": None,
        "timezone": "UTC",
        "duration_minutes": None,
        "product": None,
        "service": None,
        "project_id": None,
        "tags": None,
        "cron_ids": None,
        "active": False,
        "next_starts_at": "2026-03-10T13:00:00Z",
        "next_ends_at": "2026-03-10T14:00:00Z",
        "created_at": "2026-03-10T12:00:00Z",
    }
    assert api.get(f"/api/maintenance/{window['id']}").json == window


def test_a_window_is_active_from_its_start_until_just_before_its_end(api: Api, clock: Clock) -> None:
    path = f"/api/maintenance/{made(api, DEPLOY)['id']}"
    seen = []
    for time in ("12:59:59", "13:00:00", "13:59:59", "14:00:00"):
        clock.at(time)
        shown = api.get(path).json
        seen.append((shown["active"], shown["next_starts_at"], shown["next_ends_at"]))

    ends = DEPLOY["ends_at"]
    assert seen == [
        (False, DEPLOY["starts_at"], ends),
        (True, None, ends),
        (True, None, ends),
        (False, None, None),
    ]


def test_a_window_may_be_over_already(api: Api) -> None:
    window = made(api, DEPLOY, starts_at="2026-02-17T02:00:00Z", ends_at="2026-02-17T03:00:00Z")

    assert (window["active"], window["next_starts_at"], window["next_ends_at"]) == (False, None, None)


def test_a_repeating_window_says_when_it_ends_and_comes_again(api: Api, clock: Clock) -> None:
    window = made(api, NIGHTLY, timezone="Europe/Paris")
    clock.at("2026-03-11T01:30:00")
    shown = api.get(f"/api/maintenance/{window['id']}").json

    assert (window["active"], window["next_starts_at"], window["next_ends_at"]) == (
        False,
        "2026-03-11T01:00:00Z",
        "2026-03-11T02:00:00Z",
    )
    assert (shown["active"], shown["next_starts_at"], shown["next_ends_at"]) == (
        True,
        "2026-03-12T01:00:00Z",
        "2026-03-11T02:00:00Z",
    )


def test_a_window_keeps_its_scope(api: Api) -> None:
    cron_id = api.new_cron()
    project = api.post("/api/projects", {"name": "p1"}).json["id"]
    scope = {
        "product": "shop",
        "service": "nightly",
        "project_id": project,
        "tags": ["db", "eu"],
        "cron_ids": [cron_id],
    }
    window = made(api, DEPLOY, scope, tags=["db", "eu", "db"])

    assert {name: window[name] for name in scope} == scope


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"starts_at": None}, "starts_at"),
        ({"ends_at": None}, "ends_at"),
        ({"starts_at": None, "ends_at": None}, "starts_at"),
        ({"ends_at": DEPLOY["starts_at"]}, "ends_at"),
        ({"ends_at": "2026-03-10T12:59:59Z"}, "ends_at"),
        ({"ends_at": "2026-06-08T13:00:01Z"}, "ends_at"),
        ({"ends_at": "2026-03-10 14:00"}, "ends_at"),
        ({"starts_at": 5}, "starts_at"),
        ({"duration_minutes": 60}, "duration_minutes"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"product": ""}, "product"),
        ({"service": 7}, "service"),
        ({"project_id": []}, "project_id"),
        ({"tags": []}, "tags"),
        ({"tags": ["ok", ""]}, "tags[1]"),
        ({"tags": [f"t{n}" for n in range(21)]}, "tags"),
        ({"cron_ids": []}, "cron_ids"),
        ({"cron_ids": ["nothing"] * 101}, "cron_ids"),
        ({"cron_ids": [None]}, "cron_ids[0]"),
        ({"cron_ids": ["nothing"]}, "cron_ids[0]"),
        ({"scope": {"product": "shop"}}, "scope"),
        ({"schedule": "0 2 * * *", "duration_minutes": None}, "duration_minutes"),
        ({"schedule": "61 2 * * *", "duration_minutes": 5}, "schedule"),
        ({"schedule": "0 2 * * *", "duration_minutes": 0}, "duration_minutes"),
        ({"schedule": "0 2 * * *", "duration_minutes": 129601}, "duration_minutes"),
        ({"schedule": "0 2 * * *", "duration_minutes": 5, "ends_at": DEPLOY["starts_at"]}, "ends_at"),
        (
            {"schedule": "0 2 * * *", "duration_minutes": 5, "starts_at": None, "ends_at": "2026-03-10T12:00:00Z"},
            "ends_at",
        ),
    ],
)
def test_a_window_that_makes_no_sense_is_refused_by_field(api: Api, change: dict[str, Any], field: str) -> None:
    refused = api.post("/api/maintenance", DEPLOY | change)
    existing = made(api, DEPLOY)
    unchanged = api.patch(f"/api/maintenance/{existing['id']}", change)

    assert (refused.status, refused.wrong_fields) == (422, [field])
    assert (unchanged.status, unchanged.wrong_fields) == (422, [field])
    assert api.get("/api/maintenance").json["maintenance"] == [existing]


def test_the_longest_windows(api: Api) -> None:
    assert made(api, DEPLOY, ends_at="2026-06-08T13:00:00Z")
    assert made(api, NIGHTLY, duration_minutes=129600)


def test_a_window_needs_a_name(api: Api) -> None:
    assert api.post("/api/maintenance", {**DEPLOY, "name": None}).wrong_fields == ["name"]
    assert api.post("/api/maintenance", {}).wrong_fields == ["name"]


def test_crons_of_a_window_are_of_its_org(api: Api) -> None:
    own = api.new_cron()
    first_key, api.key = api.key, api.new_org("other")
    strange = api.new_cron()
    api.key = first_key
    gone = api.register({"name": "gone", "schedule": None})[0]
    api.delete(f"/api/crons/{gone}")

    answer = api.post("/api/maintenance", {**DEPLOY, "cron_ids": [own, strange, gone]})

    assert (answer.status, answer.wrong_fields) == (422, ["cron_ids[1]", "cron_ids[2]"])


def test_a_change_changes_what_it_names(api: Api, clock: Clock) -> None:
    window = made(api, DEPLOY, product="shop", tags=["db"])
    answer = api.patch(
        f"/api/maintenance/{window['id']}",
        {"name": "Deploy v3", "product": None, "tags": None, "ends_at": "2026-03-10T13:30:00Z"},
    )

    assert answer.status == 200
    assert answer.json == window | {
        "name": "Deploy v3",
        "product": None,
        "tags": None,
        "ends_at": "2026-03-10T13:30:00Z",
        "next_ends_at": "2026-03-10T13:30:00Z",
    }
    assert api.get(f"/api/maintenance/{window['id']}").json == answer.json


def test_a_window_may_become_a_repeating_one_and_back(api: Api) -> None:
    path = f"/api/maintenance/{made(api, DEPLOY)['id']}"
    repeating = api.patch(path, {**NIGHTLY, "starts_at": None, "ends_at": None, "timezone": "Asia/Tokyo"})
    once = api.patch(path, {**DEPLOY, "schedule": None, "duration_minutes": None, "timezone": None})

    assert repeating.json["next_starts_at"] == "2026-03-10T17:00:00Z"
    assert (once.json["schedule"], once.json["timezone"], once.json["next_starts_at"]) == (
        None,
        "UTC",
        DEPLOY["starts_at"],
    )


def test_a_deleted_window_is_gone(api: Api) -> None:
    path = f"/api/maintenance/{made(api, DEPLOY)['id']}"

    assert api.delete(path).status == 204
    assert [api.get(path).status, api.patch(path, {"name": "x"}).status, api.delete(path).status] == [404] * 3
    assert listed(api) == []


def test_every_answer_about_a_cron_says_that_it_is_in_maintenance(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron()
    made(api, DEPLOY)
    clock.at("13:30:00")

    path = f"/api/crons/{cron_id}"
    shown = [api.patch(path, {"description": "x"}), api.get(path)]
    paused = api.post(f"{path}/pause")
    shown.append(api.post(f"{path}/resume"))

    assert {answer.json["status"] for answer in shown} == {"in_maintenance"}
    assert paused.json["status"] == "paused"


def test_windows_are_listed_in_pages_oldest_first(api: Api, clock: Clock) -> None:
    for number in range(5):
        made(api, DEPLOY, name=f"w{number}")
        clock.pass_by(seconds=1)
    pages: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.get("/api/maintenance", limit=2, **cursor).json
        pages.append([window["name"] for window in page["maintenance"]])
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert pages == [["w0", "w1"], ["w2", "w3"], ["w4"]]


def test_the_list_may_be_of_active_windows_or_of_the_others(api: Api, clock: Clock) -> None:
    made(api, DEPLOY)
    clock.pass_by(seconds=1)
    made(api, NIGHTLY)
    clock.at("13:00:00")

    assert listed(api, active="true") == ["Deploy v2"]
    assert listed(api, active="false") == ["Backups"]
    assert listed(api) == ["Deploy v2", "Backups"]


@pytest.mark.parametrize(
    ("field", "value"), [("active", "yes"), ("limit", "0"), ("cursor", "x"), ("product", "shop")]
)
def test_a_bad_query_is_refused_by_field(api: Api, field: str, value: str) -> None:
    answer = api.get("/api/maintenance", **{field: value})

    assert (answer.status, answer.wrong_fields) == (422, [field])


def test_another_orgs_window_is_unknown(api: Api) -> None:
    window = made(api, DEPLOY)
    api.key = api.new_org("other")
    path = f"/api/maintenance/{window['id']}"

    assert [api.get(path).status, api.patch(path, {"name": "x"}).status, api.delete(path).status] == [404] * 3
    assert listed(api) == []


@pytest.mark.parametrize("window_id", ["nothing", UNKNOWN, "é", "a" * 3000])
def test_an_unknown_window(api: Api, window_id: str) -> None:
    path = f"/api/maintenance/{window_id}"

    assert [api.get(path).status, api.patch(path, {"name": "x"}).status, api.delete(path).status] == [404] * 3


def test_only_who_may_change_things_makes_windows(api: Api) -> None:
    path = f"/api/maintenance/{made(api, DEPLOY)['id']}"
    read, ingest = api.new_key("read"), api.new_key("ingest")

    def calls(key: str | None) -> list[Answer]:
        return [
            api.get("/api/maintenance", key=key),
            api.get(path, key=key),
            api.post("/api/maintenance", DEPLOY, key=key),
            api.patch(path, {"name": "x"}, key=key),
            api.delete(path, key=key),
        ]

    assert [answer.status for answer in calls(read)] == [200, 200, 403, 403, 403]
    assert [answer.status for answer in calls(ingest)] == [403] * 5
    assert [answer.status for answer in calls(None)] == [401] * 5


def test_an_org_has_so_many_windows(api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "MOST_WINDOWS", 3)
    for number in range(3):
        made(api, DEPLOY, name=f"w{number}", ends_at=f"2026-03-10T14:0{2 - number}:00Z")
        clock.pass_by(seconds=1)

    assert api.post("/api/maintenance", NIGHTLY).status == 409
    assert listed(api) == ["w0", "w1", "w2"]
    # What is over makes room, the longest over first.
    clock.at("14:01:00")
    made(api, NIGHTLY)
    assert listed(api) == ["w0", "w1", "Backups"]


def test_two_changes_at_once_both_hold(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    window = made(api, DEPLOY)
    save, others = stored.save_window, [{"product": "shop"}]

    def save_after_another(changed: Any) -> Any:
        if others:
            api.patch(f"/api/maintenance/{window['id']}", others.pop())
        return save(changed)

    monkeypatch.setattr(stored, "save_window", save_after_another)
    answer = api.patch(f"/api/maintenance/{window['id']}", {"name": "Deploy v3"})

    assert (answer.json["name"], answer.json["product"]) == ("Deploy v3", "shop")


def test_a_window_that_always_loses_its_race_is_unavailable(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    window = made(api, DEPLOY)

    def lose(_: Any) -> Any:
        raise ConcurrentUpdate

    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(stored, "save_window", lose)

    assert api.patch(f"/api/maintenance/{window['id']}", {"name": "x"}).status == 503


def held(api: Api, clock: Clock) -> str:
    """A cron of whose trouble maintenance holds the news, for five hours."""
    cron_id = api.new_cron()
    cron = loaded(cron_id)
    commit_many([(cron, Decision(cron._replace(held_until=clock.now + timedelta(hours=5))))])
    return cron_id


def loaded(cron_id: str) -> Cron:
    cron = crons.find_cron(org_of(cron_id) or "", cron_id)
    assert cron is not None
    return cron


def due(now: datetime) -> list[str]:
    return [cron_id for shard in range(16) for _, cron_id in crons.due_crons(shard, now)]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_what_a_window_held_is_looked_at_again_when_it_changes(api: Api, clock: Clock, method: str) -> None:
    window = made(api, DEPLOY)
    cron_id = held(api, clock)
    api.register({"name": "healthy", "schedule": "0 2 * * *"})
    before = due(clock.now)

    body = {"name": "Deploy v3"} if method == "PATCH" else None
    answer = api.call(method, f"/api/maintenance/{window['id']}", body)

    assert answer.status < 300
    assert before == []
    assert due(clock.now) == [cron_id]


def test_a_delete_that_was_cut_off_is_done_when_it_is_made_again(api: Api, clock: Clock) -> None:
    window = made(api, DEPLOY)
    cron_id = held(api, clock)
    stored.delete_window(loaded(cron_id).org_id, window["id"])

    assert api.delete(f"/api/maintenance/{window['id']}").status == 404
    assert due(clock.now) == [cron_id]


def test_a_new_window_comes_back_from_the_store_as_it_was(store: None) -> None:
    at = datetime(2026, 3, 10, 12, tzinfo=UTC)
    kept = stored.save_window(
        MaintenanceWindow(
            org_id="00112233aabb",
            id=UNKNOWN,
            name="n",
            created_at=at,
            starts_at=at,
            schedule="@every 1h",
            timezone="Europe/Paris",
            duration_minutes=5,
            tags=("a",),
            cron_ids=("b", "c"),
        )
    )

    assert stored.maintenance_windows_of_org("00112233aabb") == [kept]
    assert stored.find_window("00112233aabb", UNKNOWN) == kept
