"""The function that works off large backlogs, fed from its queue as AWS does."""

import sys

from infra.local import worker


def main() -> int:
    from chalicelib import settings

    return worker.serve("eval", settings.due_queue_name(), _work_off)


def _work_off(message: str) -> None:
    from chalicelib.services import clock
    from chalicelib.services.tick import work_off
    from chalicelib.store.queue import shard_of_message

    shard, _ = shard_of_message(message)
    work_off(shard, clock.now())


if __name__ == "__main__":
    sys.exit(main())
