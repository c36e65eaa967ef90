"""Shows the incidents that are open, or with --all also those that are over."""

from __future__ import annotations

import argparse
from itertools import islice

from cronhub import lookup
from cronhub.client import Object, with_key
from cronhub.commands.arguments import json_option, positive
from cronhub.settings import load
from cronhub.terminal import Cell, relative, say_json, status, table


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cron", metavar="NAME", help="only those of this cron")
    parser.add_argument("--all", action="store_true", help="also those that are over")
    parser.add_argument("--limit", type=positive, default=50, help="how many (50)")
    json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    client = with_key(load())
    query: dict[str, str | int | None] = {
        "status": None if arguments.all else "open",
        "cron_id": str(lookup.find(client, arguments.cron)["id"]) if arguments.cron else None,
        "limit": min(arguments.limit, 1000),
    }
    found = list(islice(client.pages("/api/incidents", "incidents", query), arguments.limit))
    if arguments.json:
        say_json(found)
    elif not found:
        print("no incidents" if arguments.all else "no open incidents")
    else:
        heads = ("STATUS", "REASON", "CRON", "OPENED", "MISSED", "ACKNOWLEDGED", "ID", "NOTE")
        print("\n".join(table(heads, map(_row, found))))
    return 0


def _row(incident: Object) -> list[Cell | str]:
    by = incident["acknowledged_by"]
    return [
        status(incident["status"]),
        incident["reason"],
        f"{incident['product']}/{incident['service']}/{incident['cron_name']}",
        relative(incident["opened_at"]),
        str(incident["missed"] or ""),
        f"by {by}" if by else "",
        incident["id"],
        incident["note"] or "",
    ]
