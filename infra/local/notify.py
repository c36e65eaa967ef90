"""The function that sends alerts: `sqs.py` feeds it; without a queue it looks into the outbox."""

import sys

from infra.local import sqs


def main(_arguments: list[str]) -> int:
    from chalicelib import settings

    sqs.serve("notify", settings.queue_name(), _send, _send_due)
    return 0


def _send(message: str) -> None:
    from chalicelib.services.notify import send_alerts
    from chalicelib.store.queue import keys_of

    send_alerts(keys_of(message))


def _send_due() -> None:
    from chalicelib.services import clock
    from chalicelib.services.notify import send_due

    send_due(clock.now())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
