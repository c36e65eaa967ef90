"""Canaries: each tick sends one through the public address, as a job sends a ping. The API notes it."""

import logging
import secrets
import time
from contextlib import suppress
from datetime import datetime
from threading import Event, Lock, Thread
from typing import Any

from chalicelib import settings
from chalicelib.domain.errors import CronHubError, NotFound
from chalicelib.domain.ids import canary_id
from chalicelib.domain.monitor.blackout import Hearing
from chalicelib.domain.monitor.hearing import deaf_since, is_proven, sent
from chalicelib.services import clock
from chalicelib.store.tick_log import load_watch, note_canary, note_heard
from chalicelib.telemetry import measure

log = logging.getLogger("cronhub.hearing")

# Before each try: one lost request is no deafness.
PAUSES = (0, 5, 10, 15)
_PATIENCE_SECONDS = 5
# How long a judgement waits for this minute's canary, and the tick for one through an address that may be wrong.
VERDICT_SECONDS = 2.0
# A tick has 60 s.
_ALL_SECONDS = 45.0


def arrive(canary: str, now: datetime) -> None:
    """Notes that a canary arrived. Raises NotFound for one that was not sent."""
    if not note_heard(canary, now):
        raise NotFound("no such cron")


class Canary:
    """The canary of one tick. It flies beside the tick's work, in a thread of its own."""

    def __init__(self, hearing: Hearing, now: datetime) -> None:
        self._began = time.monotonic()
        self._now = now
        self._hearing = hearing
        self._address = settings.public_address()
        self._is_proven = is_proven(hearing, self._address)
        self._was_answered = False
        self._ended, self._lock = Event(), Lock()
        if self._address is None:
            self._ended.set()
            return
        self._hearing = sent(hearing, now, self._address)
        canary = canary_id(secrets.token_bytes(10))
        try:
            note_canary(canary, self._address, self._hearing)
        except CronHubError:
            log.exception("no canary was sent: the store does not take it")
            self._hearing = hearing
            self._ended.set()
            return
        Thread(target=self._fly, args=(f"{self._address}/api/ping/{canary}",), daemon=True).start()

    def hearing(self) -> Hearing:
        """Returns what is known of the canaries, with the verdict on this one if it comes soon."""
        if self._is_proven:
            self._wait(VERDICT_SECONDS)
        with self._lock:
            if self._was_answered:
                self._was_answered = False
                # It may have been the answer of another server.
                with suppress(CronHubError):
                    self._hearing = load_watch().hearing
            return self._hearing

    def end(self) -> None:
        """Waits until it arrived or is lost: a function that has ended sends nothing."""
        self._wait(_ALL_SECONDS if self._is_proven else VERDICT_SECONDS)
        if self._address is None:
            return
        hearing = self.hearing()
        measure("canary_lost", int(hearing.waits))
        if hearing.waits and hearing.sent_at == self._now:
            log.warning("%s", reason_of_silence(hearing, self._address))

    @property
    def is_deaf(self) -> bool:
        return deaf_since(self.hearing(), clock.now(), self._address) is not None

    def _wait(self, seconds: float) -> None:
        self._ended.wait(max(0.0, self._began + seconds - time.monotonic()))

    def _fly(self, url: str) -> None:
        for pause in PAUSES if self._is_proven else PAUSES[:1]:
            time.sleep(pause)
            self._was_answered = _is_answered(url)
            if self._was_answered:
                break
        self._ended.set()


def reason_of_silence(hearing: Hearing, address: str | None) -> str:
    """Says in words why no canary arrives."""
    if is_proven(hearing, address):
        return f"test signals no longer arrive through {address}: jobs' signals may be lost, too"
    return f"no test signal ever arrived through {address}: is CRONHUB_BASE_URL right?"


def _is_answered(url: str) -> bool:
    from urllib.request import HTTPRedirectHandler, build_opener

    class Stay(HTTPRedirectHandler):
        """A job's ping does not follow redirects, either."""

        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        with build_opener(Stay).open(url, timeout=_PATIENCE_SECONDS) as answer:
            answer.read(1)
    except Exception as error:
        log.info("the canary got no good answer: %s", type(error).__name__)
        return False
    return True
