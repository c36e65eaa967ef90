"""What importing the app costs, against what its libraries cost alone: a cold start pays it."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FLOOR = "import chalice, pynamodb.models, croniter"
APP = "import app"
ROUNDS = 11
MOST = 1.3


def main() -> int:
    with tempfile.TemporaryDirectory() as compiled:
        return compare(compiled)


def compare(compiled: str) -> int:
    """Imports both with every module compiled: those of the libraries mostly are, by pip."""
    for statement in (FLOOR, APP):
        seconds(statement, compiled)
    times: dict[str, list[float]] = {FLOOR: [], APP: []}
    # In turns, so that a machine that slows down slows both.
    for _ in range(ROUNDS):
        for statement, taken in times.items():
            taken.append(seconds(statement, compiled))
    floor, app = (statistics.median(taken) for taken in times.values())
    print(f"{FLOOR}: {floor * 1000:.0f} ms")
    print(f"{APP}: {app * 1000:.0f} ms")
    print(f"ratio {app / floor:.2f} (at most {MOST})")
    return 1 if app / floor > MOST else 0


def seconds(statement: str, compiled: str) -> float:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = compiled
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, cwd=Path(__file__).parents[1], env=env)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
