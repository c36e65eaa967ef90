"""Records what an older release leaves in its store, for tests where its code is not at hand:

python -m tests.releases.record 3959777 tests/data/items-of-0.2.0.json
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.releases.release import ROOT, Release, Time, running, unpack


def main() -> None:
    commit, target = sys.argv[1:]
    time = Time()
    with TemporaryDirectory() as folder:
        store = Path(folder) / "store.db"
        code = unpack(commit, Path(folder) / "older")
        with running(ROOT, store, time) as newer, running(code, store, time) as older:
            newer.make_tables()
            live(older, time)
            recorded = {"commit": commit, "key": older.key, "items": older.items()}
    Path(target).write_text(json.dumps(recorded, separators=(",", ":")) + "\n")


def live(release: Release, time: Time) -> None:
    """Half an hour: crons that are well, running, failed and missed, and an alert on its way."""
    release.call("POST", "/api/orgs", {"name": "Older", "slug": "older"})
    release.key = release.call("POST", "/api/orgs/older/api-keys", {"name": "first"})["key"]
    crons = [
        {"name": "well", "schedule": "*/5 * * * *", "tags": ["a"]},
        {"name": "running", "schedule": "0 * * * *", "grace_seconds": 3600},
        {"name": "failed", "schedule": "@daily"},
        {"name": "missed", "schedule": "5 12 * * *", "grace_seconds": 60},
        {"name": "dependant", "schedule": "0 13 * * *", "depends_on": ["well"]},
    ]
    body = {"product": "shop", "service": "nightly", "crons": crons}
    made = {one["name"]: one["id"] for one in release.call("POST", "/api/crons/register", body)["crons"]}
    release.call("POST", f"/api/crons/{made['running']}/start", {"run_id": "the long one"})
    for minute in range(30):
        if minute % 5 == 0:
            release.call("POST", f"/api/crons/{made['well']}/start", {"run_id": f"run {minute}"})
            time.pass_by(seconds=9)
            release.call(
                "POST", f"/api/crons/{made['well']}/heartbeat", {"run_id": f"run {minute}", "status": "success"}
            )
            time.pass_by(seconds=-9)
        release.tick()
        time.pass_by(minutes=1)
    window = {"name": "later", "starts_at": "2026-03-11T00:00:00Z", "ends_at": "2026-03-11T01:00:00Z"}
    release.call("POST", "/api/maintenance", window)
    # Nobody gets it yet: it stays on its way.
    release.call("POST", f"/api/fail/{made['failed']}")


if __name__ == "__main__":
    main()
