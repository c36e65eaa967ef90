"""What a cold start costs until the first ping is answered, against the least that one could: the
libraries imported, and one call of the store."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from infra.deploy import emulated

ROOT = Path(__file__).parents[1]
ROUNDS = 11
MOST = 1.4

FLOOR = """
import json, sys
import chalice
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
given = json.load(sys.stdin)
class Item(Model):
    class Meta:
        table_name = "cronhub-crons"
    org_id = UnicodeAttribute(hash_key=True)
    cron_id = UnicodeAttribute(range_key=True)
Item.get(given["org_id"], given["cron_id"], consistent_read=True)
"""
FIRST_PING = """
import json, sys
import app
answer = app.app(json.load(sys.stdin)["event"], None)
assert answer["statusCode"] == 200, answer
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch, emulated.running(Path(scratch) / "stack.log") as endpoint:
        os.environ.update(emulated.environment(endpoint))
        return compare(scratch, json.dumps(watched()))


def watched() -> dict[str, Any]:
    """A cron that is there, and a ping of it as API Gateway hands it on."""
    from chalicelib.store.tables import create_tables
    from tests.api.client import Api

    create_tables()
    with Api.started() as api:
        api.key = api.new_org("bench")
        cron_id, org_id = api.new_cron(), api.get("/api/orgs/bench").json["id"]
    return {"org_id": org_id, "cron_id": cron_id, "event": ping(cron_id)}


def ping(cron_id: str) -> dict[str, Any]:
    return {
        "resource": "/api/ping/{cron_id}",
        "path": f"/api/ping/{cron_id}",
        "httpMethod": "POST",
        "headers": {"host": "example.com"},
        "pathParameters": {"cron_id": cron_id},
        "multiValueQueryStringParameters": None,
        "stageVariables": None,
        "requestContext": {
            "httpMethod": "POST",
            "resourcePath": "/api/ping/{cron_id}",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": None,
        "isBase64Encoded": False,
    }


def compare(compiled: str, given: str) -> int:
    programs = {"floor": FLOOR, "first ping": FIRST_PING}
    for program in programs.values():
        seconds(program, given, compiled)
    times: dict[str, list[float]] = {name: [] for name in programs}
    # In turns, so that a machine that slows down slows both.
    for _ in range(ROUNDS):
        for name, program in programs.items():
            times[name].append(seconds(program, given, compiled))
    floor, first_ping = (statistics.median(taken) for taken in times.values())
    print(f"import chalice and pynamodb, and one GetItem: {floor * 1000:.0f} ms")
    print(f"import app, and answer the first ping: {first_ping * 1000:.0f} ms")
    print(f"ratio {first_ping / floor:.2f} (at most {MOST})")
    return 1 if first_ping / floor > MOST else 0


def seconds(program: str, given: str, compiled: str) -> float:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = compiled
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", program], input=given, text=True, check=True, cwd=ROOT, env=env, capture_output=True
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
