"""What was found: jobs, and lines that are not understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, Dict, NamedTuple, Union  # noqa: UP035


class NotUnderstood(Exception):
    """Why something is no job that can be watched; for people."""


class Place(NamedTuple):
    """Where a job stands."""

    file: str
    #: Counted from 1; None where the file as a whole is meant.
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class Job(NamedTuple):
    #: `crontab`, `periodic`, `systemd`, `kubernetes` or `github`.
    kind: str
    place: Place
    product: str
    service: str
    name: str
    #: As CronHub takes it; None: it has no set times.
    schedule: str | None
    #: None: that of the machine, or UTC.
    timezone: str | None
    command: str
    #: As it stands there.
    written: str
    #: Whether it reports itself to CronHub.
    reports: bool = False
    #: Settings that follow from how it is scheduled.
    settings: Dict[str, Any] = {}  # noqa: UP006, RUF012
    #: What people should know.
    notes: tuple[str, ...] = ()
    #: The systemd service that it is.
    unit: str | None = None

    @property
    def called(self) -> str:
        return f"{self.product}/{self.service}/{self.name}"


class Unclear(NamedTuple):
    """A line or file that is not understood, or that is never run."""

    place: Place
    text: str
    why: str


Found = Union[Job, Unclear]

#: Programs that run another program: the name of the job is that one's.
_WRAPPERS = frozenset(
    (
        *(
            "env",
            "nice",
            "ionice",
            "nohup",
            "sudo",
            "doas",
            "time",
            "timeout",
            "flock",
            "setlock",
            "chronic",
            "chpst",
        ),
        *("systemd-cat", "systemd-inhibit", "su", "runuser", "exec", "stdbuf", "taskset", "unbuffer", "ssh"),
    )
)
#: What comes before the job itself.
_NO_JOB = frozenset(
    (
        *(
            "cd",
            "test",
            "[",
            "[[",
            "true",
            "sleep",
            "echo",
            "umask",
            ".",
            "source",
            "export",
            "set",
            "mkdir",
            "command",
        ),
        *("if", "then", "else", "elif", "fi", "do", "done", "for", "while", "case", "esac"),
    )
)
#: Options of wrappers that are followed by a value.
_WITH_VALUE = ("-n", "-u", "-w", "-c", "-s", "-E")
_INTERPRETERS = re.compile(
    r"(ba|da|z|k|fi|c|tc)?sh|python[\d.]*|perl|ruby|php[\d.]*|node|java|Rscript|poetry|bundle|uv"
)
_REPORTS = re.compile(
    r"\bcronhub\s+(?:exec|systemd)\b|\bcronhub-run\b|/api/(?:ping|start|fail|crons)/[0-9a-f]{8}-|/ping/[0-9a-f]{8}-[0-9a-f]{4}-8"
)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def reports_itself(command: str) -> bool:
    return _REPORTS.search(command) is not None


def id_in(command: str) -> str | None:
    """The id of the cron that it reports as."""
    found = _ID.search(command)
    return found[0] if found else None


def name_from(command: str) -> str:
    """A short name that a person would give to this command."""
    text = re.sub(r"\s+#.*$", "", command).strip()
    # A test or a change of folder comes before what the job is about.
    parts = [part.strip() for part in re.split(r"&&|\|\||[;|]|\b(?:then|do|else) ", text)]
    for part in parts:
        name = _program(part)
        if name and name not in _NO_JOB:
            return name[:100]
    return "job"


def _program(part: str) -> str:
    words = _without_wrappers(_words(part))
    if not words:
        return ""
    program = Path(words[0]).name
    if program == "run-parts":
        return Path(words[-1]).name
    if _INTERPRETERS.fullmatch(program):
        inner = [word for word in words[1:] if not word.startswith("-") and word not in ("exec", "run")]
        module = words[words.index("-m") + 1] if "-m" in words[:-1] else None
        if module or inner:
            program = module or Path(inner[0].split()[0]).name
    return re.sub(r"[^\w.+-]+", "-", re.sub(r"\.(sh|py|pl|rb|php|js|bash|jar)$", "", program)).strip("-.")


def _words(part: str) -> list[str]:
    try:
        words = shlex.split(part.strip("(){} \t"))
    except ValueError:
        words = [word.strip("\"'") for word in part.split()]
    return [word for word in words if word.strip("(){} ")]


def _without_wrappers(words: list[str]) -> list[str]:
    """Without variables that are set, and programs that run another program, with their options."""
    while words and (re.fullmatch(r"[A-Za-z_]\w*=.*", words[0]) or Path(words[0]).name in _WRAPPERS):
        is_wrapper = Path(words[0]).name in _WRAPPERS
        first = Path(words.pop(0)).name
        while is_wrapper and words and words[0].startswith("-"):
            option = words.pop(0)
            if option in _WITH_VALUE and len(words) > 1 and not words[0].startswith(("-", "/")):
                words.pop(0)
        # These take a word of their own: timeout 5m, flock /lock.
        if first in ("timeout", "flock", "setlock", "taskset", "ssh") and len(words) > 1:
            words.pop(0)
    return words
