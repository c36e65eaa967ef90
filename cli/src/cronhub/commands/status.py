"""Shows the crons, the worst first."""

from __future__ import annotations

import argparse

from cronhub import durations
from cronhub.client import Object, with_key
from cronhub.commands.arguments import filters, filters_of, json_option
from cronhub.settings import load
from cronhub.terminal import Cell, relative, say_json, status, table

#: In this order.
_WORST_FIRST = ("down", "late", "blocked", "running", "new", "up", "in_maintenance", "paused", "archived")


def options(parser: argparse.ArgumentParser) -> None:
    filters(parser)
    parser.add_argument("--check", action="store_true", help="end with status 1 if a cron is down")
    json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    found = crons_of(arguments)
    if arguments.json:
        say_json(found)
    elif not found:
        print("no crons")
    else:
        print("\n".join(lines(found)))
    return 1 if arguments.check and any(cron["status"] == "down" for cron in found) else 0


def crons_of(arguments: argparse.Namespace) -> list[Object]:
    client = with_key(load())
    return in_order(list(client.pages("/api/crons", "crons", filters_of(arguments))))


def in_order(crons: list[Object]) -> list[Object]:
    def rank(cron: Object) -> tuple[int, str]:
        found = cron["status"]
        return (_WORST_FIRST.index(found) if found in _WORST_FIRST else 3, name_of(cron))

    return sorted(crons, key=rank)


def name_of(cron: Object) -> str:
    return f"{cron['product']}/{cron['service']}/{cron['name']}"


def lines(crons: list[Object]) -> list[str]:
    return table(("STATUS", "CRON", "SCHEDULE", "LAST RUN", "TOOK", "NEXT", "WHY"), map(_row, crons))


def _row(cron: Object) -> list[Cell | str]:
    last = cron.get("last_run") or {}
    ended = relative(last.get("finished_at"))
    return [
        status(cron["status"]),
        name_of(cron),
        cron["schedule"] or "–",
        Cell(ended, "red" if last.get("status") in ("failed", "timeout", "missed") else None),
        durations.shown(last.get("duration_ms")),
        relative(cron["next_expected_at"]),
        _why(cron),
    ]


def _why(cron: Object) -> str:
    incident = cron.get("incident")
    if not incident:
        return ""
    missed = f", {incident['missed']} missed" if incident.get("missed") else ""
    return f"{incident['reason']} for {relative(incident['opened_at'])[: -len(' ago')]}{missed}"
