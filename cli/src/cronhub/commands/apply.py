"""Makes an organization have what a file says: shows the plan, asks, and does it.

What the file does not name is kept, unless --prune is said. Crons are archived, not deleted. Doing it again does
nothing.
"""

from __future__ import annotations

import argparse
import sys

from cronhub.commands import planning


def options(parser: argparse.ArgumentParser) -> None:
    planning.options(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    planned = planning.planned(arguments)
    if planned.plan.steps:
        if not arguments.yes:
            planning.require_agreement("Do this?")
        planned.doing.run(planned.plan)
        print("done", file=sys.stderr)
    return 0
