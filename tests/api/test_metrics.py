"""An org's crons as Prometheus reads them, and counted by status."""

import re
from typing import Any

from tests.api.client import Api, Clock
from tests.api.conftest import Calls
from tests.api.test_large_lists import many_crons

_LINE = re.compile(
    r'[a-z_]+(\{[a-z_]+="(?:[^"\\\n]|\\[\\n"])*"(,[a-z_]+="(?:[^"\\\n]|\\[\\n"])*")*\})? [0-9.e+-]+'
)


def test_crons_are_counted_by_status(api: Api) -> None:
    up, down, _ = api.register(*({"name": name, "schedule": None} for name in ("good", "bad", "silent")))
    api.heartbeat(up)
    api.heartbeat(down, status="failure")

    answer = api.get("/api/metrics")

    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    for status, number in {"up": 1, "down": 1, "new": 1, "late": 0, "paused": 0}.items():
        assert f'cronhub_crons{{status="{status}"}} {number}' in lines
    assert "cronhub_cron_up" not in answer.text


def test_each_cron_is_told_of_where_that_is_asked_for(api: Api) -> None:
    up, down = api.register({"name": "good", "schedule": "0 13 * * *"}, {"name": "bad", "schedule": None})
    api.heartbeat(up, duration_ms=1500)
    api.heartbeat(down, status="failure")

    lines = api.get("/api/metrics", per_cron="true").text.splitlines()

    assert 'cronhub_crons{status="down"} 1' in lines
    labels = 'product="shop",service="nightly",name="good"'
    assert f"cronhub_cron_up{{{labels}}} 1" in lines
    assert f"cronhub_cron_last_run_duration_seconds{{{labels}}} 1.5" in lines
    assert f"cronhub_cron_last_run_timestamp_seconds{{{labels}}} 1773144000" in lines
    assert f"cronhub_cron_next_expected_timestamp_seconds{{{labels}}} 1773147600" in lines
    assert 'cronhub_cron_up{product="shop",service="nightly",name="bad"} 0' in lines


def test_it_holds_nothing_that_signals(api: Api) -> None:
    cron_id = api.new_cron()

    assert cron_id not in api.get("/api/metrics", per_cron="true").text


def test_any_name_makes_lines_that_can_be_read(api: Api) -> None:
    api.register({"name": 'a "b" \\ c', "schedule": None}, {"name": "ü €", "schedule": None})

    for line in api.get("/api/metrics", per_cron="true").text.splitlines():
        assert line.startswith("# ") or _LINE.fullmatch(line), line


def test_it_needs_a_key(api: Api) -> None:
    for path in ("/api/metrics", "/api/overview"):
        assert api.get(path, key=None).status == 401
        assert api.get(path, key=api.new_key("read")).status == 200


def told_of(text: str) -> list[str]:
    return re.findall(r'cronhub_cron_up\{product="shop",service="\w+",name="([^"]+)"', text)


def test_gauges_of_the_first_crons(api: Api) -> None:
    api.register(*({"name": f"job {n}", "schedule": None} for n in range(5)))
    api.register(*({"name": f"job {n}", "schedule": None} for n in range(1, 5)), prune=True)

    every_one = told_of(api.get("/api/metrics", per_cron="true").text)
    some = told_of(api.get("/api/metrics", per_cron="true", limit=2).text)

    assert sorted(every_one) == [f"job {n}" for n in range(1, 5)]
    assert some == every_one[:2]


def test_gauges_of_one_service(api: Api) -> None:
    api.register({"name": "one", "schedule": None}, {"name": "gone", "schedule": None})
    api.register({"name": "one", "schedule": None}, prune=True)
    api.register({"name": "other", "schedule": None}, service="hourly")

    text = api.get("/api/metrics", per_cron="true", product="shop", service="nightly").text

    assert told_of(text) == ["one"]


def test_bad_input_names_its_field(api: Api) -> None:
    def wrong(**query: Any) -> list[str]:
        answer = api.get("/api/metrics", per_cron="true", **query)
        assert answer.status == 422, answer.text
        return answer.wrong_fields

    assert wrong(product="shop") == ["service"]
    assert wrong(service="nightly") == ["product"]
    assert wrong(limit=0) == ["limit"]
    assert wrong(cron="x") == ["cron"]


def overview(api: Api) -> dict[str, int]:
    numbers: dict[str, int] = api.get("/api/overview").json["crons"]
    return {status: number for status, number in numbers.items() if number}


def test_the_numbers_follow_every_change(api: Api, clock: Clock) -> None:
    assert overview(api) == {}
    first, second, third = api.register(
        {"name": "first", "schedule": "0 13 * * *"},
        {"name": "second", "schedule": None},
        {"name": "third", "schedule": None, "depends_on": ["second"]},
    )
    assert overview(api) == {"total": 3, "new": 3}
    api.heartbeat(second, "failure")
    assert overview(api) == {"total": 3, "new": 2, "down": 1}
    api.post(f"/api/crons/{third}/start")
    assert overview(api) == {"total": 3, "new": 1, "down": 1, "blocked": 1}
    clock.at("13:20:00")
    api.tick()
    assert overview(api) == {"total": 3, "late": 1, "down": 1, "blocked": 1}
    api.heartbeat(first)
    api.heartbeat(second)
    api.heartbeat(third)
    assert overview(api) == {"total": 3, "up": 3}
    api.post(f"/api/crons/{first}/pause")
    assert overview(api) == {"total": 3, "up": 2, "paused": 1}
    api.post(f"/api/crons/{first}/resume")
    api.delete(f"/api/crons/{third}")
    assert overview(api) == {"total": 2, "up": 2}
    api.register({"name": "first", "schedule": "0 13 * * *"}, prune=True)
    assert overview(api) == {"total": 1, "up": 1}
    api.register({"name": "second", "schedule": None})
    assert overview(api) == {"total": 2, "up": 2}
    api.heartbeat(second, "failure")
    incident = api.cron(second)["incident"]["id"]
    api.post(f"/api/incidents/{incident}/resolve")
    assert overview(api) == {"total": 2, "up": 2}
    clock.pass_by(days=2)
    api.tick()
    assert overview(api) == {"total": 2, "up": 1, "down": 1}


def test_trouble_in_maintenance_counts_as_maintenance(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron(None)
    times = {"starts_at": "2026-03-10T11:00:00Z", "ends_at": "2026-03-10T13:00:00Z"}
    api.post("/api/maintenance", {"name": "Deploy", **times})

    api.heartbeat(cron_id, "failure")
    during = overview(api)
    clock.at("13:00:30")
    api.tick()

    assert during == {"total": 1, "in_maintenance": 1}
    assert overview(api) == {"total": 1, "down": 1}


def test_crons_from_before_they_were_counted_are_counted_once(api: Api, clock: Clock, calls: Calls) -> None:
    crons = many_crons(api, clock, 40, archived=3)

    assert overview(api) == {"total": 37, "new": 37}
    api.heartbeat(crons[5])
    calls.clear()

    assert overview(api) == {"total": 37, "new": 36, "up": 1}
    assert calls.names == ["Query"]


def test_changes_before_the_first_count_are_not_counted_twice(api: Api, clock: Clock) -> None:
    crons = many_crons(api, clock, 10)
    api.heartbeat(crons[0])
    api.heartbeat(crons[1], "failure")

    assert overview(api) == {"total": 10, "new": 8, "up": 1, "down": 1}
    api.post(f"/api/crons/{crons[2]}/pause")
    assert overview(api) == {"total": 10, "new": 7, "up": 1, "down": 1, "paused": 1}


def test_registering_many_in_several_transactions_counts_all(api: Api) -> None:
    answer = api.post(
        "/api/crons/register",
        {"product": "p", "service": "s", "crons": [{"name": f"{n}", "schedule": None} for n in range(120)]},
    )

    assert answer.status == 200
    assert overview(api) == {"total": 120, "new": 120}


def test_other_orgs_are_not_counted(api: Api) -> None:
    api.new_cron()
    api.key = api.new_org("other")

    assert overview(api) == {}
    assert told_of(api.get("/api/metrics", per_cron="true").text) == []


def test_the_cost_is_the_same_for_few_and_for_many(api: Api, clock: Clock, calls: Calls) -> None:
    many_crons(api, clock, 300)
    overview(api)
    calls.clear()

    api.get("/api/metrics")

    assert calls.names == ["Query"]


def written_counts(calls: Calls) -> int:
    items = [one for _, call in calls for one in call.get("TransactItems", ())]
    return sum("-standings" in str(item) for item in items)


def test_only_a_change_of_status_is_counted(api: Api, clock: Clock, calls: Calls) -> None:
    cron_id = api.new_cron(None)
    calls.clear()
    counted = []
    for status in ("success", "success", "success", "failure", "failure", "success"):
        clock.pass_by(minutes=1)
        api.heartbeat(cron_id, status)
        counted.append(written_counts(calls))
        calls.clear()

    assert counted == [1, 0, 0, 1, 0, 1]
