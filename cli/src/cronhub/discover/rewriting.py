"""Changes crontabs so that their jobs are run by `cronhub exec`: as a diff first, with a backup."""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from cronhub.discover.crontab import Crontab, shell_words, wrapped
from cronhub.discover.job import Job
from cronhub.settings import Settings, UsageError, files, state_folder

#: How the crontab of the user who asks is called.
OWN = "crontab -l"


class Change(NamedTuple):
    crontab: Crontab
    after: str

    def diff(self) -> str:
        before, after = (text.splitlines(keepends=True) for text in (self.crontab.text, self.after))
        return "".join(difflib.unified_diff(before, after, self.crontab.file, f"{self.crontab.file} (watched)"))


def changes_of(crontabs: list[Crontab], jobs: list[Job], ids: dict[str, str], settings: Settings) -> list[Change]:
    """Those that change anything. ids: of the crons, by what they are called."""
    listed = [job for job in jobs if job.kind == "crontab" and job.called in ids and not job.reports]
    changes = (
        _change_of(one, [job for job in listed if job.place.file == one.file], ids, settings) for one in crontabs
    )
    return [change for change in changes if change.after != change.crontab.text]


def _change_of(crontab: Crontab, jobs: list[Job], ids: dict[str, str], settings: Settings) -> Change:
    lines = crontab.text.split("\n")
    for job in jobs:
        if job.place.line is not None:
            lines[job.place.line - 1] = wrapped(job, exec_command(ids[job.called], settings))
    return Change(crontab, "\n".join(lines))


def exec_command(cron_id: str, settings: Settings) -> str:
    return command(["exec", "--id", cron_id], settings)


def command(arguments: list[str], settings: Settings) -> str:
    """With whole paths: cron's PATH is short."""
    program = shutil.which("cronhub")
    words = [program] if program else [sys.executable, "-m", "cronhub"]
    words += arguments
    if not _is_in_a_file(settings.url):
        words += ["--url", settings.url]
    return shell_words(words)


def _is_in_a_file(url: str) -> bool:
    """Whether any user's job would find this address by itself."""
    system = files()[-1]
    try:
        return url in system.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def apply(change: Change) -> Path:
    """Writes it, and returns where the backup is. Raises UsageError where the crontab was changed meanwhile."""
    crontab = change.crontab
    if current_text(crontab) != crontab.text:
        raise UsageError(f"{crontab.file} was changed meanwhile; nothing was written, please start again")
    backup = _backup(crontab)
    if crontab.owner is not None:
        _install(crontab, change.after)
    else:
        _replace(Path(crontab.file), change.after)
    return backup


def current_text(crontab: Crontab) -> str:
    if crontab.file == OWN:
        return own_crontab() or ""
    return Path(crontab.file).read_text(encoding="utf-8", errors="surrogateescape")


def own_crontab() -> str | None:
    """None: there is none, or no cron on this machine."""
    if shutil.which("crontab") is None:
        return None
    listed = subprocess.run(["crontab", "-l"], check=False, capture_output=True)  # noqa: S607
    return listed.stdout.decode("utf-8", "surrogateescape") if listed.returncode == 0 else None


def _backup(crontab: Crontab) -> Path:
    """Not beside it: cron would read a second file there."""
    folder = state_folder() / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = crontab.file.strip("/").replace("/", "-").replace(" ", "-")
    path = folder / f"{name}-{time.strftime('%Y%m%dT%H%M%S')}-{time.monotonic_ns() % 10**6:06d}"
    path.write_text(crontab.text, encoding="utf-8", errors="surrogateescape", newline="")
    return path


def _install(crontab: Crontab, text: str) -> None:
    """By cron's own tool, which checks it and tells the daemon."""
    user = [] if crontab.file == OWN else ["-u", crontab.owner or ""]
    data = text.encode("utf-8", "surrogateescape")
    done = subprocess.run(["crontab", *user, "-"], check=False, input=data, capture_output=True)  # noqa: S607
    if done.returncode != 0:
        raise UsageError(
            f"crontab refused it, nothing was changed: {done.stderr.decode(errors='replace').strip()}"
        )


def _replace(path: Path, text: str) -> None:
    """At once: cron never sees half of it. Owner and rights stay."""
    whole = path.resolve()
    hidden = whole.with_name(f".{whole.name}.cronhub-{os.getpid()}")
    before = whole.stat()
    try:
        hidden.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
        hidden.chmod(before.st_mode & 0o7777)
        if os.geteuid() == 0:
            os.chown(hidden, before.st_uid, before.st_gid)
        hidden.replace(whole)
    finally:
        hidden.unlink(missing_ok=True)
