"""The attacks of the security review, all at once, over the real processes of `make run`: `make test-hostile`.

Eight organizations whose receivers mean harm have 24 failing crons each, and one address floods the API. An
innocent organization beside them must not notice.
"""

import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.api.client import Api
from tests.hostile.attacks import Flood, bad_receivers
from tests.processes.inbox import IDS, Inbox, inbox
from tests.processes.service import Service, running
from tests.processes.steps import add_webhook, register, signal

pytestmark = pytest.mark.hostile

FAILING = 24
SIGNALS = 6
# Spaced out: each alert by itself, not a group.
PAUSE_SECONDS = 10.5
DEADLINES = 3
RUNTIME_SECONDS = 30
MOST_ALERT_SECONDS = 5.0
# The tick looks every 5 seconds.
MOST_JUDGED_SECONDS = 10.0
MOST_MB = 200


class Heard(NamedTuple):
    """What became of the innocent organization."""

    #: From each fail signal to its webhook.
    alert_seconds: list[float]
    #: From each deadline to when it was judged.
    judged_seconds: list[float]
    #: From each of these to its webhook.
    deadline_alert_seconds: list[float]


class Peaks:
    """The most memory that each process of the service had, in MB."""

    def __init__(self, service: Service) -> None:
        self._root = service.run.process.pid
        self.mb: dict[str, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Peaks":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            for pid in _family(self._root):
                name, peak = _name_and_peak(pid)
                if peak:
                    self.mb[name] = max(peak, self.mb.get(name, 0.0))


def _family(root: int) -> list[int]:
    """A process and all that it started, as far as they live."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # Behind the name, which may hold spaces: state, parent.
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, new = [root], {root}
    while new := {pid for pid, parent in parents.items() if parent in new}:
        found += new
    return found


def _name_and_peak(pid: int) -> tuple[str, float]:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return "", 0.0
    name = next((word.decode() for word in words if word.startswith(b"infra.local")), f"process {pid}")
    peak = next((line.split()[1] for line in status if line.startswith("VmHWM")), "0")
    return name, int(peak) / 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("state")) as found:
        yield found


@pytest.fixture
def box() -> Iterator[Inbox]:
    with inbox() as found:
        yield found


def attack(api: Api, number: int) -> list[str]:
    """Has crons of a hostile organization fail, one after another; returns their ids."""
    ids = register(api, f"hostile-{number}", FAILING)
    for cron_id in ids:
        signal(api, "fail", cron_id)
    return ids


def start_deadlines(api: Api) -> dict[str, float]:
    """Starts runs that never end; returns the moment, on a clock that only runs forward, when each times out."""
    deadlines = {}
    for number in range(DEADLINES):
        name = f"hangs {number}"
        [cron_id] = api.register(
            {"name": name, "schedule": None, "max_runtime_seconds": RUNTIME_SECONDS}, service="patient"
        )
        IDS["shop", "patient", name] = cron_id
        started_at = datetime.fromisoformat(api.start(cron_id)["run"]["started_at"]).timestamp()
        deadlines[cron_id] = time.monotonic() - (time.time() - started_at) + RUNTIME_SECONDS
    return deadlines


def live_on(api: Api, patient: Api, box: Inbox) -> Heard:
    """What the innocent do meanwhile. Jobs that hang are another organization's, so that none share a message."""
    deadlines = start_deadlines(patient)
    alert_seconds = []
    for cron_id in register(api, "innocent", SIGNALS):
        began = time.monotonic()
        signal(api, "fail", cron_id)
        alert_seconds.append(box.wait_for_cron(cron_id).at - began)
        time.sleep(max(0.0, began + PAUSE_SECONDS - time.monotonic()))
    told = [box.wait_for_cron(cron_id).at - at for cron_id, at in deadlines.items()]
    alerts = [alert_of(patient, cron_id) for cron_id in deadlines]
    judged = [seconds_between(alert["incident"]["opened_at"], alert["at"]) for alert in alerts]
    return Heard(alert_seconds, judged, told)


def alert_of(api: Api, cron_id: str) -> Any:
    incident = api.get(f"/api/incidents/{api.cron(cron_id)['incident']['id']}").json
    return {"incident": incident, **incident["alerts"][0]}


def seconds_between(first: str, last: str) -> float:
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


def test_an_innocent_org_does_not_notice(service: Service, box: Inbox) -> None:
    innocent, patient = service.org("innocent"), service.org("patient")
    for api in (innocent, patient):
        add_webhook(api, box)
    with bad_receivers() as receivers, Peaks(service) as peaks:
        hostile = []
        for number, (kind, url) in enumerate(receivers.values()):
            api = service.org(f"hostile-{number}")
            assert api.post("/api/channels", {"name": "bad", "kind": kind, "url": url}).status == 201, url
            hostile.append(api)
        port = int(service.url.rpartition(":")[2])
        with Flood(port) as flood, ThreadPoolExecutor(len(hostile) + 1) as pool:
            attacks = [pool.submit(attack, api, number) for number, api in enumerate(hostile)]
            heard = live_on(innocent, patient, box)
            failed = {api: attacked.result() for api, attacked in zip(hostile, attacks, strict=True)}
        kept = {
            does: {one["state"] for cron_id in failed[api] for one in alert_of(api, cron_id)["deliveries"]}
            for does, api in zip(receivers, hostile, strict=True)
        }

    print(
        f"\nalerts: {in_words(heard.alert_seconds)}; deadline to judged: {in_words(heard.judged_seconds)}; ",
        end="",
    )
    print(f"deadline to webhook: {in_words(heard.deadline_alert_seconds)}")
    print(f"flood: {len(flood.answers)} requests, answers {sorted(set(flood.answers))}")
    print(f"peaks of memory in MB: { {name: round(mb) for name, mb in sorted(peaks.mb.items())} }")
    print(f"what became of the hostile organizations' alerts: {kept}")
    assert max(heard.alert_seconds) < MOST_ALERT_SECONDS, heard
    assert max(heard.judged_seconds) < MOST_JUDGED_SECONDS, heard
    assert max(heard.deadline_alert_seconds) < MOST_JUDGED_SECONDS + MOST_ALERT_SECONDS, heard
    assert len(flood.answers) > 100
    assert 500 not in flood.answers
    assert max(peaks.mb.values()) < MOST_MB, peaks.mb
    # None is lost: each is delivered, or waits to be tried again. Nobody's was refused or given up.
    assert all(states and states <= {"delivered", "pending"} for states in kept.values()), kept
    told = [event["data"]["alert_id"] for arrival in box.taken for event in arrival.events]
    assert len(told) == len(set(told)) == SIGNALS + DEADLINES
    assert {name for name in peaks.mb if name.startswith("infra.local")} >= {
        "infra.local.notify",
        "infra.local.api",
    }


def in_words(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.2f} s, max {max(seconds):.2f} s"
