"""Stops watching crons for a time: their signals are recorded, and nothing is judged."""

from __future__ import annotations

import argparse

from cronhub import lookup
from cronhub.client import with_key
from cronhub.commands.arguments import json_option
from cronhub.settings import load
from cronhub.terminal import say_json


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cron", nargs="+", help="its name, service/name, product/service/name, or id")
    json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    return act(arguments, "pause")


def act(arguments: argparse.Namespace, action: str) -> int:
    client = with_key(load())
    # All are found before any is changed.
    found = [str(lookup.find(client, one)["id"]) for one in arguments.cron]
    done = [client.post(f"/api/crons/{cron_id}/{action}") for cron_id in found]
    if arguments.json:
        say_json(done)
    else:
        for cron in done:
            print(f"{cron['product']}/{cron['service']}/{cron['name']}: {cron['status']}")
    return 0
