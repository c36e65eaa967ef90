"""From a fail signal to the webhook's arrival, on the stack of `make run`.

The floor, in the same run, is a plain POST to a receiver of the same kind: no sender can be faster.
"""

import http.client
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.api.client import Api
from tests.channels.receivers import receiver
from tests.processes.inbox import IDS, Inbox, inbox
from tests.processes.service import running

# Of an org, no more than are told at once.
ORGS, OF_ORG = 25, 4
SIGNALS = ORGS * OF_ORG
PAUSE_SECONDS = 0.2
MOST_P95_SECONDS = 2.0


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as state,
        receiver() as plain,
        inbox() as box,
        running(Path(state)) as service,
    ):
        # In turn from several orgs: what is measured is one alert by itself, not a group.
        crons = [
            cron for number in range(ORGS) for cron in crons_of_org(service.org(f"bench-{number}"), box, number)
        ]
        floor, taken = [], []
        for place in range(SIGNALS):
            api, cron_id = crons[place % ORGS * OF_ORG + place // ORGS]
            floor.append(plain_post(plain.url))
            taken.append(until_told(api, box, cron_id))
            # Spaced out: each alert by itself, not what a queue of them makes of it.
            time.sleep(PAUSE_SECONDS)
    print(f"plain POST to the receiver: {in_words(floor)}")
    print(f"fail signal to webhook:     {in_words(taken)}")
    p95 = percentile(taken, 95)
    print(f"p95 {p95:.2f} s (at most {MOST_P95_SECONDS:.0f})")
    return 1 if p95 > MOST_P95_SECONDS else 0


def crons_of_org(api: Api, box: Inbox, number: int) -> list[tuple[Api, str]]:
    made = api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": box.url})
    assert made.status == 201, made.text
    names = [f"job {number}-{n}" for n in range(OF_ORG)]
    ids = api.register(*({"name": name, "schedule": None} for name in names))
    IDS.update({("shop", "nightly", name): cron_id for name, cron_id in zip(names, ids, strict=True)})
    return [(api, cron_id) for cron_id in ids]


def until_told(api: Api, box: Inbox, cron_id: str) -> float:
    """Returns the seconds from before the signal is sent to the arrival of its alert."""
    began = time.monotonic()
    assert api.post(f"/api/fail/{cron_id}", key=None).status == 200
    return box.wait_for_cron(cron_id).at - began


def plain_post(url: str) -> float:
    to = urlsplit(url)
    began = time.monotonic()
    connection = http.client.HTTPConnection(str(to.hostname), to.port)
    connection.request("POST", to.path, b'{"type":"plain"}')
    connection.getresponse().read()
    connection.close()
    return time.monotonic() - began


def percentile(seconds: list[float], percent: int) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1]


def in_words(seconds: list[float]) -> str:
    named = {"p50": percentile(seconds, 50), "p95": percentile(seconds, 95), "max": max(seconds)}
    return ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in named.items())


if __name__ == "__main__":
    sys.exit(main())
