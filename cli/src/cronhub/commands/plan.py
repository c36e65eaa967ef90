"""Shows what `cronhub apply` would do, and changes nothing.

The file says which projects, crons, channels, maintenance windows and members an organization has. A section that
it does not have is left alone. Secrets in channels' URLs come from the environment: ${NAME}.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cronhub.ascode import document, plan, state
from cronhub.client import Client, with_key
from cronhub.commands.arguments import json_option
from cronhub.settings import load
from cronhub.terminal import painted, plain, say_json

_COLOURS = {plan.CREATE: "green", plan.CHANGE: "yellow", plan.REMOVE: "red"}


def options(parser: argparse.ArgumentParser) -> None:
    common(parser)
    parser.add_argument("--check", action="store_true", help="end with status 1 if there is something to do")
    json_option(parser)


def common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", type=Path, default=Path("cronhub.yaml"), help="cronhub.yaml unless given"
    )
    parser.add_argument("--prune", action="store_true", help="remove what the file does not name, in its sections")
    parser.add_argument("--secrets", action="store_true", help="send all channels' URLs: they cannot be compared")


def run(arguments: argparse.Namespace) -> int:
    client = with_key(load())
    wanted = document.read(arguments.file)
    _, made = planned(client, wanted, arguments)
    if arguments.json:
        say_json(as_json(made))
    else:
        show(made)
    return 1 if arguments.check and made.steps else 0


def planned(
    client: Client, wanted: document.Document, arguments: argparse.Namespace
) -> tuple[state.State, plan.Plan]:
    known = state.load(client, plan.sections_of(wanted), wanted.org)
    return known, plan.make(wanted, known, plan.Options(arguments.prune, arguments.secrets))


def show(made: plan.Plan) -> None:
    for step in made.steps:
        print(painted(f"{step.verb} {step.section}: {plain(step.name)}", _COLOURS[step.verb]))
        for detail in step.details:
            print(f"    {plain(detail)}")
    for note in made.notes:
        print(f"note: {plain(note)}")
    print(made.summary)


def as_json(made: plan.Plan) -> dict[str, object]:
    """Without what is to be: a channel's URL is a secret."""
    words = {plan.CREATE: "create", plan.CHANGE: "change", plan.REMOVE: "remove"}
    steps = [
        {"action": words[step.verb], "section": step.section, "name": step.name, "details": step.details}
        for step in made.steps
    ]
    return {"steps": steps, "notes": made.notes}
