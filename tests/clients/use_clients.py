"""What users of other monitors write, with the clients they have: run with the clients' own Python.

Prints one JSON object: what each client returned, or the name of what it raised.
"""

import json
import sys
import time
import urllib.request
from typing import Any

import cronitor
import sentry_sdk
from cronitor.monitor import Monitor
from healthchecks_decorator import healthcheck
from healthchecks_io import AsyncClient, CheckCreate, Client
from sentry_sdk.crons import capture_checkin, monitor

BASE, KEY, PING_KEY, CRON = sys.argv[1:]
found: dict[str, Any] = {}


def noted(name: str, call: Any) -> Any:
    try:
        result = call()
    except Exception as error:
        found[name] = type(error).__name__
        return None
    found[name] = result if isinstance(result, str | int | list | dict | bool) or result is None else str(result)
    return result


def use_healthchecks_io(version: int) -> None:
    client = Client(
        api_key=KEY, ping_key=PING_KEY, api_url=f"{BASE}/api/", ping_url=f"{BASE}/ping/", api_version=version
    )
    wrong = Client(api_key="x" * 32, ping_key="x" * 22, api_url=f"{BASE}/api/", ping_url=f"{BASE}/ping/")
    wanted = CheckCreate(name=f"From client {version}", tags="prod db", schedule="0 2 * * *", tz="Europe/Riga")
    check = client.create_check(wanted)
    of = f"healthchecks-io {version} "
    found[of + "check"] = [check.name, check.slug, check.tags, check.status, check.grace]
    uuid = str(check.uuid)
    noted(of + "start", lambda: client.start_ping(uuid=uuid, data="begins"))
    noted(of + "success", lambda: client.success_ping(uuid=uuid, data="hello"))
    noted(of + "exit status", lambda: client.exit_code_ping(3, uuid=uuid, data="Traceback"))
    noted(of + "by slug", lambda: client.success_ping(slug=check.slug))
    noted(of + "unknown slug", lambda: client.success_ping(slug="nothing"))
    noted(of + "wrong ping key", lambda: wrong.success_ping(slug=check.slug))
    noted(of + "wrong key", wrong.get_checks)
    found[of + "pings"] = [one.type for one in client.get_check_pings(uuid)]
    found[of + "flips"] = [one.up for one in client.get_check_flips(uuid)]
    found[of + "found"] = [one.name for one in client.get_checks(tags=["prod", "db"])]
    found[of + "paused"] = client.pause_check(uuid).status
    noted(of + "channels", lambda: [one.name for one in client.get_integrations()])
    noted(of + "badges", lambda: list(client.get_badges()))
    found[of + "deleted"] = str(client.delete_check(uuid).uuid) == uuid
    noted(of + "gone", lambda: client.get_check(uuid))


async def use_async_client() -> list[Any]:
    async with AsyncClient(api_key=KEY, api_url=f"{BASE}/api/", ping_url=f"{BASE}/ping/") as client:
        return list(await client.success_ping(uuid=CRON))


def use_decorator() -> None:
    @healthcheck(url=f"{BASE}/ping/{CRON}", send_start=True, send_diagnostics=True)
    def job() -> dict[str, int]:
        return {"rows": 12}

    found["healthchecks-decorator"] = job()


def use_sentry() -> None:
    sentry_sdk.init(dsn=f"{BASE.replace('://', f'://{PING_KEY}@')}/42", traces_sample_rate=1.0)
    config: Any = {
        "schedule": {"type": "crontab", "value": "*/5 * * * *"},
        "timezone": "Europe/Vienna",
        "checkin_margin": 2,
        "max_runtime": 20,
    }

    @monitor(monitor_slug="sentry-nightly", monitor_config=config)
    def job() -> None:
        time.sleep(0.1)

    @monitor(monitor_slug="sentry-broken")
    def broken() -> None:
        raise ValueError("broken")

    job()
    noted("sentry-sdk raises what the job raises", broken)
    capture_checkin(monitor_slug="sentry-beat", status="ok", duration=1.5)
    sentry_sdk.capture_message("dropped")
    sentry_sdk.flush(10)


def use_cronitor() -> None:
    # The hosts are constants of this client: these are the two lines to change.
    Monitor._ping_api_url = lambda self: f"{BASE}/p/{self.api_key}/{self.key}"
    Monitor._monitor_api_url = staticmethod(lambda key=None: f"{BASE}/api/monitors" + (f"/{key}" if key else ""))
    cronitor.api_key, cronitor.environment = KEY, "production"
    nightly = Monitor.put(key="cronitor-nightly", type="job", schedule="0 2 * * *", notify=["default"])
    found["cronitor put"] = [nightly.data.key, nightly.data.schedule]

    @cronitor.job("cronitor-nightly")
    def job() -> str:
        return "1204 rows"

    job()
    beat = Monitor("cronitor-beat")
    beat.ping(metrics={"count": 7, "error_count": 1})
    beat.ping(state="fail", message="no disk")
    beat.ok()
    found["cronitor read"] = [beat.data.key, beat.data.passing]
    found["cronitor pause"] = [beat.pause(2).status_code, Monitor("cronitor-beat").data.paused]
    found["cronitor unpause"] = beat.unpause().status_code
    config = {"jobs": {"from-yaml": {"schedule": "every 5 minutes"}}}
    found["cronitor yaml"] = Monitor.put(monitors=config, format="yaml")["jobs"]["from-yaml"]["schedule"]
    found["cronitor as_yaml"] = "from-yaml" in Monitor.as_yaml()
    found["cronitor deleted"] = Monitor("from-yaml").delete()
    noted("cronitor gone", lambda: Monitor("from-yaml").delete())
    noted("cronitor bad schedule", lambda: Monitor.put(key="bad", type="job", schedule="now and then"))
    noted("cronitor wrong key", lambda: Monitor.put(key="x", type="job", api_key="wrong"))


def use_urllib() -> None:
    with urllib.request.urlopen(f"{BASE}/ping/{CRON}", timeout=10) as answer:
        found["urllib"] = answer.read().decode()


if __name__ == "__main__":
    import asyncio

    for number in (1, 2, 3):
        use_healthchecks_io(number)
    found["healthchecks-io async"] = asyncio.run(use_async_client())
    use_decorator()
    use_sentry()
    use_cronitor()
    use_urllib()
    print(json.dumps(found))
