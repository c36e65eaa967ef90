"""What the tick and then `notify` do at a full minute, once, by a clock that is ahead: a process to be killed."""

import sys
from datetime import UTC, datetime, timedelta

from chalicelib.services import clock
from chalicelib.services.notify import send_due
from chalicelib.services.tick import run_minute
from infra.local import chosen_store
from infra.local.log import use_as_logging_format


def main() -> None:
    chosen_store.use()
    ahead = timedelta(seconds=float(sys.argv[1]))
    clock.now = lambda: datetime.now(UTC) + ahead
    use_as_logging_format("tick")
    run_minute(clock.now())
    send_due(clock.now())


if __name__ == "__main__":
    main()
