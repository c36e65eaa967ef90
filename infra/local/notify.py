"""The function that sends alerts: `sqs.py` feeds it; without a queue it looks into the outbox."""

import sys

from infra.local import sqs

# As on AWS, where each batch of messages has a function of its own. Most of them only wait.
WORKERS = 64


def main(_arguments: list[str]) -> int:
    from chalicelib import settings

    sqs.serve("notify", settings.queue_name(), sqs.Function(_receive, WORKERS, _send_due))
    return 0


def _receive(messages: list[str]) -> list[int]:
    from chalicelib.services.notify import receive

    return receive(messages)


def _send_due() -> None:
    from chalicelib.services import clock
    from chalicelib.services.notify import send_due

    send_due(clock.now())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
