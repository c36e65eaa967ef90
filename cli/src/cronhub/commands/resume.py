"""Watches crons again that were paused."""

from __future__ import annotations

import argparse

from cronhub.commands import pause

options = pause.options


def run(arguments: argparse.Namespace) -> int:
    return pause.act(arguments, "resume")
