"""Makes an organization have what a file says: shows the plan, asks, and does it.

What the file does not name is kept, unless --prune is said. Crons are archived, not deleted. Doing it again does
nothing.
"""

from __future__ import annotations

import argparse
import sys

from cronhub.ascode import document, plan
from cronhub.client import with_key
from cronhub.commands.arguments import json_option
from cronhub.commands.plan import as_json, common, planned, show
from cronhub.settings import UsageError, load
from cronhub.terminal import say_json


def options(parser: argparse.ArgumentParser) -> None:
    common(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    client = with_key(load())
    wanted = document.read(arguments.file)
    known, made = planned(client, wanted, arguments)
    if arguments.json:
        say_json(as_json(made))
    else:
        show(made)
    if made.steps:
        if not arguments.yes:
            require_agreement("Do this?")
        plan.Doing(client, known, wanted.org, lambda text: print(text, file=sys.stderr)).run(made)
        print("done", file=sys.stderr)
    return 0


def require_agreement(question: str) -> None:
    """Raises UsageError where nobody agrees."""
    if not sys.stdin.isatty():
        raise UsageError("nothing was changed: without a terminal say --yes")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was changed")
