"""Has systemd's services report by a drop-in of their own: as a diff first; no unit is changed."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import NamedTuple

from cronhub.discover import rewriting, systemd
from cronhub.discover.job import Job
from cronhub.settings import Settings, UsageError

NAME = "cronhub.conf"
#: Nothing that means something to systemd or a shell, but the quotes around a path with blanks.
_PLAIN = re.compile(r"[A-Za-z0-9_./:@+=,' -]+")


class DropIn(NamedTuple):
    path: Path
    text: str

    def diff(self) -> str:
        lines = self.text.splitlines(keepends=True)
        return "".join(difflib.unified_diff([], lines, "/dev/null", str(self.path)))


def drop_ins_of(jobs: list[Job], ids: dict[str, str], settings: Settings) -> list[DropIn]:
    """Those that are to be written. ids: of the crons, by what they are called."""
    return [
        DropIn(_place(job) / NAME, _text(ids[job.called], settings))
        for job in jobs
        if job.kind == "systemd" and job.unit and job.called in ids and not job.reports
    ]


def apply(drop_in: DropIn) -> None:
    """Writes it at once. Raises UsageError where there is a file of this name already."""
    folder = drop_in.path.parent
    folder.mkdir(parents=True, exist_ok=True)
    hidden = folder / f".{NAME}.{os.getpid()}"
    try:
        hidden.write_text(drop_in.text, encoding="utf-8")
        hidden.chmod(0o644)
        # Unlike a rename, this never takes the place of a file that is there.
        os.link(hidden, drop_in.path)
    except FileExistsError:
        raise UsageError(f"{drop_in.path} is there already and was not changed") from None
    finally:
        hidden.unlink(missing_ok=True)


def _place(job: Job) -> Path:
    folder = Path(job.place.file).parent
    # What a package brings is left to it.
    if any(folder == Path("/", one) for one in systemd.SYSTEM):
        folder = Path("/", systemd.SYSTEM[0])
    return folder / f"{job.unit}.d"


def _text(cron_id: str, settings: Settings) -> str:
    start, stop = (
        rewriting.command(["systemd", moment, "--id", cron_id], settings) for moment in ("start", "stop")
    )
    if not _PLAIN.fullmatch(start):
        raise UsageError(f"cronhub is at a path that systemd would not take as it is: {start}")
    return (
        "# Written by `cronhub discover --rewrite`: reports every run to CronHub.\n"
        "[Service]\n"
        f'ExecCondition=+/bin/sh -c "{start}; test $$? -ne 75"\n'
        f"ExecStopPost=-+{stop}\n"
    )
