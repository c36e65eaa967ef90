"""Dependencies through the API, and by register."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pynamodb.connection import Connection

from chalicelib.domain.errors import Conflict
from chalicelib.domain.ids import org_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.dependencies import cycle
from chalicelib.services import crons as cron_service
from chalicelib.services import dependencies as service
from chalicelib.store import commits, crons, dependencies
from tests.api.client import Answer, Api, Clock

UNKNOWN_SPELLINGS = ["nothing", "00000000-0000-8000-8000-000000000000", "", "é", "a" * 200]


def new_crons(api: Api, *names: str, **settings: Any) -> list[str]:
    return api.register(*({"name": name, "schedule": "0 2 * * *", **settings} for name in names))


def add(api: Api, cron_id: str, depends_on_id: Any, **options: Any) -> Answer:
    return api.post(f"/api/crons/{cron_id}/dependencies", {"depends_on_id": depends_on_id}, **options)


def of(api: Api, cron_id: str) -> Any:
    answer = api.get(f"/api/crons/{cron_id}/dependencies")
    assert answer.status == 200, answer.text
    return answer.json


def names(api: Api, cron_id: str) -> tuple[list[str], list[str]]:
    """What it depends on, and what depends on it."""
    both = of(api, cron_id)
    return [one["name"] for one in both["dependencies"]], [one["name"] for one in both["dependants"]]


def loaded(cron_id: str) -> Cron:
    cron = crons.find_cron(org_of(cron_id) or "", cron_id)
    assert cron is not None
    return cron


def registered(api: Api, *given: dict[str, Any], **more: Any) -> Answer:
    body = {"product": "shop", "service": "nightly", "crons": list(given), **more}
    return api.post("/api/crons/register", body)


def spec(name: str, *depends_on: str) -> dict[str, Any]:
    return {"name": name, "schedule": "0 2 * * *", "depends_on": list(depends_on)}


def results(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text
    return [one["result"] for one in answer.json["crons"]]


class Calls(list[str]):
    """The operations that were sent to the store."""


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    calls = Calls()
    dispatch = Connection.dispatch

    def record(self: Connection, operation: str, *args: Any, **kwargs: Any) -> Any:
        calls.append(operation)
        return dispatch(self, operation, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "dispatch", record)
        yield calls


def test_a_dependency_is_seen_from_both_ends(api: Api, clock: Clock) -> None:
    backup, report = new_crons(api, "backup", "report")
    answer = add(api, report, backup)

    shown = {
        "id": backup,
        "name": "backup",
        "product": "shop",
        "service": "nightly",
        "status": "new",
        "completed": False,
        "reason": "never_ran",
    }
    assert (answer.status, answer.json) == (201, shown)
    assert of(api, report) == {"dependencies": [shown], "dependants": []}
    seen_from_backup = of(api, backup)
    assert seen_from_backup["dependencies"] == []
    assert seen_from_backup["dependants"] == [
        {"id": report, "name": "report", "product": "shop", "service": "nightly", "status": "new"}
    ]


def test_a_dependency_says_whether_it_is_completed(api: Api, clock: Clock) -> None:
    backup, report = new_crons(api, "backup", "report")
    add(api, report, backup)
    seen = []

    def look() -> None:
        one = of(api, report)["dependencies"][0]
        seen.append((one["completed"], one["reason"]))

    api.start(backup)
    look()
    api.heartbeat(backup)
    look()
    clock.at("2026-03-11T02:00:00")
    look()
    api.heartbeat(backup, "failure")
    look()

    assert seen == [
        (False, "running"),
        (True, None),
        (False, "not_run_since_its_last_occurrence"),
        (False, "failed"),
    ]


def test_adding_again_changes_nothing(api: Api) -> None:
    backup, report = new_crons(api, "backup", "report")
    add(api, report, backup)
    version = loaded(report).version

    assert add(api, report, backup).status == 200
    assert loaded(report).version == version
    assert names(api, report) == (["backup"], [])


def test_a_removed_dependency_is_gone_from_both_ends(api: Api) -> None:
    backup, report = new_crons(api, "backup", "report")
    add(api, report, backup)
    path = f"/api/crons/{report}/dependencies/{backup}"

    assert [api.delete(path).status, api.delete(path).status] == [204, 404]
    assert [names(api, report), names(api, backup)] == [([], []), ([], [])]
    # The other way round is no cycle any more.
    assert add(api, backup, report).status == 201


def test_without_dependencies_nothing_blocks_a_cron(api: Api) -> None:
    backup, report = new_crons(api, "backup", "report")
    add(api, report, backup)
    cron = loaded(report)
    commits.commit_many([(cron, Decision(cron._replace(is_blocked=True)))])
    api.delete(f"/api/crons/{report}/dependencies/{backup}")

    assert loaded(report).is_blocked is False


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "depends_on_id"), ({"depends_on_id": None}, "depends_on_id"), ({"depends_on_id": 5}, "depends_on_id")],
)
def test_a_bad_body_is_refused_by_field(api: Api, body: Any, field: str) -> None:
    answer = api.post(f"/api/crons/{api.new_cron()}/dependencies", body)

    assert (answer.status, answer.wrong_fields) == (422, [field])


def test_an_unknown_field_is_refused(api: Api) -> None:
    body = {"depends_on_id": "x", "id": "y"}

    assert api.post(f"/api/crons/{api.new_cron()}/dependencies", body).wrong_fields == ["id"]


def test_a_cron_does_not_depend_on_itself_or_on_an_archived_one(api: Api) -> None:
    backup, report = new_crons(api, "backup", "report")
    registered(api, spec("report"), prune=True)

    for depends_on in (report, backup):
        answer = add(api, report, depends_on)
        assert (answer.status, answer.wrong_fields) == (422, ["depends_on_id"])
    # Nor does an archived one get to depend on anything.
    assert add(api, backup, report).status == 409


@pytest.mark.parametrize("unknown", UNKNOWN_SPELLINGS)
def test_unknown_crons(api: Api, unknown: str) -> None:
    cron_id = api.new_cron()

    assert add(api, cron_id, unknown).status == 404
    if unknown:
        assert add(api, unknown, cron_id).status == 404
        assert api.get(f"/api/crons/{unknown}/dependencies").status == 404
        assert api.delete(f"/api/crons/{unknown}/dependencies/{cron_id}").status == 404
        assert api.delete(f"/api/crons/{cron_id}/dependencies/{unknown}").status == 404


def test_another_orgs_crons_are_unknown(api: Api) -> None:
    backup, report = new_crons(api, "backup", "report")
    add(api, report, backup)
    api.key = api.new_org("other")
    own = api.new_cron()

    assert [add(api, own, backup).status, add(api, backup, own).status] == [404, 404]
    assert add(api, report, backup).status == 404
    assert api.get(f"/api/crons/{report}/dependencies").status == 404
    assert api.delete(f"/api/crons/{report}/dependencies/{backup}").status == 404
    answer = registered(api, spec("x", backup))
    assert (answer.status, answer.wrong_fields) == (422, ["crons[0].depends_on[0]"])


def test_only_who_may_change_things_adds_dependencies(api: Api) -> None:
    backup, report = new_crons(api, "backup", "report")

    def statuses(key: str | None) -> list[int]:
        return [
            add(api, report, backup, key=key).status,
            api.get(f"/api/crons/{report}/dependencies", key=key).status,
            api.delete(f"/api/crons/{report}/dependencies/{backup}", key=key).status,
        ]

    assert statuses(api.new_key("read")) == [403, 200, 403]
    assert statuses(api.new_key("ingest")) == [403, 403, 403]
    assert statuses(None) == [401, 401, 401]


def test_a_cycle_is_refused_and_told_by_name(api: Api) -> None:
    a, b, c = new_crons(api, "a", "b", "c")
    add(api, b, a)
    add(api, c, b)
    answer = add(api, a, c)

    assert answer.status == 409
    assert answer.json["detail"].endswith("a → c → b → a")
    assert names(api, a) == ([], ["b"])


def test_a_cron_depends_on_fifty_others_at_most(api: Api) -> None:
    many = new_crons(api, *(f"c{number}" for number in range(51)))
    last = api.register(spec("last", *many[:49]))[0]

    assert add(api, last, many[49]).status == 201
    assert add(api, last, many[50]).status == 409
    # What is gone makes room.
    dependencies_before = loaded(last).depends_on
    api.delete(f"/api/crons/{many[0]}")
    assert add(api, last, many[50]).status == 201
    assert loaded(last).depends_on == (*dependencies_before[1:], many[50])


def test_an_archived_dependency_is_out_of_sight_until_it_is_back(api: Api) -> None:
    backup, report = new_crons(api, "backup", "report")
    add(api, report, backup)
    registered(api, {"name": "report", "schedule": "0 2 * * *"}, prune=True)
    while_archived = names(api, report)
    new_crons(api, "backup")

    assert while_archived == ([], [])
    assert names(api, report) == (["backup"], [])


def test_deleting_a_cron_removes_its_edges_both_ways(api: Api) -> None:
    a, b, c = new_crons(api, "a", "b", "c")
    add(api, b, a)
    add(api, c, b)
    org_id = loaded(a).org_id

    assert api.delete(f"/api/crons/{b}").status == 204
    assert [names(api, a), names(api, c)] == [([], []), ([], [])]
    assert loaded(c).depends_on == ()
    assert dependencies.graph_of_org(org_id).edges == {}
    assert add(api, a, c).status == 201


def test_a_delete_that_is_cut_off_is_done_when_it_is_made_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = new_crons(api, "a", "b")
    add(api, b, a)

    def break_off(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(cron_service, "delete_cron", break_off)
        assert api.delete(f"/api/crons/{a}").status == 500
    assert loaded(a)
    assert api.delete(f"/api/crons/{a}").status == 204
    assert loaded(b).depends_on == ()


def test_an_id_that_stayed_behind_is_harmless(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, c = new_crons(api, "a", "b", "c")
    add(api, b, a)
    with monkeypatch.context() as patch:
        patch.setattr(cron_service, "release_dependants", lambda _: None)
        api.delete(f"/api/crons/{a}")

    assert loaded(b).depends_on == (a,)
    assert names(api, b) == ([], [])
    assert add(api, b, c).status == 201
    assert results(registered(api, spec("b", "c"))) == ["updated"]
    assert loaded(b).depends_on == (c,)


def test_of_two_adds_at_once_one_finds_the_cycle(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = new_crons(api, "a", "b")
    commit, others = commits.commit_many, [(b, a)]

    def commit_after_another(*args: Any) -> Any:
        if others:
            assert add(api, *others.pop()).status == 201
        return commit(*args)

    monkeypatch.setattr(service, "commit_many", commit_after_another)

    assert add(api, a, b).status == 409
    assert [names(api, a), names(api, b)] == [([], ["b"]), (["a"], [])]


def test_an_add_and_a_register_at_once_make_no_cycle(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = new_crons(api, "a", "b")
    commit, others = commits.commit_many, [spec("b", "a")]

    def commit_after_another(*args: Any) -> Any:
        if others:
            assert results(registered(api, others.pop())) == ["updated"]
        return commit(*args)

    monkeypatch.setattr(service, "commit_many", commit_after_another)

    assert add(api, a, b).status == 409


def test_many_adds_at_once_make_no_cycle(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = new_crons(api, *(f"c{number}" for number in range(6)))
    org_id = loaded(ring[0]).org_id
    monkeypatch.setattr("time.sleep", lambda _: None)
    one_at_a_time = threading.Lock()  # the emulated store's transactions are not
    dispatch = Connection.dispatch

    def in_turn(self: Connection, *args: Any, **kwargs: Any) -> Any:
        with one_at_a_time:
            return dispatch(self, *args, **kwargs)

    monkeypatch.setattr(Connection, "dispatch", in_turn)
    together = threading.Barrier(len(ring))

    def add_one(place: int) -> None:
        together.wait()
        try:
            service.add(org_id, ring[place], ring[(place + 1) % len(ring)])
        except Conflict:
            refused.append(place)

    refused: list[int] = []
    threads = [threading.Thread(target=add_one, args=(place,)) for place in range(len(ring))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 1
    assert sum(map(len, dependencies.graph_of_org(org_id).edges.values())) == len(ring) - 1


def test_register_takes_names_and_ids(api: Api) -> None:
    other = api.register({"name": "elsewhere", "schedule": None}, service="daily")[0]
    earlier = new_crons(api, "earlier")[0]
    answer = registered(api, spec("report", "backup", "earlier", other, earlier), spec("backup"))

    assert results(answer) == ["created", "created"]
    report, backup = (one["id"] for one in answer.json["crons"])
    assert loaded(report).depends_on == (backup, earlier, other)
    assert names(api, backup) == ([], ["report"])


def test_registering_the_same_dependencies_again_is_unchanged(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = new_crons(api, "outside")[0]
    body = [spec("first"), *(spec(f"c{number}", "first", "outside", outside) for number in range(49))]
    registered(api, *body)
    with counted(monkeypatch) as calls:
        answer = registered(api, *body)
    turned = [one | {"depends_on": one["depends_on"][::-1]} for one in body]

    assert set(results(answer)) == {"unchanged"}
    assert sorted(calls) == ["BatchGetItem", "BatchGetItem"]
    assert set(results(registered(api, *turned))) == {"unchanged"}


def test_dependencies_that_are_left_out_stay_and_null_or_none_are_none(api: Api) -> None:
    registered(api, spec("backup"), spec("report", "backup"))
    seen = []
    given: dict[str, Any]
    for given in ({}, {"depends_on": None}, {"depends_on": ["backup"]}, {"depends_on": []}):
        answer = registered(api, {"name": "report", "schedule": "0 2 * * *", **given})
        seen.append((results(answer), len(loaded(answer.json["crons"][0]["id"]).depends_on)))

    assert seen == [(["unchanged"], 1), (["updated"], 0), (["updated"], 1), (["updated"], 0)]


def test_bad_dependencies_are_refused_by_place_and_nothing_is_changed(api: Api) -> None:
    new_crons(api, "old", "kept")
    archived = registered(api, {"name": "kept", "schedule": "0 2 * * *"}, prune=True).json["archived"][0]
    answer = registered(
        api,
        spec("kept", "nobody", "new"),
        spec("new", "kept", "new", "old", archived, "00000000-0000-8000-8000-000000000000"),
    )

    assert answer.status == 422
    assert answer.wrong_fields == [
        "crons[0].depends_on[0]",
        "crons[1].depends_on[1]",
        "crons[1].depends_on[2]",
        "crons[1].depends_on[3]",
        "crons[1].depends_on[4]",
    ]
    assert [one["name"] for one in api.get("/api/crons").json["crons"]] == ["kept"]


def test_a_cron_does_not_depend_on_what_the_same_call_archives(api: Api) -> None:
    new_crons(api, "old", "kept")
    answer = registered(api, spec("kept", "old"), prune=True)

    assert (answer.status, answer.wrong_fields) == (422, ["crons[0].depends_on[0]"])
    assert len(api.get("/api/crons").json["crons"]) == 2


@pytest.mark.parametrize("given", ["backup", [5], [""], {"a": 1}])
def test_dependencies_of_a_wrong_kind_are_refused(api: Api, given: Any) -> None:
    answer = registered(api, {**spec("report"), "depends_on": given})

    assert answer.status == 422
    assert answer.wrong_fields[0].startswith("crons[0].depends_on")


def test_a_cycle_by_register_is_refused_whole(api: Api) -> None:
    registered(api, spec("a"), spec("b", "a"))
    answer = registered(api, spec("new"), spec("a", "b"))

    assert answer.status == 409
    assert answer.json["detail"].endswith("a → b → a")
    assert len(api.get("/api/crons").json["crons"]) == 2


def test_new_crons_that_wait_for_each_other_are_refused(api: Api) -> None:
    assert registered(api, spec("a", "b"), spec("b", "c"), spec("c", "a")).status == 409
    assert api.get("/api/crons").json["crons"] == []


def test_a_call_may_turn_a_dependency_round(api: Api) -> None:
    registered(api, spec("a"), spec("b", "a"))
    answer = registered(api, spec("a", "b"), spec("b"))

    assert results(answer) == ["updated", "updated"]
    assert names(api, answer.json["crons"][0]["id"]) == (["b"], [])


def test_more_than_fifty_by_register_are_refused(api: Api) -> None:
    many = [f"c{number}" for number in range(51)]
    new_crons(api, *many)

    assert registered(api, spec("last", *many)).status == 409
    assert results(registered(api, spec("last", *many[:50], *many[:50]))) == ["created"]


def test_dependencies_too_many_for_one_transaction(api: Api) -> None:
    old, new = [f"o{number}" for number in range(50)], [f"n{number}" for number in range(50)]
    new_crons(api, *old, *new)
    last = registered(api, spec("last", *old), spec("also", *old)).json["crons"][0]["id"]
    answer = registered(api, spec("last", *new), spec("also", *old[:25], *new[:25]), spec("third", *new))

    assert results(answer) == ["updated", "updated", "created"]
    found, dependants = names(api, last)
    assert (sorted(found), dependants) == (sorted(new), [])
    edges = dependencies.graph_of_org(loaded(last).org_id).edges
    assert {cron_id: set(of_cron) for cron_id, of_cron in edges.items()} == {
        one["id"]: set(loaded(one["id"]).depends_on) for one in answer.json["crons"]
    }


def test_a_great_call_that_turns_everything_round_never_holds_a_cycle(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = [f"c{number}" for number in range(60)]
    forth = [spec(name, *chain[place + 1 : place + 3]) for place, name in enumerate(chain)]
    back = [spec(name, *chain[max(0, place - 2) : place]) for place, name in enumerate(chain)]
    assert set(results(registered(api, *forth))) == {"created"}
    org_id = loaded(registered(api, *forth).json["crons"][0]["id"]).org_id
    in_between = []
    save = dependencies.move_graph_on

    def look(*args: Any) -> None:
        in_between.append(cycle({}, dependencies.graph_of_org(org_id).edges))
        save(*args)

    monkeypatch.setattr(commits, "move_graph_on", look)

    assert set(results(registered(api, *back))) == {"updated"}
    assert len(in_between) > 1
    assert set(in_between) == {None}
    assert set(results(registered(api, *back))) == {"unchanged"}


def test_what_an_overview_costs(api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, a, b, c = new_crons(api, "alone", "a", "b", "c")
    add(api, b, a)
    add(api, c, b)

    with counted(monkeypatch) as of_alone:
        service.overview(loaded(alone), clock.now)
    with counted(monkeypatch) as of_b:
        service.overview(loaded(b), clock.now)

    assert of_alone == ["GetItem", "Query"]
    assert of_b == ["GetItem", "Query", "BatchGetItem"]
