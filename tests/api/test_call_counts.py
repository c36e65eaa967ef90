"""What each request costs in calls of the store: counted, not guessed."""

import pytest

from chalicelib.domain import ids
from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.cron import Settings
from chalicelib.services.evaluate import run_tick
from chalicelib.services.notify import send_due
from chalicelib.store import api_keys
from chalicelib.store.cron_codec import to_item
from chalicelib.store.tables import CronItem
from tests.api.client import Api, Clock
from tests.api.conftest import Calls


def test_the_counting_counts(api: Api, calls: Calls) -> None:
    api.get("/api/orgs/mon-org")
    assert calls.names == ["GetItem", "UpdateItem", "GetItem"]  # its key, its first use, itself
    calls.clear()

    api.get("/api/orgs/mon-org")

    assert calls.names == ["GetItem"]  # itself: its key is remembered


@pytest.mark.parametrize("kind", ["ping", "start"])
def test_a_ping_and_a_start_are_two_calls(api: Api, clock: Clock, calls: Calls, kind: str) -> None:
    cron_id = api.new_cron()
    calls.clear()

    for method in ("POST", "GET"):
        assert api.call(method, f"/api/{kind}/{cron_id}", key=None).status == 200
        clock.pass_by(minutes=2)

    assert calls.names == ["GetItem", "TransactWriteItems"] * 2


def test_a_retried_ping_is_two_reads_and_no_write(api: Api, calls: Calls) -> None:
    cron_id = api.new_cron()
    api.post(f"/api/ping/{cron_id}", key=None)
    calls.clear()

    assert api.post(f"/api/ping/{cron_id}", key=None).status == 200

    assert calls.names == ["GetItem", "GetItem"]  # the cron, the run it is answered with


def test_a_heartbeat_is_three_calls_with_a_cold_key_and_two_with_a_known_one(
    api: Api, clock: Clock, calls: Calls
) -> None:
    cron_id = api.new_cron()
    api_keys.forget_keys()
    calls.clear()

    api.heartbeat(cron_id)
    cold = list(calls.names)
    calls.clear()
    clock.pass_by(seconds=20)
    api.heartbeat(cron_id, message="another")

    assert cold == ["GetItem", "GetItem", "TransactWriteItems"]
    assert calls.names == ["GetItem", "TransactWriteItems"]


def test_a_keyed_start_and_its_end_are_two_calls_each(api: Api, calls: Calls) -> None:
    cron_id = api.new_cron()
    calls.clear()

    api.start(cron_id, run_id="a")
    api.heartbeat(cron_id, run_id="a")

    assert calls.names == ["GetItem", "TransactWriteItems"] * 2


def test_registering_fifty_known_crons_is_at_most_three_calls(api: Api, calls: Calls) -> None:
    crons = [{"name": f"job {n}", "schedule": "0 2 * * *"} for n in range(50)]
    api.register(*crons)
    api_keys.forget_keys()
    calls.clear()

    answer = api.post("/api/crons/register", {"product": "shop", "service": "nightly", "crons": crons})

    assert {cron["result"] for cron in answer.json["crons"]} == {"unchanged"}
    assert len(calls) <= 3, calls.names


def test_a_list_of_a_thousand_reads_each_cron_once_and_no_index(api: Api, clock: Clock, calls: Calls) -> None:
    org_id = api.get("/api/orgs/mon-org").json["id"]
    with CronItem.batch_write() as batch:
        for number in range(1000):
            cron_id = ids.cron_id(org_id, number.to_bytes(10, "big"))
            names = ("shop", "many", f"job {number}")
            cron = on_request.create(cron_id, on_request.CronNames(*names), Settings("0 2 * * *"), clock.now)
            batch.save(to_item(cron._replace(version=1)))
    calls.clear()

    found, cursor = [], None
    for _ in range(4):
        page = api.get("/api/crons", limit=250, **({"cursor": cursor} if cursor else {})).json
        found += [cron["id"] for cron in page["crons"]]
        cursor = page["next_cursor"]

    assert cursor is None
    assert len(found) == len(set(found)) == 1000
    assert all("IndexName" not in parameters for _, parameters in calls)
    of_crons = [name for name, parameters in calls if parameters.get("TableName", "").endswith("-crons")]
    assert len(of_crons) <= 5, calls.names


def test_a_cron_is_found_by_its_names_without_reading_the_others(api: Api, calls: Calls) -> None:
    ids = api.register(*({"name": f"job {number}", "schedule": None} for number in range(50)))
    calls.clear()

    found = api.get("/api/crons", product="shop", service="nightly", name="job 7").json

    assert ([cron["id"] for cron in found["crons"]], found["next_cursor"]) == ([ids[7]], None)
    of_crons = [parameters["RequestItems"] for name, parameters in calls if name == "BatchGetItem"]
    assert [len(items[table]["Keys"]) for items in of_crons for table in items] == [1, 1]
    assert api.get("/api/crons", product="shop", service="nightly", name="job 70").json["crons"] == []
    assert [cron["id"] for cron in api.get("/api/crons", name="job 7").json["crons"]] == [ids[7]]


def test_rare_runs_are_found_among_many_in_one_query(api: Api, calls: Calls) -> None:
    cron_id = api.new_cron(None)
    api.heartbeat(cron_id, "failure")
    for _ in range(20):
        api.heartbeat(cron_id)
    calls.clear()

    [found] = api.runs(cron_id, status="failed", limit=1)

    assert found["status"] == "failed"
    assert calls.names.count("Query") == 1, calls.names


def test_details_are_at_most_six_calls(api: Api, calls: Calls) -> None:
    first, middle, last = api.register(*({"name": name, "schedule": "@daily"} for name in "abc"))
    for cron_id, depends_on in ((middle, first), (last, middle)):
        api.post(f"/api/crons/{cron_id}/dependencies", {"depends_on_id": depends_on})
    api.post(f"/api/fail/{middle}", key=None)
    calls.clear()

    details = api.cron(middle)

    assert len(details["dependencies"]) == len(details["dependants"]) == 1
    assert len(calls) <= 6, calls.names


def test_dependencies_cost_a_start_one_read_and_nothing_without_them(api: Api, calls: Calls) -> None:
    first, second = api.register({"name": "a", "schedule": None}, {"name": "b", "schedule": None})
    api.heartbeat(first)
    api.post(f"/api/crons/{second}/dependencies", {"depends_on_id": first})
    calls.clear()

    api.start(second)
    with_one = list(calls.names)
    calls.clear()
    api.start(first)

    assert with_one == ["GetItem", "BatchGetItem", "TransactWriteItems"]
    assert calls.names == ["GetItem", "TransactWriteItems"]


@pytest.mark.parametrize("number", [0, 60])
def test_a_tick_with_nothing_due_is_sixteen_queries(api: Api, clock: Clock, calls: Calls, number: int) -> None:
    if number:
        api.register(*({"name": f"job {n}", "schedule": "0 2 * * *"} for n in range(number)))
    calls.clear()

    report = run_tick(clock.now)

    assert report.looked_at == 0
    assert calls.names == ["Query"] * 16
    assert all(parameters["IndexName"] == "due" for _, parameters in calls)


def test_an_empty_outbox_is_a_query_a_shard(api: Api, clock: Clock, calls: Calls) -> None:
    calls.clear()

    send_due(clock.now)

    assert calls.names == ["Query"] * 4


def test_the_first_ping_of_a_new_day_writes_one_item_more(api: Api, clock: Clock, calls: Calls) -> None:
    cron_id = api.new_cron(schedule=None)

    def items_of_a_ping() -> int:
        clock.pass_by(seconds=6)
        calls.clear()
        api.post(f"/api/ping/{cron_id}", key=None)
        assert calls.names == ["GetItem", "TransactWriteItems"]
        return len(calls[1][1]["TransactItems"])

    of_a_day = [items_of_a_ping(), items_of_a_ping()]
    clock.pass_by(days=1)

    # The very first also moves the count of crons that are up.
    assert of_a_day == [3, 2]
    assert [items_of_a_ping(), items_of_a_ping()] == [3, 2]
