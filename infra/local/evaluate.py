"""The function that works off large backlogs: `sqs.py` feeds it."""

import sys

from infra.local import sqs


def main(_arguments: list[str]) -> int:
    from chalicelib import settings

    sqs.serve("eval", settings.due_queue_name(), _work_off)
    return 0


def _work_off(message: str) -> None:
    from chalicelib.services import clock
    from chalicelib.services.evaluate import work_off
    from chalicelib.store.queue import shard_of_message

    work_off(shard_of_message(message), clock.now())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
