"""The function that works off large backlogs: `sqs.py` feeds it."""

import sys

from infra.local import sqs


def main(_arguments: list[str]) -> int:
    from chalicelib import settings

    sqs.serve("eval", settings.due_queue_name(), sqs.Function(_receive))
    return 0


def _receive(messages: list[str]) -> list[int]:
    from chalicelib.services.evaluate import receive

    return receive(messages)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
