"""The emulated AWS, run by the interpreter of its own environment, on the leash."""

import runpy
import sys

from infra.local import leash


def main() -> None:
    leash.hold()
    sys.argv = ["ministack"]
    runpy.run_module("ministack", run_name="__main__")


if __name__ == "__main__":
    main()
