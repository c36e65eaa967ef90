"""Shows the last runs of a cron."""

from __future__ import annotations

import argparse
from itertools import islice

from cronhub import durations, lookup
from cronhub.client import Object, with_key
from cronhub.commands.arguments import json_option, positive
from cronhub.settings import load
from cronhub.terminal import Cell, plain, say_json, status, table


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cron", help="its name, service/name, product/service/name, or id")
    parser.add_argument("--limit", type=positive, default=20, help="how many (20)")
    parser.add_argument("--status", help="only those that ended like this: failed, missed, timeout, …")
    parser.add_argument("--output", action="store_true", help="what the last of them printed, whole")
    json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    client = with_key(load())
    cron_id = str(lookup.find(client, arguments.cron)["id"])
    path = f"/api/crons/{cron_id}/runs"
    limit = 1 if arguments.output else arguments.limit
    listed = client.pages(path, "runs", {"status": arguments.status, "limit": min(limit, 1000)})
    found = list(islice(listed, limit))
    if arguments.output:
        found = [client.get(f"{path}/{one['id']}") for one in found]
    if arguments.json:
        say_json(found)
    elif not found:
        print("no runs")
    elif arguments.output:
        print(found[0]["message"] or "")
    else:
        print("\n".join(table(("STATUS", "STARTED", "TOOK", "EXIT", "DUE", "OUTPUT"), map(_row, found))))
    return 0


def _row(run: Object) -> list[Cell | str]:
    started = run["started_at"] or run["finished_at"]
    exit_code = run["exit_code"]
    return [
        status(run["status"]),
        _second(started),
        Cell(durations.shown(run["duration_ms"]), "yellow" if run.get("anomaly") else None),
        "" if exit_code is None else str(exit_code),
        _second(run["scheduled_at"]),
        plain(run["message"] or run["excused"] or ""),
    ]


def _second(text: str | None) -> str:
    return "–" if text is None else text[:19].replace("T", " ")
