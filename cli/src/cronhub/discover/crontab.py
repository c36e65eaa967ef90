"""Crontabs, read as Debian's cron reads them; what cronie understands besides is named."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cronhub.discover import expression
from cronhub.discover.job import Found, Job, NotUnderstood, Place, Unclear, name_from, reports_itself

#: Debian's cron takes no longer command.
_LONGEST_COMMAND = 998
#: Other names are not read in /etc/cron.d, nor run in /etc/cron.daily and its like.
_FILE_NAME = re.compile(r"[A-Za-z0-9_-]+")
_VARIABLE = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^\s="']+))\s*=\s*(.*?)\s*""")
_ENTRY = re.compile(r"[ \t]*(@\S+|\S+(?:[ \t]+\S+){4})(?:[ \t]+(.*))?", re.DOTALL)
_USER = re.compile(r"(\S+)(?:[ \t]+(.*))?", re.DOTALL)
_UNESCAPED_PERCENT = re.compile(r"(?<!\\)%")
#: With none of these a command means the same to a shell and to exec.
_PLAIN_COMMAND = re.compile(r"[A-Za-z0-9_./:@,+^ \t-]+")
_PERIODS = {
    "hourly": "17 * * * *",
    "daily": "25 6 * * *",
    "weekly": "47 6 * * 7",
    "monthly": "52 6 1 * *",
}


class Crontab(NamedTuple):
    """A crontab and what is known about it."""

    file: str
    text: str
    #: Whether each line names the user who runs it.
    has_users: bool
    #: None: a file that anybody may write.
    owner: str | None = None
    service: str = ""
    product: str = "cron"


class _Line(NamedTuple):
    text: str
    place: Place
    timezone: str | None
    ends: bool


def jobs_of(crontab: Crontab) -> list[Found]:
    """Everything in it, in order. Names are distinct."""
    return with_distinct_names([_entry(line, crontab) for line in _lines(crontab)])


def with_distinct_names(found: list[Found]) -> list[Found]:
    """Of jobs that would be called the same, all but the first get a mark that stays when lines move."""
    taken: set[str] = set()
    return [_named_apart(one, taken) if isinstance(one, Job) else one for one in found]


def _named_apart(job: Job, taken: set[str]) -> Job:
    named, count = job, 1
    while named.called in taken:
        # The same line once more has the same mark.
        named = job._replace(name=f"{job.name[:100]}-{_mark(job)}" + (f"-{count}" if count > 1 else ""))
        count += 1
    taken.add(named.called)
    return named


def _mark(job: Job) -> str:
    told_apart_by = repr((job.schedule, job.timezone, job.command))
    return hashlib.sha256(told_apart_by.encode()).hexdigest()[:4]


def _lines(crontab: Crontab) -> Iterator[_Line]:
    """Those that are neither empty nor a comment nor a variable."""
    timezone: str | None = None
    raw = crontab.text.split("\n")
    for number, text in enumerate(raw, 1):
        stripped = text.lstrip(" \t")
        if not stripped.strip() or stripped.startswith("#"):
            continue
        variable = variable_of(text)
        if variable is None:
            yield _Line(text, Place(crontab.file, number), timezone, ends=number < len(raw))
        elif variable[0] == "CRON_TZ":
            timezone = variable[1] or None


def variable_of(line: str) -> tuple[str, str] | None:
    """The name and value of `NAME = value`; None: it is no such line."""
    found = _VARIABLE.fullmatch(line.rstrip("\r"))
    if found is None:
        return None
    name = next(part for part in found.groups()[:3] if part is not None)
    value = found[4]
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
        value = value[1:-1]
    return name, value


def _entry(line: _Line, crontab: Crontab) -> Found:
    try:
        return _job(line, crontab)
    except NotUnderstood as error:
        return Unclear(line.place, line.text.strip(), str(error))


def _job(line: _Line, crontab: Crontab) -> Job:
    entry = _ENTRY.fullmatch(line.text)
    if entry is None:
        raise NotUnderstood("this is neither a schedule with a command nor a variable")
    written = entry[1]
    schedule = schedule_of(written.removeprefix("-"))
    user, command = _user_and_command(entry[2] or "", crontab)
    _require_a_command(command, line)
    shown = split_at_percent(command)[0].replace("\\%", "%").strip()
    return Job(
        kind="crontab",
        place=line.place,
        product=crontab.product,
        service=crontab.service or host(),
        name=name_from(shown) + (f"-{user}" if user and user != "root" and crontab.owner is None else ""),
        schedule=schedule,
        timezone=line.timezone,
        command=shown,
        written=line.text,
        reports=reports_itself(command),
        notes=tuple(_notes(written, schedule, command, line.timezone)),
    )


def _require_a_command(command: str, line: _Line) -> None:
    if not command.strip():
        raise NotUnderstood("there is no command")
    if len(command) > _LONGEST_COMMAND:
        raise NotUnderstood(f"the command is longer than the {_LONGEST_COMMAND} characters that cron takes")
    if not line.ends:
        raise NotUnderstood("the last line does not end with a newline, so cron does not run it")


def _notes(written: str, schedule: str | None, command: str, timezone: str | None) -> Iterator[str]:
    if written.startswith("-"):
        yield "the - before the schedule is cronie's: Debian's cron refuses this line"
    if command.endswith("\r"):
        yield "the line ends as on Windows: the command ends with a carriage return"
    if timezone:
        yield "CRON_TZ counts with cronie; Debian's cron runs by the machine's time zone"
    if schedule is None:
        yield "runs at boot: it is never missed, but a failure is told"


def schedule_of(written: str) -> str | None:
    """None: at boot. Raises NotUnderstood."""
    if written == "@reboot":
        return None
    if written.startswith("@"):
        if written not in expression.NAMES:
            raise NotUnderstood(f"{written} is no name of a schedule that cron knows")
        return written
    return expression.translated(written, expression.CRON)


def _user_and_command(rest: str, crontab: Crontab) -> tuple[str | None, str]:
    if not crontab.has_users:
        return crontab.owner, rest
    found = _USER.fullmatch(rest)
    if found is None or not (found[2] or "").strip():
        raise NotUnderstood("there is no command: a system crontab has a user before it")
    return found[1], found[2]


def split_at_percent(command: str) -> tuple[str, str | None]:
    """The command, and what it reads: cron takes what follows the first % that has no backslash as input."""
    found = _UNESCAPED_PERCENT.search(command)
    if found is None:
        return command, None
    return command[: found.start()], command[found.start() :]


def wrapped(job: Job, exec_command: str) -> str:
    """The line, with its command run by `cronhub exec`; what cron makes of it stays the same."""
    entry = _ENTRY.fullmatch(job.written)
    assert entry is not None
    rest = entry[2]
    crontab_command = rest
    # In a system crontab the user comes first; `command` tells where it ends.
    first = split_at_percent(rest)[0].replace("\\%", "%").strip()
    if first != job.command:
        user = _USER.fullmatch(rest)
        assert user is not None
        crontab_command = user[2]
    head = job.written[: len(job.written) - len(crontab_command)]
    command, after = split_at_percent(crontab_command)
    return f"{head}{exec_command} {_for_exec(command)}{after or ''}"


def _for_exec(command: str) -> str:
    text = command.strip(" \t")
    if _PLAIN_COMMAND.fullmatch(text) and not text.startswith("-"):
        return f"-- {text}"
    # The text stays as it is, \% too: cron takes the backslash away before the shell sees it.
    return "--shell -- '" + text.replace("'", "'\\''") + "'"


# -- this machine


def host() -> str:
    return socket.gethostname().split(".")[0] or "host"


def read_file(path: Path, *, has_users: bool | None = None, owner: str | None = None) -> Crontab:
    """Raises OSError. Whether lines name users is told by where it stands, or else by what they say."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    if has_users is None:
        has_users = _is_system(path)
    return Crontab(str(path), text, has_users, owner)


def _is_system(path: Path) -> bool:
    whole = path.resolve()
    return (whole.name == "crontab" and whole.parent.name == "etc") or whole.parent.name == "cron.d"


def on_machine(root: Path = Path("/")) -> Iterator[Found]:
    """System crontabs, the folders that are run periodically, and users' crontabs as far as they may be read."""
    yield from _of_file(root / "etc/crontab")
    for path in _listed(root / "etc/cron.d"):
        if _FILE_NAME.fullmatch(path.name):
            yield from _of_file(path)
        elif not path.name.startswith("."):
            yield Unclear(Place(str(path)), "", "cron reads no file of this name in /etc/cron.d")
    for spool in ("var/spool/cron/crontabs", "var/spool/cron"):
        for path in _listed(root / spool):
            if path.is_file():
                yield from _of_file(path, owner=path.name)
    yield from periodic(root)


def _of_file(path: Path, owner: str | None = None) -> Iterator[Found]:
    try:
        yield from jobs_of(read_file(path, has_users=owner is None, owner=owner))
    except FileNotFoundError:
        return
    except OSError as error:
        yield Unclear(Place(str(path)), "", f"it cannot be read: {error.strerror}")


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def periodic(root: Path) -> Iterator[Found]:
    """/etc/cron.daily and its like. When they run is said in /etc/crontab."""
    times = dict(_times_of_folders(root / "etc/crontab"))
    for period, usual in _PERIODS.items():
        for path in _listed(root / f"etc/cron.{period}"):
            if path.name.startswith(".") or not path.is_file():
                continue
            place = Place(str(path))
            if not _FILE_NAME.fullmatch(path.name):
                yield Unclear(place, "", "run-parts runs no file of this name")
            elif not os.access(path, os.X_OK):
                yield Unclear(place, "", "it is not executable, so it is not run")
            else:
                yield _periodic_job(path, times.get(period, usual), period)


def _periodic_job(path: Path, schedule: str, period: str) -> Job:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    return Job(
        kind="periodic",
        place=Place(str(path)),
        product="cron",
        service=host(),
        name=f"{path.name}-{period}",
        schedule=schedule,
        timezone=None,
        command=str(path),
        written=str(path),
        reports=reports_itself(text),
        # The scripts of a folder run one after the other.
        settings={"grace_seconds": 3600},
        notes=("it is not rewritten: put `cronhub exec` into the script",),
    )


def _times_of_folders(path: Path) -> Iterator[tuple[str, str]]:
    for one in _of_file(path):
        if isinstance(one, Job) and one.schedule and (found := re.search(r"/etc/cron\.(\w+)", one.command)):
            yield found[1], one.schedule


def machine_timezone(root: Path = Path("/")) -> str:
    """The IANA name of this machine's time zone."""
    named = os.environ.get("TZ", "").lstrip(":")
    if "/" in named and not named.startswith("/"):
        return named
    try:
        target = os.readlink(root / "etc/localtime")
        if "zoneinfo/" in target:
            return target.split("zoneinfo/", 1)[1]
    except OSError:
        pass
    try:
        return (root / "etc/timezone").read_text(encoding="utf-8").strip() or "UTC"
    except OSError:
        return "UTC"


def shell_words(words: list[str]) -> str:
    """Quoted for a crontab: a % must be escaped."""
    return " ".join(shlex.quote(word) for word in words).replace("%", "\\%")
