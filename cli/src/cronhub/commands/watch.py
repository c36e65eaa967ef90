"""Shows the crons live. On a terminal the table is kept up to date; elsewhere each change is a line.

With --json each change is a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import datetime, timezone

from cronhub.client import Object, Unreachable
from cronhub.commands.arguments import filters, positive, span
from cronhub.commands.status import crons_of, lines, name_of
from cronhub.terminal import painted, status

_CLEAR = "\x1b[H\x1b[2J"


def options(parser: argparse.ArgumentParser) -> None:
    filters(parser)
    parser.add_argument("--interval", type=span, default=5.0, metavar="SPAN", help="how often it looks (5s)")
    parser.add_argument("--times", type=positive, metavar="N", help="look so often, then end")
    parser.add_argument("--json", action="store_true", help="each change as a line of JSON")


def run(arguments: argparse.Namespace) -> int:
    known: dict[str, Object] | None = None
    looked = 0
    while True:
        try:
            found = {str(cron["id"]): cron for cron in crons_of(arguments)}
        except Unreachable as error:
            # It goes on, so that the watcher sees CronHub come back.
            print(f"cronhub: {error}", file=sys.stderr, flush=True)
        else:
            _show(found, known, arguments)
            known = found
        looked += 1
        if looked == arguments.times:
            return 0
        time.sleep(max(arguments.interval, 0.1))


def _show(found: dict[str, Object], known: dict[str, Object] | None, arguments: argparse.Namespace) -> None:
    if sys.stdout.isatty() and not arguments.json:
        head = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} UTC · {counts(found)}"
        print(
            "\n".join([_CLEAR + head, "", *(lines(list(found.values())) if found else ["no crons"])]), flush=True
        )
        return
    for cron_id, cron in found.items():
        before = (known or {}).get(cron_id)
        if before is None or _state(before) != _state(cron):
            _say_change(cron, before, as_json=arguments.json)
    for cron_id, cron in (known or {}).items():
        if cron_id not in found:
            _say_change({**cron, "status": "gone"}, cron, as_json=arguments.json)


def counts(found: dict[str, Object]) -> str:
    by_status: dict[str, int] = {}
    for cron in found.values():
        by_status[cron["status"]] = by_status.get(cron["status"], 0) + 1
    return ", ".join(f"{count} {name}" for name, count in by_status.items()) or "no crons"


def _state(cron: Object) -> tuple[object, object]:
    return cron["status"], (cron.get("last_run") or {}).get("id")


def _say_change(cron: Object, before: Object | None, *, as_json: bool) -> None:
    now = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    was = before["status"] if before else None
    if as_json:
        change = {"at": now, "cron": name_of(cron), "id": cron["id"], "status": cron["status"], "was": was}
        print(json.dumps({**change, "last_run": cron.get("last_run")}), flush=True)
        return
    shown = status(cron["status"])
    last = cron.get("last_run") or {}
    came_from = f" (was {was})" if was and was != cron["status"] else ""
    ended = f", last run {last['status']}" if last else ""
    print(f"{now}  {painted(shown.text, shown.colour)}  {name_of(cron)}{came_from}{ended}", flush=True)
