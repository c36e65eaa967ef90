"""An older release beside this one, as during a deployment, and after one that was taken back."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.channels.receivers import Receiver, Reply, receiver
from tests.releases.release import DUE, NOTIFY, ROOT, Release, Time, has, running, unpack

pytestmark = pytest.mark.long

# The release 0.2.0, and the last commit before the cron's item had its newest attribute.
OLDER = {"0.2.0": "3959777", "before resumes_on_signal": "df92d1f"}

# More than a tick looks at by itself.
CROWD, SHARDS = 600, 16


class Two(NamedTuple):
    older: Release
    newer: Release
    time: Time

    def by_turns(self, count: int) -> Iterator[tuple[Release, Release]]:
        """Yields one of them and the other, then the other way round."""
        for n in range(count):
            yield (self.older, self.newer) if n % 2 else (self.newer, self.older)


@pytest.fixture(params=OLDER)
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    commit = OLDER[request.param]
    if not has(commit):
        pytest.skip(f"the history of this checkout does not reach back to {commit}")
    time, store = Time(), tmp_path / "store.db"
    with ExitStack() as stack:
        newer = stack.enter_context(running(ROOT, store, time))
        # CloudFormation makes tables and indexes before it changes the functions.
        newer.make_tables()
        older = stack.enter_context(running(unpack(commit, tmp_path / "older"), store, time))
        newer.call("POST", "/api/orgs", {"name": "Both", "slug": "both"})
        newer.key = newer.call("POST", "/api/orgs/both/api-keys", {"name": "first"})["key"]
        older.key = newer.key
        yield Two(older, newer, time)


def cron_by(release: Release, name: str, schedule: str = "0 * * * *") -> str:
    crons = [{"name": name, "schedule": schedule, "grace_seconds": 60}]
    body = {"product": "shop", "service": "nightly", "crons": crons}
    return str(release.call("POST", "/api/crons/register", body)["crons"][0]["id"])


def hook_of(release: Release, hook: Receiver) -> None:
    release.call("POST", "/api/channels", {"name": "ops", "kind": "webhook", "url": hook.url})


def told(hook: Receiver) -> list[tuple[str, str]]:
    events = [json.loads(got.body) for got in hook.got]
    return [(event["type"], event["data"]["cron"]["name"]) for event in events]


def runs(release: Release, cron_id: str) -> list[Any]:
    return list(release.call("GET", f"/api/crons/{cron_id}/runs?limit=200")["runs"])


def test_a_run_that_one_starts_and_the_other_ends_is_counted_once(two: Two) -> None:
    made = {cron_by(two.newer, "by the newer"), cron_by(two.older, "by the older")}
    for cron_id in made:
        for n, (one, other) in enumerate(two.by_turns(6)):
            one.call("POST", f"/api/crons/{cron_id}/start", {"run_id": f"run {n}"})
            two.time.pass_by(seconds=7)
            other.call("POST", f"/api/crons/{cron_id}/heartbeat", {"run_id": f"run {n}", "status": "success"})
            # The same once more, by the first: it counts as sent again.
            one.call("POST", f"/api/crons/{cron_id}/heartbeat", {"run_id": f"run {n}", "status": "success"})
            two.time.pass_by(minutes=3)
        for release in two.older, two.newer:
            found = runs(release, cron_id)
            assert [(run["status"], run["duration_ms"]) for run in found] == [("success", 7000)] * 6
            assert release.call("GET", f"/api/crons/{cron_id}")["status"] == "up"
            assert release.call("GET", f"/api/crons/{cron_id}/stats")["total"]["ok"] == 6


def test_signals_to_both_at_the_same_time_are_each_recorded_once(two: Two) -> None:
    cron_id, count = cron_by(two.newer, "busy"), 30

    def send(release: Release, name: str) -> list[int]:
        path = f"/api/crons/{cron_id}/heartbeat"
        return [
            release.status_of("POST", path, {"run_id": f"{name} {n}", "status": "success"})[0]
            for n in range(count)
        ]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, (two.older, two.newer), ("older", "newer")))

    assert answers == [[200] * count] * 2
    for release in two.older, two.newer:
        assert len({run["id"] for run in runs(release, cron_id)}) == 2 * count
        assert release.call("GET", f"/api/crons/{cron_id}/stats")["total"]["ok"] == 2 * count


def test_what_both_ticks_find_missed_is_missed_once_and_told_once(two: Two) -> None:
    with receiver() as hook:
        hook_of(two.older, hook)
        names = ("found by the newer", "found by the older")
        made = [cron_by(two.newer, name, "*/5 * * * *") for name in names]
        for silent, loud, (one, other) in zip(made, reversed(made), two.by_turns(2), strict=True):
            for cron_id in made:
                other.call("POST", f"/api/ping/{cron_id}")
            tick_for(two, 5, one, other)
            other.call("POST", f"/api/ping/{loud}")
            tick_for(two, 3, one, other)
            for release in one, other:
                assert [run["status"] for run in runs(release, silent)].count("missed") == 1
                assert release.call("GET", f"/api/crons/{silent}")["status"] == "down"
            other.call("POST", f"/api/ping/{silent}")
            tick_for(two, 2, other, one)

        assert told(hook) == [(kind, name) for name in names for kind in ("cron.missed", "cron.recovered")]
        assert len(two.older.call("GET", "/api/incidents?status=resolved")["incidents"]) == 2


def tick_for(two: Two, minutes: int, *releases: Release) -> None:
    for _ in range(minutes):
        for release in releases:
            release.tick()
        two.time.pass_by(minutes=1)


def test_an_alert_that_one_could_not_deliver_is_delivered_once_by_the_other(two: Two) -> None:
    with receiver(Reply(500), Reply(), Reply(500), Reply()) as hook:
        hook_of(two.newer, hook)
        for n, (one, other) in enumerate(two.by_turns(2)):
            cron_id = cron_by(one, f"job {n}")
            one.call("POST", f"/api/fail/{cron_id}")
            one.tick()
            assert len(hook.got) == 2 * n + 1
            two.time.pass_by(minutes=3)
            other.tick()
            one.tick()
            assert len(hook.got) == 2 * n + 2
            assert told(hook)[-1] == ("cron.failed", f"job {n}")


def test_messages_of_one_are_read_by_the_other(two: Two) -> None:
    with receiver() as hook:
        hook_of(two.newer, hook)
        for release in two.older, two.newer:
            for queue, function in ((NOTIFY, "notify"), (DUE, "evaluate")):
                assert release.receive(function, queue) == 0
        for n, (one, other) in enumerate(two.by_turns(2)):
            cron_id = cron_by(one, f"job {n}")
            one.call("POST", f"/api/fail/{cron_id}")
            assert other.receive("notify", NOTIFY) >= 1
            one.receive("notify", NOTIFY)
            assert told(hook) == [("cron.failed", f"job {m}") for m in range(n + 1)]


def test_a_backlog_that_one_hands_over_is_worked_off_by_the_other(two: Two) -> None:
    for release in two.older, two.newer:
        release.receive("evaluate", DUE)
    for n, (one, other) in enumerate(two.by_turns(2)):
        schedule = f"{(two.time.now + timedelta(minutes=2)).minute} * * * *"
        for first in range(0, CROWD, 200):
            numbers = range(first, first + 200)
            crons = [{"name": f"job {m}", "schedule": schedule, "grace_seconds": 0} for m in numbers]
            one.call("POST", "/api/crons/register", {"product": "p", "service": f"s{n}", "crons": crons})
        one.tick()
        for _ in range(2):
            two.time.pass_by(seconds=90)
            one.tick()
        assert other.receive("evaluate", DUE) == SHARDS
        assert down_of(one, f"s{n}") == down_of(other, f"s{n}") == CROWD


def down_of(release: Release, service: str) -> int:
    """How many crons of a service are down."""
    path, count, cursor = f"/api/crons?service={service}&status=down&limit=200", 0, ""
    while True:
        page = release.call("GET", path + cursor)
        count += len(page["crons"])
        if page["next_cursor"] is None:
            return count
        cursor = f"&cursor={page['next_cursor']}"


# The attributes of a cron that 0.2.0 does not know and loses where it writes the cron: docs/operations.md.
LOST_BY_0_2_0 = {"kl", "sd", "sn", "ro"}


def test_an_older_release_works_with_a_newer_cron_and_loses_only_what_is_documented(two: Two) -> None:
    wanted = {
        "name": "all",
        "schedule": "0 * * * *",
        "description": "d",
        "tags": ["a", "b"],
        "max_runtime_seconds": 600,
        "failure_tolerance": 1,
        "sla_target": 99.5,
        "resumes_on_signal": True,
    }
    body = {"product": "shop", "service": "nightly", "crons": [wanted]}
    cron_id = two.newer.call("POST", "/api/crons/register", body)["crons"][0]["id"]
    for release in two.newer, two.newer:
        release.call("POST", f"/api/crons/{cron_id}/heartbeat", {"status": "failed", "message": "x"})
        two.time.pass_by(minutes=1)
    two.newer.call("PATCH", "/api/orgs/both", {"keyless_signals": False})
    [before] = two.newer.items()["cronhub-crons"]

    two.older.call("POST", f"/api/crons/{cron_id}/heartbeat", {"status": "failed"})
    [after] = two.newer.items()["cronhub-crons"]

    assert set(before) - set(after) <= LOST_BY_0_2_0
    shown = two.newer.call("GET", f"/api/crons/{cron_id}")
    assert {name: shown[name] for name in wanted if name != "resumes_on_signal"}.items() <= wanted.items()
    assert shown["status"] == two.older.call("GET", f"/api/crons/{cron_id}")["status"] == "down"
    assert len(runs(two.newer, cron_id)) == len(runs(two.older, cron_id)) == 3


def test_what_the_older_release_lost_is_set_again_as_documented(two: Two) -> None:
    wanted = {"name": "all", "schedule": "0 * * * *", "resumes_on_signal": True}
    body = {"product": "shop", "service": "nightly", "crons": [wanted]}
    cron_id = two.newer.call("POST", "/api/crons/register", body)["crons"][0]["id"]
    two.newer.call("PATCH", "/api/orgs/both", {"keyless_signals": False, "allowed_origins": ["https://a.example"]})

    two.older.call("POST", f"/api/crons/{cron_id}/heartbeat", {"status": "failed"})
    two.older.call("PATCH", "/api/orgs/both", {"name": "Renamed"})
    two.newer.call("POST", "/api/crons/register", body)
    for on in True, False:
        two.newer.call("PATCH", "/api/orgs/both", {"keyless_signals": on})

    [item] = two.newer.items()["cronhub-crons"]
    assert {"kl", "ro"} <= set(item)
    assert two.newer.status_of("POST", f"/api/ping/{cron_id}")[0] == 404
    org = two.newer.call("GET", "/api/orgs/both")
    assert (org["name"], org["keyless_signals"]) == ("Renamed", False)
    assert org["allowed_origins"] == ["https://a.example"]
