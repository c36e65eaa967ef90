"""What `plan`, `apply` and `import` share: make a plan, show it, carry it out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

from cronhub.ascode import document, plan, state
from cronhub.ascode.plan import Plan
from cronhub.client import Client, with_key
from cronhub.commands.arguments import json_option
from cronhub.settings import UsageError, load
from cronhub.terminal import painted, plain, say_json

_WORDS = {plan.CREATE: "create", plan.CHANGE: "change", plan.REMOVE: "remove"}
_COLOURS = {plan.CREATE: "green", plan.CHANGE: "yellow", plan.REMOVE: "red"}


class Planned(NamedTuple):
    plan: Plan
    doing: plan.Doing


def options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", nargs="?", type=Path, default=Path("cronhub.yaml"), help="cronhub.yaml unless given")
    add("--prune", action="store_true", help="remove what the file does not name, in its sections")
    add("--secrets", action="store_true", help="send all channels' URLs: they cannot be compared")
    json_option(parser)


def planned(arguments: argparse.Namespace) -> Planned:
    """The plan for the file that is named, shown."""
    client = with_key(load())
    wanted = document.read(arguments.file)
    known = state.load(client, plan.sections_of(wanted), wanted.org)
    made = plan.make(wanted, known, plan.Options(arguments.prune, arguments.secrets))
    show(made, as_json=arguments.json)
    return Planned(made, doing(client, known, wanted.org))


def show(made: Plan, *, as_json: bool) -> None:
    if as_json:
        say_json(_as_json(made))
        return
    for step in made.steps:
        print(painted(f"{step.verb} {step.section}: {plain(step.name)}", _COLOURS[step.verb]))
        for detail in step.details:
            print(f"    {plain(detail)}")
    for note in made.notes:
        print(f"note: {plain(note)}")
    print(made.summary)


def _as_json(made: Plan) -> dict[str, object]:
    """Without what is to be: a channel's URL is a secret."""
    steps = [
        {"action": _WORDS[step.verb], "section": step.section, "name": step.name, "details": step.details}
        for step in made.steps
    ]
    return {"steps": steps, "notes": made.notes}


def require_agreement(question: str) -> None:
    """Raises UsageError where nobody agrees."""
    if not sys.stdin.isatty():
        raise UsageError("nothing was changed: without a terminal say --yes")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was changed")


def doing(client: Client, known: state.State, org: str | None = None) -> plan.Doing:
    """Carries out a plan; says each step on standard error, as standard output may be JSON."""
    return plan.Doing(client, known, org, lambda text: print(text, file=sys.stderr))
