"""`make restore FROM=…`: puts a copy in the place of the store. CronHub must be stopped."""

import os
import sys
from pathlib import Path

from infra.local.folder import BusyFolder, state_folder, store_file, take
from infra.local.log import say


def main(arguments: list[str]) -> int:
    """arguments: the file to take."""
    from infra.local.store.backup import restore
    from infra.local.store.errors import StoreFileError

    if len(arguments) != 1 or not arguments[0]:
        say("restore", "name the copy to restore: make restore FROM=.local/backups/cronhub-….db")
        return 2
    try:
        lock = take(state_folder())
        try:
            replaced = restore(Path(arguments[0]), store_file())
        finally:
            os.close(lock)
    except (StoreFileError, BusyFolder, OSError) as reason:
        say("restore", str(reason))
        return 1
    say("restore", f"{store_file()} is now what {arguments[0]} holds")
    if replaced is not None:
        say("restore", f"what was there before is in {replaced}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
