"""Writes what an organization has as a file for `cronhub apply`.

CronHub never shows the URLs of channels: in their place stand variables of the environment.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from cronhub.ascode import document, state
from cronhub.ascode.document import Document
from cronhub.client import with_key
from cronhub.settings import load


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="standard output unless given")
    parser.add_argument("--org", metavar="SLUG", help="also its members")
    parser.add_argument("--json", action="store_true", help="write JSON, which needs no library to be read")


def run(arguments: argparse.Namespace) -> int:
    client = with_key(load())
    sections = ["projects", "crons", "channels", "maintenance", *(["members"] if arguments.org else [])]
    text = as_text(
        _portable(state.load(client, sections, arguments.org).document, arguments.org), as_json=arguments.json
    )
    if arguments.output is None:
        print(text, end="")
    else:
        arguments.output.write_text(text, encoding="utf-8")
    return 0


def as_text(wanted: Document, *, as_json: bool) -> str:
    raw = document.raw_of(wanted)
    return (json.dumps(raw, indent=2, ensure_ascii=False) if as_json else document.yaml_text(raw)) + "\n"


def _portable(found: Document, org: str | None) -> Document:
    channels = {name: {**one, "url": f"${{{variable_of(name)}}}"} for name, one in (found.channels or {}).items()}
    windows = {name: one for name, one in (found.maintenance or {}).items() if not state.is_over(one)}
    return found._replace(
        channels=channels,
        maintenance=windows,
        # A member without a name of their own needs none in the file.
        members=found.members if org else None,
    )


def variable_of(channel: str) -> str:
    return "CHANNEL_" + (re.sub(r"[^A-Z0-9]+", "_", channel.upper()).strip("_") or "URL")
