"""The throttle under many threads: a lease that one bought is used by all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Barrier, BrokenBarrierError, Lock

import pytest

from chalicelib.domain.errors import Throttled
from chalicelib.services import throttle
from chalicelib.services.throttle import PINGS_OF_ADDRESS

NOW = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def bought(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """What was bought, as the store counts it."""
    leases: list[int] = []
    lock, two = Lock(), Barrier(2)

    def add_uses(_key: str, uses: int, _expires_at: datetime) -> int:
        # A second buyer is waited for, who must not come.
        with suppress(BrokenBarrierError):
            two.wait(0.2)
        with lock:
            leases.append(uses)
            return sum(leases)

    monkeypatch.setenv("CRONHUB_THROTTLE", "on")
    monkeypatch.setattr(throttle, "add_uses", add_uses)
    throttle.forget()
    yield leases
    throttle.forget()


def is_let_in(subject: str) -> bool:
    try:
        throttle.throttle(PINGS_OF_ADDRESS, subject, NOW)
    except Throttled:
        return False
    return True


def test_eight_threads_get_all_that_is_promised(bought: list[int]) -> None:
    promised = PINGS_OF_ADDRESS.uses
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(is_let_in, ["203.0.113.7"] * (promised + 1000)))

    assert promised - PINGS_OF_ADDRESS.lease <= sum(answers) <= promised
