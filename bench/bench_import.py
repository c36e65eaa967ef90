"""What importing the app costs, against what its libraries cost alone: a cold start pays it."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

FLOOR = "import chalice, pynamodb.models, croniter"
APP = "import app"
ROUNDS = 11
MOST = 1.3


def main() -> int:
    for statement in (FLOOR, APP):
        seconds(statement)  # compiles what is not compiled yet
    times: dict[str, list[float]] = {FLOOR: [], APP: []}
    # In turns, so that a machine that slows down slows both.
    for _ in range(ROUNDS):
        for statement, taken in times.items():
            taken.append(seconds(statement))
    floor, app = (statistics.median(taken) for taken in times.values())
    print(f"{FLOOR}: {floor * 1000:.0f} ms")
    print(f"{APP}: {app * 1000:.0f} ms")
    print(f"ratio {app / floor:.2f} (at most {MOST})")
    return 1 if app / floor > MOST else 0


def seconds(statement: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, cwd=Path(__file__).parents[1])
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
