"""The schedule that runs the tick on AWS, played by a process: once at every full UTC minute."""

import logging
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from infra.local import chosen_store, parent_watch
from infra.local.log import say, use_as_logging_format
from infra.local.stop_signal import StopSignal

MINUTE = timedelta(minutes=1)
LATE = timedelta(seconds=5)
# Waits are short because a sleeping laptop's clock jumps, and a long wait would not see it.
LONGEST_WAIT = 5.0


def main(arguments: list[str]) -> int:
    """arguments: `--once` runs one tick, now, and ends; its exit code is 1 where that failed."""
    parent_watch.start_if_supervised()
    use_as_logging_format("tick")
    chosen_store.use(sweep=True)
    from chalicelib.services.tick import run_minute, watch_minute

    if arguments == ["--once"]:
        return 0 if run_once(run_minute, datetime.now(UTC)) else 1
    stop = StopSignal(signal.SIGTERM)

    def wait(seconds: float) -> bool:
        stop.wait(seconds)
        return not stop.received

    every_minute(lambda now: watch_minute(now, wait=wait), lambda: datetime.now(UTC), stop)
    return 0


def every_minute(run_tick: Callable[[datetime], object], clock: Callable[[], datetime], stop: StopSignal) -> None:
    due = next_minute(clock())
    while not stop.received:
        now = clock()
        if now < due:
            # A clock set back must not keep the tick waiting for the time it was set back by.
            due = min(due, next_minute(now))
            stop.wait(min((due - now).total_seconds(), LONGEST_WAIT))
            continue
        if now - due > LATE:
            say("tick", f"{(now - due).total_seconds():.0f} s late; minutes missed are not made up")
        run_once(run_tick, now)
        due = next_minute(clock())


def run_once(run_tick: Callable[[datetime], object], now: datetime) -> bool:
    """Whether it went well."""
    try:
        run_tick(now)
    except Exception:
        logging.getLogger(__name__).exception("failed; the next one comes at the full minute")
        return False
    return True


def next_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + MINUTE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
