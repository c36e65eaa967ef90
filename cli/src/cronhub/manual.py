"""Writes the man page from what the commands say of themselves: python -m cronhub.manual > man/cronhub.1"""

from __future__ import annotations

import argparse

from cronhub import __version__
from cronhub.__main__ import COMMANDS, parser_of

_ENVIRONMENT = {
    "CRONHUB_URL": "Where CronHub is; http://localhost:4000 unless set.",
    "CRONHUB_API_KEY": "Your key. exec with --id needs none.",
    "CRONHUB_CONFIG": "A file with url = … and api_key = … instead of the usual ones.",
    "CRONHUB_STATE": "Where reports wait that could not be sent, and backups of crontabs are kept.",
    "CRONHUB_START_BUDGET": "How many seconds a job may be held up at its start if CronHub does not answer (5).",
    "CRONHUB_FINISH_BUDGET": "The same at its end (10).",
    "CRONHUB_BACKGROUND": "off: exec leaves no process behind that sends what waits.",
    "NO_COLOR": "Switches colours off.",
}
_FILES = {
    "~/.config/cronhub/config, /etc/cronhub/config": "The address and the key, where the environment has none.",
    "~/.local/state/cronhub, /var/lib/cronhub": "Reports that wait, ids that are remembered, backups of crontabs.",
}
_STATUSES = {
    "0": "All went well.",
    "1": "CronHub refused, or what --check asks for is not so.",
    "2": "The call is wrong; nothing was done.",
    "75": "CronHub cannot be reached; or exec: a dependency is not completed, and the command did not run.",
    "124, 126, 127": "exec: the command was ended by --timeout, could not be run, was not found.",
    "others": "exec: those of the command. It ends by the signal that killed the command.",
}


def page() -> str:
    lines = [
        f'.TH CRONHUB 1 "" "cronhub {__version__}" "CronHub"',
        ".SH NAME",
        "cronhub \\- watch cron jobs with CronHub",
        ".SH SYNOPSIS",
        ".B cronhub",
        "\\fICOMMAND\\fR [\\fIoptions\\fR]",
        ".SH DESCRIPTION",
        "Runs jobs and reports them, finds jobs that are not watched, shows how they are,",
        "and keeps what is watched as a file.",
        ".SH COMMANDS",
    ]
    for name in COMMANDS:
        lines += _command(name)
    for title, entries in (("ENVIRONMENT", _ENVIRONMENT), ("FILES", _FILES), ("EXIT STATUS", _STATUSES)):
        lines.append(f".SH {title}")
        for term, text in entries.items():
            lines += [".TP", f".B {_escaped(term)}", _escaped(text)]
    return "\n".join(lines) + "\n"


def _command(name: str) -> list[str]:
    parser = parser_of(name)
    given = [_term(action) for action in parser._actions if not action.option_strings]
    lines = [f".SS {name}", f".B {_escaped(' '.join([f'cronhub {name} [options]', *given]))}"]
    text, _, examples = (parser.description or "").strip().partition("\n\n  ")
    lines += _paragraphs(text)
    if examples:
        block, _, rest = examples.partition("\n\n")
        lines += [
            ".PP",
            ".nf",
            *(_escaped(f"  {line.strip()}") for line in block.splitlines()),
            ".fi",
            *_paragraphs(rest),
        ]
    for action in parser._actions:
        if action.help and action.dest != "help":
            lines += [".TP", f".B {_escaped(_term(action))}", _escaped(action.help)]
    return lines


def _paragraphs(text: str) -> list[str]:
    return [
        line for part in text.split("\n\n") if part.strip() for line in (".PP", _escaped(" ".join(part.split())))
    ]


def _term(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    if action.option_strings:
        return f"{', '.join(action.option_strings)} {value}".strip()
    return value if action.metavar else action.dest


def _escaped(text: str) -> str:
    """A line of text: no backslash, and no dot or quote where roff would take it for a request."""
    escaped = (
        text.replace("\\", "\\e")
        .replace("-", "\\-")
        .replace("`", "\\(ga")
        .replace("'", "\\(aq")
        .replace("…", "...")
    )
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


if __name__ == "__main__":
    print(page(), end="")
