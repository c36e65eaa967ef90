"""Shows what `cronhub apply` would do, and changes nothing.

The file says which projects, crons, channels, maintenance windows and members an organization has. A section that
it does not have is left alone. Secrets in channels' URLs come from the environment: ${NAME}.
"""

from __future__ import annotations

import argparse

from cronhub.commands import planning


def options(parser: argparse.ArgumentParser) -> None:
    planning.options(parser)
    parser.add_argument("--check", action="store_true", help="end with status 1 if there is something to do")


def run(arguments: argparse.Namespace) -> int:
    planned = planning.planned(arguments)
    return 1 if arguments.check and planned.plan.steps else 0
