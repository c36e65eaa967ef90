"""What a ping costs this process in CPU, by the short way to DynamoDB and by botocore's: on an emulated AWS.

Usage: python -m bench.bench_transport [PINGS]. The emulator's own CPU is not counted.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from infra.local.listening import free_port
from infra.local.stack import PYTHON as STACK_PYTHON
from infra.local.stack import SERVICES as STACK_SERVICES
from tests.stack.test_on_the_emulator import wait_for

ROOT = Path(__file__).parents[1]
ROUNDS = 5


def main() -> None:
    pings = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    port = free_port()
    emulator = subprocess.Popen(
        [str(STACK_PYTHON), "-m", "infra.local.stack"],
        cwd=ROOT,
        env={**os.environ, "GATEWAY_PORT": str(port), "SERVICES": STACK_SERVICES, "PERSIST_STATE": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        found: dict[str, list[float]] = {"botocore": [], "lean": []}
        # In turn, so that what else the machine does falls on both.
        for _ in range(ROUNDS):
            for transport, costs in found.items():
                costs.append(_measured(transport, port, pings))
        for transport, costs in found.items():
            print(f"{transport:9} {median(costs):.2f} ms of CPU per ping ({min(costs):.2f} to {max(costs):.2f})")
    finally:
        emulator.terminate()


def _measured(transport: str, port: int, pings: int) -> float:
    env = {
        **os.environ,
        "CRONHUB_TRANSPORT": transport,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, "-c", f"from bench.bench_transport import ping; ping({pings})"]
    return float(subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout)


def ping(pings: int) -> None:
    """Prints the milliseconds of CPU per ping; runs in a process of its own."""
    import secrets

    from chalicelib.domain import ids
    from chalicelib.domain.monitor import on_request
    from chalicelib.domain.monitor.cron import Settings
    from chalicelib.domain.monitor.decision import Decision
    from chalicelib.domain.monitor.signal import Signal, SignalKind
    from chalicelib.services import clock
    from chalicelib.services.signals import receive
    from chalicelib.store.commits import commit_many
    from chalicelib.store.tables import create_tables

    create_tables()
    org_id = ids.org_id(secrets.token_bytes(6))
    cron_id = ids.cron_id(org_id, secrets.token_bytes(10))
    settings = Settings("*/5 * * * *")
    cron = on_request.create(cron_id, on_request.CronNames("bench", "bench", cron_id), settings, clock.now())
    commit_many([(None, Decision(cron))])
    kinds = (SignalKind.START, SignalKind.SUCCESS)
    receive(None, cron_id, Signal(SignalKind.SUCCESS), clock.now())
    began = time.process_time()
    for number in range(pings):
        receive(None, cron_id, Signal(kinds[number % 2], f"run {number // 2}"), clock.now())
    print(1000 * (time.process_time() - began) / pings)


if __name__ == "__main__":
    main()
