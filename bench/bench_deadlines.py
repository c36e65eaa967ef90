"""From a deadline to the webhook's arrival, on `make run`: the tick looks again every 5 seconds."""

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.bench_alerts import in_words, percentile
from tests.processes.inbox import IDS, inbox
from tests.processes.service import running

CRONS = 60
RUNTIME_SECONDS = 70
MOST_P50_SECONDS, MOST_P99_SECONDS = 4.0, 7.0


def main() -> int:
    with tempfile.TemporaryDirectory() as state, inbox() as box, running(Path(state)) as service:
        started: dict[str, float] = {}
        for number in range(CRONS):
            # An org for each: what is measured is one alert by itself, not a group.
            api = service.org(f"bench-{number}")
            made = api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": box.url})
            assert made.status == 201, made.text
            job = {"name": f"job {number}", "schedule": None, "max_runtime_seconds": RUNTIME_SECONDS}
            [cron_id] = api.register(job)
            IDS["shop", "nightly", f"job {number}"] = cron_id
            run = api.start(cron_id)["run"]
            began = datetime.fromisoformat(run["started_at"]).astimezone(UTC).timestamp()
            started[cron_id] = time.monotonic() - (time.time() - began)
            # Deadlines at any second of a minute.
            time.sleep(0.7)
        taken = [box.wait_for_cron(each).at - at - RUNTIME_SECONDS for each, at in started.items()]
    print(f"deadline to webhook: {in_words(taken)}")
    p50, p99 = percentile(taken, 50), percentile(taken, 99)
    print(f"p50 {p50:.2f} s (at most {MOST_P50_SECONDS:.0f}), p99 {p99:.2f} s (at most {MOST_P99_SECONDS:.0f})")
    return 1 if p50 > MOST_P50_SECONDS or p99 > MOST_P99_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
