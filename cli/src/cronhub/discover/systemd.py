"""systemd's timers, from their unit files and drop-ins."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from cronhub.discover import calendar
from cronhub.discover.crontab import host
from cronhub.discover.job import Found, Job, NotUnderstood, Place, Unclear, reports_itself
from cronhub.settings import config_home

#: The first that has a unit of a name decides.
SYSTEM = tuple(f"{place}/systemd/system" for place in ("etc", "run", "usr/local/lib", "usr/lib", "lib"))
_UNITS = {
    "usec": 1e-6, "us": 1e-6, "msec": 1e-3, "ms": 1e-3, "": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "minute": 60, "minutes": 60, "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400, "w": 604800, "week": 604800, "weeks": 604800,
    "month": 2629800, "months": 2629800, "M": 2629800, "y": 31557600, "year": 31557600, "years": 31557600,
}  # fmt: skip
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)")
_ACCURACY = 60
#: CronHub's longest.
_MOST_SECONDS = 366 * 86400


def jobs_of(path: Path, text: str | None = None, folders: tuple[Path, ...] = ()) -> list[Found]:
    """The job of a timer, or why there is none that can be watched."""
    place = Place(str(path))
    try:
        values = _values(path, text, folders)
        return [_job(path, place, values, folders)]
    except NotUnderstood as error:
        return [Unclear(place, path.name, str(error))]
    except OSError as error:
        return [Unclear(place, path.name, f"it cannot be read: {error.strerror}")]


def _values(path: Path, text: str | None, folders: tuple[Path, ...]) -> dict[str, list[str]]:
    """The timer's settings, drop-ins after the unit."""
    texts = [path.read_text(encoding="utf-8", errors="replace") if text is None else text]
    for folder in (path.parent, *folders):
        drop_ins = folder / f"{path.name}.d"
        if drop_ins.is_dir():
            texts += [
                found.read_text(encoding="utf-8", errors="replace") for found in sorted(drop_ins.glob("*.conf"))
            ]
    values: dict[str, list[str]] = {}
    for one in texts:
        for section, name, value in settings_of(one):
            if section != "Timer" and (section, name) != ("Unit", "Description"):
                continue
            if not value:
                # An empty value takes back those before it.
                values[name] = []
            else:
                values.setdefault(name, []).append(value)
    return values


def settings_of(text: str) -> Iterator[tuple[str, str, str]]:
    """Section, name and value of each line of a unit file."""
    section = ""
    for line in _whole_lines(text):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line:
            name, _, value = line.partition("=")
            yield section, name.strip(), value.strip()


def _whole_lines(text: str) -> Iterator[str]:
    """Without comments; a line that ends with a backslash goes on."""
    pending = ""
    for line in text.splitlines():
        if line.lstrip().startswith(("#", ";")):
            continue
        pending += line.strip()
        if pending.endswith("\\"):
            pending = pending[:-1] + " "
            continue
        if pending:
            yield pending
        pending = ""
    if pending:
        yield pending


def _job(path: Path, place: Place, values: dict[str, list[str]], folders: tuple[Path, ...]) -> Job:
    schedule, timezone, notes = _schedule(values)
    delay = span(values["RandomizedDelaySec"][-1]) if values.get("RandomizedDelaySec") else 0
    accuracy = span(values["AccuracySec"][-1]) if values.get("AccuracySec") else _ACCURACY
    settings = {"grace_seconds": min(int(delay + accuracy) + 300, _MOST_SECONDS)} if delay else {}
    unit = (values.get("Unit") or [f"{path.name[: -len('.timer')]}.service"])[-1]
    name = path.name.removesuffix(".timer")
    command = _command(unit, (path.parent, *folders))
    return Job(
        kind="systemd",
        place=place,
        product="systemd",
        service=host(),
        name=name,
        schedule=schedule,
        timezone=timezone,
        command=command or unit,
        written="; ".join(value for key in sorted(values) if key.startswith("On") for value in values[key]),
        reports=reports_itself(command) or _has_drop_in(unit, (path.parent, *folders)),
        settings=settings,
        notes=notes,
        unit=unit,
    )


def _schedule(values: dict[str, list[str]]) -> tuple[str | None, str | None, tuple[str, ...]]:
    times = values.get("OnCalendar", [])
    repeats = values.get("OnUnitActiveSec") or values.get("OnUnitInactiveSec")
    if len(times) > 1 or (times and repeats):
        if repeats or not (merged := calendar.merged(times)):
            raise NotUnderstood(
                "it has several schedules; a cron has one. Register it by hand, or split the timer"
            )
        return merged.text, merged.timezone, ("its schedules are one, as they differ in one part",)
    if times:
        parsed = calendar.parse(times[0])
        return parsed.text, parsed.timezone, ()
    if repeats:
        return f"@every {_every(span(repeats[-1]))}", None, ()
    if any(values.get(name) for name in ("OnBootSec", "OnStartupSec", "OnActiveSec")):
        return None, None, ("runs at boot: it is never missed, but a failure is told",)
    raise NotUnderstood("it has no schedule")


def span(text: str) -> float:
    """Seconds of a time span as systemd writes it: 1h 30min, 90, 2days."""
    found = _SPAN.findall(text)
    if not found or _SPAN.sub("", text).strip() or any(unit not in _UNITS for _, unit in found):
        raise NotUnderstood(f"{text} is no span of time")
    return sum(float(count) * _UNITS[unit] for count, unit in found)


def _every(seconds: float) -> str:
    whole = round(seconds)
    if not 1 <= whole <= _MOST_SECONDS:
        raise NotUnderstood("an interval is 1 s to 366 days")
    parts = ((whole // 3600, "h"), (whole % 3600 // 60, "m"), (whole % 60, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)


def _command(unit: str, folders: tuple[Path, ...]) -> str:
    for folder in folders:
        try:
            text = (folder / unit).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        commands = [
            value for section, name, value in settings_of(text) if (section, name) == ("Service", "ExecStart")
        ]
        return commands[-1].lstrip("-@:+!") if commands else ""
    return ""


def _has_drop_in(unit: str, folders: tuple[Path, ...]) -> bool:
    """Whether one of the service's drop-ins reports it."""
    return any(
        reports_itself(path.read_text(encoding="utf-8", errors="replace"))
        for folder in folders
        for path in (folder / f"{unit}.d").glob("*.conf")
    )


def on_machine(root: Path = Path("/")) -> Iterator[Found]:
    folders = tuple(root / folder for folder in SYSTEM)
    users = config_home() / "systemd/user"
    seen: set[str] = set()
    for folder in (*folders, users):
        for path in sorted(folder.glob("*.timer")) if folder.is_dir() else []:
            if path.name in seen or path.name.endswith("@.timer"):
                continue
            seen.add(path.name)
            # Masked: switched off for good.
            if not (path.is_symlink() and os.path.realpath(path) == "/dev/null"):
                yield from jobs_of(path, folders=folders if folder != users else ())
