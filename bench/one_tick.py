"""One tick over the store of CRONHUB_STATE, after one to warm up: prints the milliseconds of the second."""

import time
from datetime import UTC, datetime


def main() -> None:
    from infra.local import chosen_store

    chosen_store.use()
    from chalicelib.services.tick import run_minute

    run_minute(datetime.now(UTC))
    begin = time.perf_counter()
    run_minute(datetime.now(UTC))
    print((time.perf_counter() - begin) * 1000)


if __name__ == "__main__":
    main()
