"""Takes over the checks of Healthchecks, Cronitor or Sentry, from an export file or their API.

  cronhub import healthchecks checks.json
  cronhub import healthchecks --key KEY [--from https://hc.example.com] [--history]
  cronhub import cronitor --key KEY
  cronhub import sentry --key TOKEN --org ORG

It shows a plan and asks first. What CronHub cannot hold is named. Doing it again changes nothing. --history also
takes over past runs; nobody is alerted about them.
"""

from __future__ import annotations

import argparse
import base64
import csv
import json
import os
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from cronhub.ascode import plan, state
from cronhub.ascode.document import Document
from cronhub.client import Client, Object, Query, Refused, with_key
from cronhub.commands import planning
from cronhub.commands.arguments import json_option
from cronhub.importing import cronitor, healthchecks, sentry
from cronhub.importing.source import Ask, Check, Found, PastRun, read_file
from cronhub.reporter import iso
from cronhub.settings import UsageError, load
from cronhub.terminal import plain

_URLS = {"healthchecks": healthchecks.URL, "cronitor": cronitor.URL, "sentry": sentry.URL}
_TIMEOUT = 60
#: CronHub keeps runs for so long.
_KEPT = timedelta(days=90)
_AT_ONCE = 8


def options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", choices=sorted(_URLS))
    add("file", nargs="?", type=Path, help="a file with what their API answered, instead of asking it")
    add("--key", help="of their API; IMPORT_KEY in the environment unless given")
    add("--from", dest="url", metavar="URL", help="their address, where it is not the usual one")
    add("--org", help="with sentry: the organization's slug")
    add("--product", help="put the crons under this product")
    add("--service", help="put the crons under this service")
    add("--history", action="store_true", help="also take over past runs")
    add("--map", type=Path, metavar="FILE", help="write a table of old and new ids and ping URLs (CSV)")
    add("--yes", action="store_true", help="do not ask")
    json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    client = with_key(load())
    found = _found(arguments)
    product, service = arguments.product or found.product, arguments.service or found.service
    wanted = {f"{product}/{service}/{check.name}": check for check in found.checks}
    document = Document(crons={called: check.cron for called, check in wanted.items()})
    known = state.load(client, ("crons",))
    made = plan.make(document, known, plan.Options())
    # What is there besides is none of an import's business.
    made = made._replace(notes=[f"{name}: {lost}" for name, lost in _lost(found)])
    planning.show(made, as_json=arguments.json)
    if made.steps and not arguments.yes:
        planning.require_agreement("Import this?")
    ids = _do(planning.doing(client, known), made)
    if arguments.history:
        print(f"{_send_history(client, wanted, ids)} past runs taken over", file=sys.stderr)
    if arguments.map:
        _write_map(arguments.map, client, wanted, ids)
    return 0


def _lost(found: Found) -> list[tuple[str, str]]:
    return [(check.name, lost) for check in found.checks for lost in check.lost] + [
        ("not held", one) for one in found.lost
    ]


def _do(doing: plan.Doing, made: plan.Plan) -> dict[str, str]:
    """Returns the ids of the crons, by their full names. Raises UsageError."""
    try:
        doing.run(made)
    except Refused as error:
        raise UsageError(f"CronHub did not take it, nothing more was changed: {error}") from None
    return doing.crons


# -- the other monitor


def _found(arguments: argparse.Namespace) -> Found:
    key = arguments.key or os.environ.get("IMPORT_KEY")
    source: str = arguments.source
    if arguments.file is None and not key:
        raise UsageError(f"name a file, or say the key of {source}'s API with --key or IMPORT_KEY")
    if source == "sentry" and arguments.file is None and not arguments.org:
        raise UsageError("sentry: say the organization with --org")
    ask = None if arguments.file else _asking((arguments.url or _URLS[source]).rstrip("/"), source, key or "")
    raw = read_file(arguments.file) if ask is None else _all(source, ask, arguments.org)
    if source == "healthchecks":
        return healthchecks.found(raw, ask, history=arguments.history)
    if source == "cronitor":
        return cronitor.found(raw, history=arguments.history)
    return sentry.found(raw, ask, arguments.org or "", history=arguments.history)


def _all(source: str, ask: Ask, org: str | None) -> Any:
    if source == "healthchecks":
        return ask("/api/v3/checks/", {})
    if source == "cronitor":
        return cronitor.pages(ask)
    return ask(f"/api/0/organizations/{org}/monitors/", {"per_page": 100})


def _asking(url: str, source: str, key: str) -> Ask:
    headers = {
        "healthchecks": ("X-Api-Key", key),
        "cronitor": ("Authorization", "Basic " + base64.b64encode(f"{key}:".encode()).decode()),
        "sentry": ("Authorization", f"Bearer {key}"),
    }

    def ask(path: str, query: Query) -> Any:
        """Sentry's lists go on where its Link header says so."""
        answer, following = _get(
            f"{url}{quote(path)}" + (f"?{urlencode(query)}" if query else ""), headers[source]
        )
        while following and isinstance(answer, list):
            more, following = _get(following, headers[source])
            answer += more
        return answer

    return ask


def _get(url: str, header: tuple[str, str]) -> tuple[Any, str | None]:
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{url} is no web address")
    request = urllib.request.Request(url)  # noqa: S310
    request.add_unredirected_header(*header)
    request.add_header("Accept", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
            return json.loads(response.read()), _following(response.headers.get("Link") or "")
    except urllib.error.HTTPError as error:
        raise UsageError(f"{url} answered {error.code}: is the key right?") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{url}: {error}") from None


def _following(link: str) -> str | None:
    for part in link.split(","):
        if 'rel="next"' in part and 'results="true"' in part:
            return part[part.index("<") + 1 : part.index(">")]
    return None


# -- history, and the table of ids


def _send_history(client: Client, wanted: dict[str, Check], ids: dict[str, str]) -> int:
    """Several crons at a time; the runs of one in their order."""
    with_runs = [(ids[called], check.history) for called, check in wanted.items() if check.history]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sum(pool.map(lambda one: _send_runs(client, *one), with_runs))


def _send_runs(client: Client, cron_id: str, history: tuple[PastRun, ...]) -> int:
    """Only those that CronHub does not have, and only from before it began to watch."""
    oldest = datetime.now(timezone.utc) - _KEPT
    begins = _created_at(client, cron_id)
    path = f"/api/crons/{cron_id}/runs"
    known = {run["run_id"] for run in client.pages(path, "runs", {"to": begins})}
    wanted = [
        run
        for run in history
        if run.run_id not in known and oldest < run.finished_at and iso(run.finished_at) < begins
    ]
    for run in wanted:
        client.post(f"/api/crons/{cron_id}/heartbeat", _as_signal(run))
    return len(wanted)


def _created_at(client: Client, cron_id: str) -> str:
    created = str(client.get(f"/api/crons/{cron_id}")["created_at"])
    return created if "." in created else created.replace("Z", ".000Z")


def _as_signal(run: PastRun) -> Object:
    signal: Object = {
        "status": "failure" if run.exit_code else "success",
        "exit_code": run.exit_code,
        "run_id": run.run_id,
        "finished_at": iso(run.finished_at.astimezone(timezone.utc)),
    }
    if run.started_at is not None:
        signal["started_at"] = iso(run.started_at.astimezone(timezone.utc))
    if run.duration_ms is not None:
        signal["duration_ms"] = run.duration_ms
    return signal


def _write_map(path: Path, client: Client, wanted: dict[str, Check], ids: dict[str, str]) -> None:
    urls = {cron["id"]: cron["ping_url"] for cron in client.pages("/api/crons", "crons")}
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["old_id", "name", "cron_id", "ping_url"])
        for called, check in wanted.items():
            cron_id = ids[called]
            table.writerow([plain(check.id), called, cron_id, urls.get(cron_id, "")])
