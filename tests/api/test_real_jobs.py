"""Jobs as people really write them, through the API: the plain curl style, crashes, retries, clocks, dependencies.

Each test is one thing that happens to real cron jobs, and what a person would want to hear of it.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.services.notify import send_due
from chalicelib.store.tables import AlertItem
from tests.api.client import Api, Clock
from tests.channels.receivers import Receiver

DAY = "2026-03-10"


def start(api: Api, cron_id: str, **query: Any) -> Any:
    return api.post(f"/api/start/{cron_id}", key=None, **query)


def ping(api: Api, cron_id: str, **query: Any) -> Any:
    answer = api.post(f"/api/ping/{cron_id}", key=None, **query)
    assert answer.status == 200, answer.text
    return answer.json


def fail(api: Api, cron_id: str, **query: Any) -> Any:
    answer = api.post(f"/api/fail/{cron_id}", key=None, **query)
    assert answer.status == 200, answer.text
    return answer.json


def until(api: Api, clock: Clock, text: str, minutes: int = 1) -> None:
    """Time passes to this moment, with a tick at each full minute (or every so many)."""
    end = Clock()
    end.now = clock.now
    end.at(text)
    tick_at = clock.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while tick_at <= end.now:
        clock.now = tick_at
        api.tick()
        tick_at += timedelta(minutes=minutes)
    clock.now = end.now


def heard(cron_id: str) -> list[str]:
    """The kinds of alerts about a cron, in order."""
    items = sorted(AlertItem.query(cron_id), key=lambda item: str(item.alert_id))
    return [str(item.body["kind"]) for item in items]


def statuses(api: Api, cron_id: str) -> list[str]:
    """How its runs ended, earliest first."""
    return [run["status"] for run in reversed(api.runs(cron_id))]


# 1


def test_a_job_that_dies_after_its_start_every_hour_is_told_and_counted(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 * * * *")
    for hour in range(13, 17):
        until(api, clock, f"{hour}:00:02", minutes=10)
        start(api, cron_id)
    until(api, clock, "17:30:00", minutes=5)

    assert "timeout" in heard(cron_id)
    cron = api.cron(cron_id)
    assert (cron["status"], cron["reason"]) == ("down", "timeout")
    assert cron["stats"]["24h"]["timed_out"] >= 2


def test_a_run_that_ends_well_after_its_default_limit_brings_the_cron_up_again(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 0 * * *")
    clock.at("2026-03-11T00:00:01")
    start(api, cron_id)
    until(api, clock, "2026-03-12T01:30:00", minutes=30)
    assert heard(cron_id)[0] == "timeout"
    ping(api, cron_id)

    cron = api.cron(cron_id)
    assert cron["status"] == "up"
    assert heard(cron_id)[-1] == "recovered"


# 2


def test_a_killed_run_does_not_block_its_dependants_for_ever(api: Api, clock: Clock) -> None:
    backup, report = api.register(
        {"name": "backup", "schedule": "0 * * * *"}, {"name": "report", "schedule": "30 * * * *"}
    )
    api.post(f"/api/crons/{report}/dependencies", {"depends_on_id": backup})
    for hour in range(13, 18):
        until(api, clock, f"{hour}:00:01", minutes=10)
        start(api, backup)
        if hour != 14:
            clock.pass_by(seconds=40)
            ping(api, backup)
        until(api, clock, f"{hour}:30:01", minutes=10)
        answer = start(api, report)
        assert answer.status == (409 if hour == 14 else 200), (hour, answer.text)
        if answer.status == 200:
            clock.pass_by(seconds=10)
            ping(api, report)


def test_a_ghost_does_not_take_the_finish_of_a_later_run(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 * * * *")
    for hour in range(13, 18):
        until(api, clock, f"{hour}:00:01", minutes=10)
        start(api, cron_id)
        clock.pass_by(seconds=60)
        ping(api, cron_id)
    until(api, clock, "18:00:01", minutes=10)
    start(api, cron_id)  # killed
    until(api, clock, "19:01:01", minutes=10)
    ping(api, cron_id)  # its own start was lost

    last = api.cron(cron_id)["last_run"]
    assert last["duration_ms"] is None or last["duration_ms"] < 120_000
    assert "overrunning" not in heard(cron_id)
    assert api.runs(cron_id)[0]["scheduled_at"] == f"{DAY}T19:00:00Z"


# 3


def test_a_grace_longer_than_the_period_is_waited_for(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("*/5 * * * *", grace_seconds=900)
    for minute in (5, 10, 20, 25):  # 12:15 was skipped by flock
        until(api, clock, f"12:{minute:02}:01")
        ping(api, cron_id)
    until(api, clock, "12:29:00")

    assert heard(cron_id) == []
    assert api.get("/api/incidents").json["incidents"] == []
    assert api.cron(cron_id)["stats"]["24h"]["missed"] == 1


def test_silence_longer_than_a_long_grace_is_missed_at_the_end_of_that_grace(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("*/5 * * * *", grace_seconds=900)
    until(api, clock, "12:05:01")
    ping(api, cron_id)
    until(api, clock, "12:24:30")
    assert "missed" not in heard(cron_id)
    until(api, clock, "12:26:00")

    assert heard(cron_id).count("missed") == 1
    assert api.get("/api/incidents").json["incidents"][0]["opened_at"] == f"{DAY}T12:25:00Z"


# 4


def test_a_fail_that_curl_sends_twice_counts_once(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 * * * *", failure_tolerance=1)
    until(api, clock, "13:00:05", minutes=10)
    start(api, cron_id)
    clock.pass_by(seconds=30)
    first = fail(api, cron_id)
    clock.pass_by(seconds=2)
    second = fail(api, cron_id)

    assert first["run_id"] == second["run_id"]
    assert api.cron(cron_id)["status"] == "up"
    assert statuses(api, cron_id) == ["failed"]


def test_a_success_that_curl_sends_twice_is_one_of_two_needed_to_recover(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("*/10 * * * *", recovery_threshold=2)
    until(api, clock, "12:10:01")
    fail(api, cron_id)
    until(api, clock, "12:20:01")
    ping(api, cron_id)
    clock.pass_by(seconds=3)
    ping(api, cron_id)

    assert api.cron(cron_id)["status"] == "down"
    until(api, clock, "12:30:01")
    ping(api, cron_id)
    assert api.cron(cron_id)["status"] == "up"


def test_a_start_that_curl_sends_twice_leaves_no_ghost(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 * * * *", max_runtime_seconds=120)
    until(api, clock, "13:00:01", minutes=10)
    start(api, cron_id)
    clock.pass_by(seconds=2)
    start(api, cron_id)
    clock.pass_by(seconds=30)
    ping(api, cron_id)
    until(api, clock, "13:10:00")

    assert heard(cron_id) == []
    assert statuses(api, cron_id) == ["success"]


def test_a_finish_that_overtakes_its_start_leaves_no_ghost(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 * * * *", max_runtime_seconds=300)
    until(api, clock, "13:00:05", minutes=10)
    ping(api, cron_id)
    clock.pass_by(seconds=2)
    start(api, cron_id)
    until(api, clock, "13:20:00", minutes=5)

    assert heard(cron_id) == []
    cron = api.cron(cron_id)
    assert (cron["status"], cron["stats"]["24h"]["timed_out"]) == ("up", 0)


# 5


def test_a_run_id_that_is_reused_for_another_outcome_is_heard(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 * * * *")
    until(api, clock, "13:00:05", minutes=10)
    ping(api, cron_id, rid="mon")
    clock.pass_by(minutes=5)
    fail(api, cron_id, rid="mon")

    assert api.cron(cron_id)["status"] == "down"
    assert statuses(api, cron_id) == ["failed"]


def test_a_run_id_that_is_reused_the_next_day_is_a_new_run(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 13 * * *")
    until(api, clock, "13:00:05", minutes=10)
    ping(api, cron_id, rid="mon")
    until(api, clock, "2026-03-11T13:00:05", minutes=60)
    ping(api, cron_id, rid="mon")
    until(api, clock, "2026-03-11T15:30:00", minutes=10)

    assert statuses(api, cron_id) == ["success", "success"]
    assert "missed" not in heard(cron_id)


# 6


@pytest.mark.parametrize(
    ("schedule", "ahead", "minutes"), [("*/2 * * * *", 15, range(2, 30, 2)), ("* * * * *", 4, range(1, 20))]
)
def test_a_host_whose_clock_is_fast_meets_its_occurrences(
    api: Api, clock: Clock, schedule: str, ahead: int, minutes: range
) -> None:
    cron_id = api.new_cron(schedule)
    for minute in minutes:
        at = datetime(2026, 3, 10, 12, minute, tzinfo=UTC) - timedelta(seconds=ahead)
        until(api, clock, f"{at:%H:%M:%S}")
        ping(api, cron_id)
    until(api, clock, f"12:{minutes[-1]:02}:30")

    day = api.cron(cron_id)["stats"]["24h"]
    assert (day["met"], day["missed"]) == (len(minutes), 0)
    assert heard(cron_id) == []


def test_two_runs_a_minute_apart_on_a_fast_clock_each_meet_their_own(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0,1 13 * * *")
    for text in ("12:59:39", "13:00:39"):
        until(api, clock, text, minutes=10)
        ping(api, cron_id)
    until(api, clock, "13:20:00")

    assert [run["scheduled_at"] for run in reversed(api.runs(cron_id))] == [f"{DAY}T13:00:00Z", f"{DAY}T13:01:00Z"]
    assert heard(cron_id) == []


def test_a_minutely_start_late_in_its_minute_takes_its_own_minute(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("* * * * *")
    until(api, clock, "12:01:56")
    ping(api, cron_id)

    assert api.runs(cron_id)[0]["scheduled_at"] == f"{DAY}T12:01:00Z"


# 7


def test_a_duration_never_mixes_two_clocks(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 * * * *")
    until(api, clock, "13:00:01", minutes=10)
    api.start(cron_id, started_at=f"{DAY}T13:00:31Z")
    clock.pass_by(seconds=45)
    done = api.heartbeat(cron_id)

    assert done["run"]["duration_ms"] == 45_000


# 8


def test_a_loop_job_is_expected_after_its_end(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("@every 10m")
    clock.at("12:00:00")
    for _ in range(4):
        start(api, cron_id)
        until(api, clock, f"{clock.now + timedelta(minutes=3):%H:%M:%S}")
        ping(api, cron_id)
        until(api, clock, f"{clock.now + timedelta(minutes=10):%H:%M:%S}")

    assert heard(cron_id) == []
    assert api.cron(cron_id)["status"] in ("up", "running")


def test_a_long_run_of_a_loop_job_is_not_missed_while_it_runs(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("@every 10m")
    start(api, cron_id)
    until(api, clock, "12:14:00")
    assert "missed" not in heard(cron_id)
    ping(api, cron_id)
    until(api, clock, "12:23:00")

    assert "missed" not in heard(cron_id)


# 9


def test_a_run_that_goes_on_holds_off_missed(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("*/10 * * * *")
    until(api, clock, "12:10:01")
    start(api, cron_id)
    until(api, clock, "12:35:00")
    assert "missed" not in heard(cron_id)
    ping(api, cron_id)
    until(api, clock, "12:40:01")
    start(api, cron_id)
    clock.pass_by(seconds=20)
    ping(api, cron_id)

    assert "missed" not in heard(cron_id)
    day = api.cron(cron_id)["stats"]["24h"]
    assert (day["expected"], day["met"], day["missed"]) == (4, 2, 2)
    assert api.get("/api/incidents").json["incidents"] == []


# 10


def dependent(api: Api) -> tuple[str, str]:
    backup, report = api.register(
        {"name": "backup", "schedule": "0 13 * * *", "grace_seconds": 3600},
        {"name": "report", "schedule": "20 13 * * *", "grace_seconds": 600},
    )
    api.post(f"/api/crons/{report}/dependencies", {"depends_on_id": backup})
    return backup, report


def test_of_a_chain_the_cause_is_told_and_not_the_symptom(api: Api, clock: Clock) -> None:
    backup, report = dependent(api)
    until(api, clock, "13:20:05", minutes=5)
    assert start(api, report).status == 409
    until(api, clock, "15:00:00", minutes=5)

    assert "missed" in heard(backup)
    assert "missed" not in heard(report)
    assert api.cron(report)["status"] != "down"
    refused = next(run for run in api.runs(report) if run["status"] == "blocked")
    assert refused["scheduled_at"] == f"{DAY}T13:20:00Z"


def test_a_dependant_waits_for_a_dependency_that_merely_runs_long(api: Api, clock: Clock) -> None:
    backup, report = dependent(api)
    until(api, clock, "13:00:02", minutes=5)
    start(api, backup)
    until(api, clock, "13:20:05", minutes=5)
    assert start(api, report).status == 409
    until(api, clock, "13:36:00")
    ping(api, backup)
    until(api, clock, "13:40:00")
    assert "missed" not in heard(report)
    assert start(api, report).status == 200
    clock.pass_by(seconds=30)
    ping(api, report)
    until(api, clock, "14:30:00", minutes=5)

    assert not {"missed", "recovered"} & set(heard(report))
    day = api.cron(report)["stats"]["24h"]
    assert (day["met"], day["missed"]) == (1, 0)


# 11


def test_the_end_of_maintenance_raises_no_storm(api: Api, clock: Clock) -> None:
    ids = api.register(*({"name": f"job {number}", "schedule": "* * * * *"} for number in range(3)))
    window = {"name": "deploy", "starts_at": f"{DAY}T12:05:30Z", "ends_at": f"{DAY}T12:20:00Z"}
    assert api.post("/api/maintenance", window).status == 201
    for minute in range(1, 6):
        until(api, clock, f"12:{minute:02}:05")
        for cron_id in ids:
            ping(api, cron_id)
    until(api, clock, "12:20:05")
    for minute in range(20, 26):
        until(api, clock, f"12:{minute:02}:05")
        for cron_id in ids:
            ping(api, cron_id)

    assert [heard(cron_id) for cron_id in ids] == [[], [], []]


def test_a_failure_inside_maintenance_is_told_at_its_end_with_its_own_content(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("*/10 * * * *")
    window = {"name": "deploy", "starts_at": f"{DAY}T12:05:00Z", "ends_at": f"{DAY}T12:30:00Z"}
    api.post("/api/maintenance", window)
    until(api, clock, "12:10:01")
    run_id = api.heartbeat(cron_id, "fail", exit_code=3, message="disk full")["run"]["id"]
    assert heard(cron_id) == []
    until(api, clock, "12:31:00")

    assert heard(cron_id)[0] == "failed"
    told = next(iter(AlertItem.query(cron_id)))
    assert told.body["run_id"] == run_id
    assert "disk full" in str(told.body.get("output"))


# 12


def test_the_last_word_is_true_also_while_a_cron_flaps(
    api: Api, clock: Clock, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRONHUB_ALLOW_PRIVATE_TARGETS", "1")
    filters = {"severities": ["critical", "info"]}
    made = api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": hook.url, "filters": filters})
    assert made.status == 201, made.text
    cron_id = api.new_cron("0 0 * * *")
    for number in range(5):
        clock.at(f"12:{2 * number + 1:02}:00")
        (ping if number % 2 else fail)(api, cron_id)
    for minute in range(10, 40):
        clock.at(f"12:{minute}:00")
        api.tick()
        send_due(clock.now)

    assert api.cron(cron_id)["status"] == "down"
    last = json.loads(hook.got[-1].body)
    assert last["type"] != "cron.recovered", [json.loads(one.body)["type"] for one in hook.got]


# 14


@pytest.mark.parametrize("how", ["resolve", "pause", "delete", "prune"])
def test_every_incident_that_was_told_is_told_closed(api: Api, clock: Clock, how: str) -> None:
    cron_id = api.new_cron("0 * * * *")
    fail(api, cron_id)
    incident = api.get("/api/incidents").json["incidents"][0]["id"]
    clock.pass_by(minutes=5)
    match how:
        case "resolve":
            api.post(f"/api/incidents/{incident}/resolve")
        case "pause":
            api.post(f"/api/crons/{cron_id}/pause")
        case "delete":
            api.delete(f"/api/crons/{cron_id}")
        case "prune":
            api.register({"name": "other", "schedule": "@daily"}, prune=True)

    assert heard(cron_id)[0] == "failed"
    assert len(heard(cron_id)) == 2, heard(cron_id)


def test_acknowledging_twice_appends_to_the_timeline(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 * * * *")
    fail(api, cron_id)
    incident = api.get("/api/incidents").json["incidents"][0]["id"]
    for note in ("I have it", "still on it"):
        clock.pass_by(minutes=1)
        assert api.post(f"/api/incidents/{incident}/acknowledge", {"note": note}).status == 200

    timeline = api.get(f"/api/incidents/{incident}").json["timeline"]
    assert [one["what"] for one in timeline] == ["opened", "acknowledged", "acknowledged"]


# 15


def test_figures_are_true_while_a_cron_is_down(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("*/5 * * * *")
    until(api, clock, "12:05:01")
    ping(api, cron_id)
    until(api, clock, "12:46:30")

    cron = api.cron(cron_id)
    assert cron["status"] == "down"
    assert cron["stats"]["24h"]["missed"] == 8  # 12:10 … 12:45
    assert cron["next_expected_at"] == f"{DAY}T12:50:00Z"


def test_every_day_asked_for_has_its_figures(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 0 * * *")
    query = {"from": "2026-03-01", "to": "2026-03-10"}

    days = api.get(f"/api/crons/{cron_id}/stats", **query).json["days"]

    assert len(days) == 10


# 16


@pytest.mark.parametrize("size", [100 * 1024 + 1, 3 * 1024 * 1024])
def test_a_chatty_job_that_succeeds_is_heard(api: Api, clock: Clock, size: int) -> None:
    cron_id = api.new_cron("0 * * * *")
    output = "head of it\n" + "x" * size + "\nthe error is at the end"
    answer = api.call("POST", f"/api/fail/{cron_id}", raw=output, key=None, content_type="text/plain")

    assert answer.status == 200
    run = api.get(f"/api/crons/{cron_id}/runs/{answer.json['run_id']}").json
    assert run["message"].startswith("head of it")
    assert run["message"].endswith("the error is at the end")
    assert len(run["message"]) < 12_000
    told = next(iter(AlertItem.query(cron_id)))
    assert str(told.body["output"]).endswith("the error is at the end")


@pytest.mark.parametrize(
    "query", [{"exit_code": ""}, {"rid": ""}, {"duration_ms": "1.5"}, {"exit_code": "abc"}, {"duration_ms": "-1"}]
)
def test_a_signal_is_never_refused_for_its_form(api: Api, query: dict[str, str]) -> None:
    cron_id = api.new_cron("0 * * * *")

    assert ping(api, cron_id, **query)["ok"] is True
    assert api.cron(cron_id)["last_run"]["status"] == "success"


# 17


def test_prune_of_a_large_service_keeps_all_that_were_named(api: Api) -> None:
    crons = [{"name": f"job {number}", "schedule": "0 2 * * *"} for number in range(150)]
    api.register(*crons)

    answer = api.post(
        "/api/crons/register", {"product": "shop", "service": "nightly", "crons": crons, "prune": True}
    )

    assert answer.status == 200
    assert answer.json["archived"] == []


# 19


def test_imported_history_opens_no_incident(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 * * * *")
    until(api, clock, "13:00:05", minutes=10)
    api.heartbeat(cron_id)
    for hour in range(1, 9):
        times = {"started_at": f"{DAY}T0{hour}:00:00Z", "finished_at": f"{DAY}T0{hour}:05:00Z"}
        api.heartbeat(cron_id, "fail", **times)

    assert heard(cron_id) == []
    assert api.cron(cron_id)["status"] == "up"
    assert len(api.runs(cron_id, limit=50)) == 9


# 20


def test_a_key_shows_its_first_use_at_once(api: Api, clock: Clock) -> None:
    clock.pass_by(minutes=2)
    api.get("/api/crons")

    assert api.get("/api/orgs/mon-org/api-keys").json["api_keys"][0]["last_used_at"] is not None
