"""Options that several commands share."""

from __future__ import annotations

import argparse

from cronhub import durations


def json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="answer in JSON")


def filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("search", nargs="?", help="part of a product, service, name or description")
    parser.add_argument("--product")
    parser.add_argument("--service")
    parser.add_argument("--tag")
    parser.add_argument("--project", metavar="ID", dest="project_id")
    parser.add_argument("--status", help="up, down, late, running, paused, …")


def filters_of(arguments: argparse.Namespace) -> dict[str, str | int | None]:
    return {
        name: getattr(arguments, name) for name in ("search", "product", "service", "tag", "project_id", "status")
    }


def span(text: str) -> float:
    try:
        return durations.seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)
