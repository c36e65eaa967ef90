"""`make backup`: a consistent copy of the store, also while CronHub runs."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from infra.local.folder import store_file
from infra.local.log import say


def main(arguments: list[str]) -> int:
    """arguments: the file to write; by default one beside the store, named by the time."""
    from infra.local.store.backup import backup
    from infra.local.store.errors import StoreFileError

    store = store_file()
    named = f"cronhub-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
    target = Path(arguments[0]) if arguments else store.with_name("backups") / named
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        backup(store, target)
    except (StoreFileError, OSError) as reason:
        say("backup", str(reason))
        return 1
    say("backup", f"{target} ({target.stat().st_size:,} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
