"""Acknowledges incidents: somebody is at it. With --resolve they are closed by hand."""

from __future__ import annotations

import argparse

from cronhub import lookup
from cronhub.client import Client, Object, Refused, with_key
from cronhub.commands.arguments import json_option
from cronhub.settings import load
from cronhub.terminal import say_json


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("incident", nargs="+", help="an incident's id, or a cron whose open incident is meant")
    parser.add_argument("--note", help="for others to read")
    parser.add_argument("--by", metavar="NAME", help="who you are; the name of your key unless given")
    parser.add_argument("--resolve", action="store_true", help="close it by hand")
    json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    client = with_key(load())
    action = "resolve" if arguments.resolve else "acknowledge"
    body = {name: value for name, value in (("note", arguments.note), ("by", arguments.by)) if value}
    done = [
        client.post(f"/api/incidents/{_incident_id(client, one)}/{action}", body) for one in arguments.incident
    ]
    if arguments.json:
        say_json(done)
    else:
        for incident in done:
            print(f"{incident['cron_name']}: {incident['reason']} {action.rstrip('e')}ed")
    return 0


def _incident_id(client: Client, text: str) -> str:
    try:
        return str(client.get(f"/api/incidents/{text}")["id"])
    except Refused as error:
        if error.status not in (404, 405, 422):
            raise
    cron: Object = lookup.find(client, text)
    if not cron["incident"]:
        raise Refused(404, {"detail": f"{text} has no open incident"})
    return str(cron["incident"]["id"])
