"""Finds scheduled jobs on this machine or in files, and shows which of them CronHub does not watch.

  cronhub discover                              this machine's crontabs and timers, this folder's workflows
  cronhub discover crontab /etc/cron.d/backup   this file only
  cronhub discover kubernetes manifests/        CronJobs in the files below this folder

--register registers those that are not watched. --rewrite also has them report: crontab lines use `cronhub exec`,
and the services of timers get a drop-in. It shows a diff, asks, and keeps a backup of what it changes. Both may be
done again and again.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from cronhub.client import Client, Object, Refused, with_key
from cronhub.commands.arguments import json_option
from cronhub.discover import crontab, drop_ins, manifests, rewriting, systemd
from cronhub.discover.job import Found, Job, Place, Unclear, id_in
from cronhub.discover.registering import Registered, register
from cronhub.settings import UsageError, load
from cronhub.terminal import Cell, plain, say_json, table

KINDS = ("crontab", "systemd", "kubernetes", "github")


def options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("kind", nargs="?", help=f"{', '.join(KINDS)}; or the first file")
    add("files", nargs="*", metavar="FILE", help="only these files and folders")
    add("--product", help="register them under this product")
    add("--service", help="register them under this service; by default that is the host, namespace or repository")
    add("--timezone", help="of crontabs and timers that name none; that of this machine unless given")
    add("--register", action="store_true", help="register what is not watched")
    add("--rewrite", action="store_true", help="register, and have crontab lines and timers report")
    add("--yes", action="store_true", help="do not ask before something is changed")
    add("--check", action="store_true", help="end with status 1 if something is not watched")
    json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    kind, files = _wanted(arguments)
    crontabs, found = _find(kind, files)
    found = _placed(found, arguments)
    settings = load()
    client = Client(settings) if settings.key else None
    registers = arguments.register or arguments.rewrite
    if registers:
        client = with_key(settings)
    known = _known(client)
    jobs = [one for one in found if isinstance(one, Job)]
    done = register(client, jobs, known) if registers and client else Registered({}, {}, {})
    watched = {job.called: _is_watched(job, known, done) for job in jobs}
    _show(found, watched, done, arguments)
    if arguments.rewrite:
        changes = rewriting.changes_of(crontabs, jobs, done.ids, settings)
        asking = Asking(arguments.yes, sys.stderr if arguments.json else sys.stdout)
        _rewrite(changes, drop_ins.drop_ins_of(jobs, done.ids, settings), asking)
    return 1 if arguments.check and not all(watched.values()) else 0


def _wanted(arguments: argparse.Namespace) -> tuple[str | None, list[Path]]:
    files = [Path(name) for name in dict.fromkeys(arguments.files)]
    if arguments.kind is None or arguments.kind in KINDS:
        kind: str | None = arguments.kind
    else:
        kind = None
        files.insert(0, Path(arguments.kind))
    missing = [str(path) for path in files if not path.exists()]
    if missing:
        raise UsageError(f"there is no {missing[0]}: name a kind ({', '.join(KINDS)}) or files that are there")
    return kind, files


def _find(kind: str | None, files: list[Path]) -> tuple[list[crontab.Crontab], list[Found]]:
    if files:
        return _in_files(kind, files)
    crontabs: list[crontab.Crontab] = []
    found: list[Found] = []
    if kind in (None, "crontab"):
        own = rewriting.own_crontab()
        if own is not None:
            crontabs.append(crontab.Crontab(rewriting.OWN, own, has_users=False, owner=getpass.getuser()))
            found += crontab.jobs_of(crontabs[-1])
        listed = [one for one in crontab.on_machine() if own is None or not _is_own(one)]
        found += listed
        crontabs += _crontabs_of(listed)
    if kind in (None, "systemd"):
        found += systemd.on_machine()
    if kind in (None, "github"):
        found += manifests.on_machine("github", Path.cwd())
    if kind == "kubernetes":
        found += manifests.on_machine("kubernetes", Path.cwd())
    return crontabs, crontab.with_distinct_names(found)


def _is_own(one: Found) -> bool:
    """The same crontab once more, as root sees it in the spool."""
    path = Path(one.place.file)
    return "spool/cron" in one.place.file and path.name == getpass.getuser()


def _crontabs_of(found: list[Found]) -> list[crontab.Crontab]:
    paths = dict.fromkeys(one.place.file for one in found if isinstance(one, Job) and one.kind == "crontab")
    in_spool = {path: Path(path).name for path in paths if "spool/cron" in path}
    return [
        crontab.read_file(Path(path), has_users=path not in in_spool, owner=in_spool.get(path)) for path in paths
    ]


def _in_files(kind: str | None, files: list[Path]) -> tuple[list[crontab.Crontab], list[Found]]:
    crontabs: list[crontab.Crontab] = []
    found: list[Found] = []
    for path in files:
        of_kind = kind or _guessed(path)
        if path.is_dir():
            found += _in_folder(of_kind, path, crontabs)
        elif of_kind == "crontab":
            found += _in_crontab(path, crontabs)
        elif of_kind == "systemd":
            found += systemd.jobs_of(path, folders=(path.parent,))
        else:
            found += manifests.jobs_of(path)
    return crontabs, crontab.with_distinct_names(found)


def _in_crontab(path: Path, crontabs: list[crontab.Crontab]) -> list[Found]:
    try:
        crontabs.append(crontab.read_file(path))
    except OSError as error:
        return [Unclear(Place(str(path)), "", f"it cannot be read: {error.strerror}")]
    return crontab.jobs_of(crontabs[-1])


def _in_folder(kind: str, folder: Path, crontabs: list[crontab.Crontab]) -> Iterator[Found]:
    if kind in ("kubernetes", "github"):
        yield from manifests.on_machine(kind, folder)
    elif kind == "systemd":
        for path in sorted(folder.glob("*.timer")):
            yield from systemd.jobs_of(path, folders=(folder,))
    else:
        for path in sorted(folder.iterdir()):
            if path.is_file():
                yield from _in_crontab(path, crontabs)


def _guessed(path: Path) -> str:
    if path.suffix == ".timer":
        return "systemd"
    if path.suffix in (".yaml", ".yml", ".json"):
        return "kubernetes"
    if path.is_dir():
        return "github" if (path / ".github").is_dir() else "kubernetes"
    return "crontab"


def _placed(found: list[Found], arguments: argparse.Namespace) -> list[Found]:
    """With the product, service and time zone that were asked for."""
    zone = arguments.timezone or crontab.machine_timezone()
    return [
        one._replace(
            product=arguments.product or one.product,
            service=arguments.service or one.service,
            timezone=one.timezone or (zone if one.schedule and not one.schedule.startswith("@every") else None),
        )
        if isinstance(one, Job)
        else one
        for one in found
    ]


def _known(client: Client | None) -> dict[str, Object]:
    """The crons that CronHub has, by what they are called and by id."""
    if client is None:
        return {}
    try:
        listed = list(client.pages("/api/crons", "crons"))
    except Refused as error:
        if error.status != 403:
            raise
        # A key that may register but not read: registering tells as much.
        return {}
    known = {f"{cron['product']}/{cron['service']}/{cron['name']}": cron for cron in listed}
    return {**known, **{str(cron["id"]): cron for cron in listed}}


def _is_watched(job: Job, known: dict[str, Object], done: Registered) -> bool:
    cron_id = id_in(job.written) or id_in(job.command)
    if job.reports and cron_id and known:
        return cron_id in known
    return job.reports or job.called in known or job.called in done.ids


# -- showing and rewriting


def _show(found: list[Found], watched: dict[str, bool], done: Registered, arguments: argparse.Namespace) -> None:
    jobs = [one for one in found if isinstance(one, Job)]
    unclear = [one for one in found if isinstance(one, Unclear)]
    if arguments.json:
        say_json(
            {
                "jobs": [_as_json(job, watched[job.called], done) for job in jobs],
                "not_understood": [{**one._asdict(), "place": str(one.place)} for one in unclear],
            }
        )
        return
    if not found:
        print("no scheduled jobs were found")
    if jobs:
        rows = [_row(job, watched[job.called], done) for job in jobs]
        print("\n".join(table(("WATCHED", "NAME", "SCHEDULE", "TIME ZONE", "WHERE", "COMMAND"), rows)))
    for note in dict.fromkeys(note for job in jobs for note in job.notes):
        print(f"note: {note} ({', '.join(str(job.place) for job in jobs if note in job.notes)})")
    for called, why in done.refused.items():
        print(f"refused: {called}: {why}")
    if unclear:
        print("\nnot understood, or never run:")
        print(
            "\n".join(
                f"  {one.place}: {one.why}" + (f": {plain(one.text)[:100]}" if one.text else "") for one in unclear
            )
        )
    if not arguments.register and not arguments.rewrite and not all(watched.values()):
        print(f"\n{list(watched.values()).count(False)} are not watched: --register registers them")


def _as_json(job: Job, is_watched: bool, done: Registered) -> Object:
    return {
        **job._asdict(),
        "place": str(job.place),
        "watched": is_watched,
        "id": done.ids.get(job.called) or id_in(job.written),
        "result": done.results.get(job.called),
        "refused": done.refused.get(job.called),
    }


def _row(job: Job, is_watched: bool, done: Registered) -> list[Cell | str]:
    result = done.results.get(job.called)
    state = {"created": "registered", "updated": "updated"}.get(result or "", "yes" if is_watched else "no")
    return [
        Cell(state, "green" if is_watched else "yellow"),
        job.called,
        job.schedule or "at boot",
        job.timezone or "",
        str(job.place),
        job.command,
    ]


class Asking(NamedTuple):
    """Shows each change, and asks before it is made."""

    is_agreed: bool
    #: Standard error where standard output is JSON.
    stream: TextIO

    def say(self, text: str) -> None:
        print(text, file=self.stream)

    def may_change(self, file: str, diff: str) -> bool:
        self.say(f"\n{diff}")
        if self.is_agreed:
            return True
        if not sys.stdin.isatty():
            raise UsageError("nothing was changed: without a terminal say --yes to change files")
        return input(f"Change {file}? [y/N] ").strip().lower() in ("y", "yes")


def _rewrite(changes: list[rewriting.Change], wanted: list[drop_ins.DropIn], asking: Asking) -> None:
    for change in changes:
        if asking.may_change(change.crontab.file, change.diff()):
            asking.say(f"{change.crontab.file} is changed; as it was: {rewriting.apply(change)}")
    written = 0
    for one in wanted:
        if asking.may_change(str(one.path.parent), one.diff()):
            drop_ins.apply(one)
            written += 1
            asking.say(f"{one.path} is written; remove it to undo this")
    if written:
        asking.say("systemd reads this after `systemctl daemon-reload` (--user for your own timers)")
