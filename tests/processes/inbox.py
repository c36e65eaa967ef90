"""A webhook's receiver that keeps what came, and answers as it is told to."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.channels.receivers import Got, Reply, receiver
from tests.local.program import PATIENCE, wait_for

#: Messages name crons by product, service and name alone: the ids of those that tests made.
IDS: dict[tuple[str, ...], str] = {}


def id_of(event: Any) -> str:
    cron = event["data"]["cron"]
    return IDS[cron["product"], cron["service"], cron["name"]]


class Arrival(NamedTuple):
    """One request."""

    #: Seconds of a clock that only runs forward.
    at: float
    #: Of the delivery.
    id: str
    #: Of a group all, else the one.
    events: list[Any]
    #: What it was answered.
    status: int

    @property
    def cron_ids(self) -> list[str]:
        return [id_of(event) for event in self.events]


class Inbox:
    """status: what it answers from now on · pause_seconds: how long it takes to."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.pause_seconds = 0.0
        self.arrivals: list[Arrival] = []
        self._lock = threading.Lock()

    def answer(self, got: Got) -> Reply:
        at, status = time.monotonic(), self.status
        assert got.headers["webhook-id"] == got.headers["x-cronhub-delivery"]
        body = json.loads(got.body)
        events = body["data"]["alerts"] if body["type"] in ("crons.down", "crons.up") else [body]
        with self._lock:
            self.arrivals.append(Arrival(at, got.headers["webhook-id"], events, status))
        time.sleep(self.pause_seconds)
        return Reply(status)

    def wait_for_more(self, count: int, seconds: float = PATIENCE) -> None:
        wanted = len(self.arrivals) + count
        wait_for(lambda: len(self.arrivals) >= wanted, seconds)

    def wait_for_cron(self, cron_id: str) -> Arrival:
        found: Arrival = wait_for(lambda: [one for one in self.arrivals if cron_id in one.cron_ids])[0]
        return found

    @property
    def taken(self) -> list[Arrival]:
        return [arrival for arrival in self.arrivals if arrival.status == 200]

    def cron_ids(self) -> set[str]:
        """The crons that people heard about."""
        return {cron_id for arrival in self.taken for cron_id in arrival.cron_ids}

    def without_repeats(self) -> list[Arrival]:
        """What is left for a receiver that drops the deliveries whose id it has seen."""
        return list({arrival.id: arrival for arrival in reversed(self.taken)}.values())[::-1]

    def repeats(self) -> int:
        """How many deliveries were taken again."""
        return sum(count - 1 for count in Counter(arrival.id for arrival in self.taken).values())


@contextmanager
def inbox() -> Iterator[Inbox]:
    kept = Inbox()
    with receiver(decide=kept.answer) as server:
        kept.url = server.url
        yield kept
