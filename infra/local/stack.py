"""The emulated AWS, run by the interpreter of its own environment."""

import runpy
import sys
from pathlib import Path

from infra.local import parent_watch

PYTHON = Path(__file__).resolve().parents[2] / ".venv-stack" / "bin" / "python"
SERVICES = "dynamodb,sqs"


def main() -> None:
    parent_watch.start()
    sys.argv = ["ministack"]
    runpy.run_module("ministack", run_name="__main__")


if __name__ == "__main__":
    main()
