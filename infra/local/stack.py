"""The emulated AWS, run by the interpreter of its own environment."""

import runpy
import sys

from infra.local import parent_watch


def main() -> None:
    parent_watch.start()
    sys.argv = ["ministack"]
    runpy.run_module("ministack", run_name="__main__")


if __name__ == "__main__":
    main()
