"""Some 300 crontab lines, timers, manifests and workflows: each is read as its scheduler would, or is named.

The corpus says itself what is expected. Three things check it that share no code with the tool: CronHub's own
parser (which was measured against Debian's cron), systemd-analyze, and Kubernetes' rule written once more.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from cronhub.discover import calendar, crontab, expression, manifests, systemd
from cronhub.discover.job import Found, Job, NotUnderstood, Unclear

from chalicelib.domain.schedule.schedule import CronSchedule, Interval, ScheduleError, parse_schedule

CORPUS = Path(__file__).parent / "corpus"
#: How many times are compared, in so many days: February 29 is among them.
COMPARED, DAYS = 40, 800
START = datetime(2026, 3, 10, 12, tzinfo=UTC)
END = START + timedelta(days=365 * 9)


def shown(one: Found) -> str:
    if isinstance(one, Unclear):
        return f"! {one.why}"
    words = [one.name, one.schedule or "at boot", one.timezone, "watched" if one.reports else None]
    return " | ".join(word for word in words if word)


def expected_in(path: Path) -> Iterator[tuple[int, str]]:
    """The number of the line that is meant, and what is expected of it."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("#= "):
            yield number + 1, line[3:].strip()
        elif line.startswith("#! "):
            yield number + 1, f"! {line[3:].strip()}"


def fits(found: str, wanted: str) -> bool:
    return wanted[2:] in found if wanted.startswith("! ") and found.startswith("! ") else found == wanted


FILES = sorted([*CORPUS.glob("crontabs/*"), *CORPUS.glob("system-crontabs/*")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_line_of_a_crontab_is_read_as_cron_would_or_named(path: Path) -> None:
    table = crontab.Crontab(path.name, path.read_bytes().decode(), has_users=path.parent.name == "system-crontabs")
    found = {one.place.line or 0: shown(one) for one in crontab.jobs_of(table)}
    wanted = dict(expected_in(path))

    assert sorted(found) == sorted(wanted)
    wrong = {line: (found[line], wanted[line]) for line in found if not fits(found[line], wanted[line])}
    assert wrong == {}


def test_cronhub_takes_and_refuses_the_same_as_the_tool_says_cron_does() -> None:
    wrong = []
    for path in FILES:
        for line in path.read_text().splitlines():
            fields = line.lstrip("- \t").split()[:5]
            if line.startswith("#") or crontab.variable_of(line) or len(fields) < 5 or fields[0].startswith("@"):
                continue
            written = " ".join(fields)
            if _understood(written) is not _taken(written):
                wrong.append(written)

    # Cron takes a step that is too large; a number may begin with zeros.
    assert wrong == []


def _understood(written: str) -> bool:
    try:
        return _taken(expression.translated(written, expression.CRON))
    except NotUnderstood:
        return False


def _taken(written: str) -> bool:
    try:
        parse_schedule(written, "UTC")
    except ScheduleError:
        return False
    return True


CALENDARS = [
    tuple(part.strip() for part in line.rsplit(" = ", 1))
    for line in (CORPUS / "timers/calendars.txt").read_text().splitlines()
    if " = " in line and not line.startswith("#")
]


def is_read(text: str) -> bool:
    try:
        calendar.parse(text)
    except NotUnderstood:
        return False
    return True


@pytest.mark.parametrize(("text", "wanted"), CALENDARS)
def test_a_calendar_expression_is_read_or_refused_and_cronhub_agrees(text: str, wanted: str) -> None:
    assert is_read(text) is (wanted != "?")
    if wanted not in ("?", "!"):
        assert _next(text, 4) == _next(wanted, 4)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_itself_reads_every_calendar_expression_so() -> None:
    wrong = {text: (_elapses(text, 2), wanted) for text, wanted in CALENDARS if not _agrees(text, wanted)}

    assert wrong == {}


def _agrees(text: str, wanted: str) -> bool:
    theirs = _elapses(text, 2)
    return theirs is None if wanted == "?" else theirs == _next(text, 2)


def _elapses(text: str, count: int) -> list[str] | None:
    """When systemd would start it, in UTC; None: it refuses it."""
    done = subprocess.run(
        ["systemd-analyze", "calendar", f"--iterations={count}", f"--base-time={START:%F %T} UTC", text],
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LANG": "C"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        return None
    return re.findall(r"(?:elapse|Iteration #\d+|Iter\. #\d+): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", done.stdout)


def _next(schedule: str, count: int) -> list[str]:
    try:
        times = parse_schedule(schedule, "UTC")
    except ScheduleError:
        # The 30th of February: systemd takes it, and never starts it.
        return []
    assert not isinstance(times, Interval)
    return [f"{at:%Y-%m-%d %H:%M:%S}" for at in times.between(START, END, count)]


TIMERS = {
    "backup": "backup | *-*-* 02:30:00 | Europe/Paris",
    "repeat": "repeat | @every 1h30m",
    "boot": "boot | at boot",
    "reset": "reset | weekly",
    "two": "! several schedules",
    "none": "! it has no schedule",
    "wrong": "! sometimes is no date",
    "garbage": "! it has no schedule",
    "dropped": "dropped | *-*-* 05:00",
}


@pytest.mark.parametrize("name", TIMERS)
def test_a_timer_is_read_from_its_unit_and_drop_ins(name: str) -> None:
    folder = CORPUS / "timers"
    (found,) = systemd.jobs_of(folder / f"{name}.timer", folders=(folder,))

    assert fits(shown(found), TIMERS[name]), shown(found)


def test_what_a_timer_starts_and_how_late_it_may_is_known() -> None:
    folder = CORPUS / "timers"
    (backup,) = systemd.jobs_of(folder / "backup.timer", folders=(folder,))
    (boot,) = systemd.jobs_of(folder / "boot.timer", folders=(folder,))

    assert isinstance(backup, Job)
    assert isinstance(boot, Job)
    assert backup.command == "/usr/local/bin/backup  --all"
    assert backup.settings == {"grace_seconds": 30 * 60 + 60 + 300}
    assert boot.command == "/opt/other --once"


MANIFESTS = [CORPUS / "manifests" / name for name in ("everyday.yaml", "list.json", "fleet.yaml")]


def _cron_jobs(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and value.get("kind") == "CronJob":
        yield value
    elif isinstance(value, dict):
        for one in value.get("items") or ():
            yield from _cron_jobs(one)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_every_cron_job_is_read_as_kubernetes_would_or_named(path: Path) -> None:
    wanted = [
        one["metadata"]["annotations"]["expect"] if "annotations" in one["metadata"] else ""
        for document in yaml.safe_load_all(path.read_text())
        for one in _cron_jobs(document)
    ]
    found = [
        f"! {one.why}" if isinstance(one, Unclear) else f"{one.schedule} {one.timezone}"
        for one in manifests.jobs_of(path)
    ]

    assert len(found) == len(wanted)
    assert [pair for pair in zip(found, wanted, strict=True) if not fits(*pair)] == []


def test_kubernetes_own_rule_starts_them_at_the_same_minutes() -> None:
    wrong = []
    for path in MANIFESTS:
        for one in manifests.jobs_of(path):
            if not isinstance(one, Job) or one.schedule is None or one.schedule.startswith("@"):
                continue
            written = one.written.split(" ", 1)[1] if "TZ=" in one.written else one.written
            if kubernetes_minutes(written) != cron_minutes(one.schedule):
                wrong.append((written, one.schedule))

    assert wrong == []


def kubernetes_minutes(written: str) -> list[datetime]:
    """As robfig/cron v3 decides: of two day fields either is enough, unless one is a star."""
    bounds = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
    months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    names = {name: place + 1 for place, name in enumerate(months)}
    names |= {name: place for place, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
    sets, stars = [], []
    for field, (low, high) in zip(written.split(), bounds, strict=True):
        values: set[int] = set()
        star = False
        for item in field.lower().split(","):
            span, _, step = item.partition("/")
            ends = [names.get(end, end) for end in span.split("-")]
            first, last = (low, high) if span in "*?" else (int(ends[0]), int(ends[-1]))
            if step and len(ends) == 1 and span not in "*?":
                last = high
            star = star or (span in "*?" and step in ("", "1"))
            values.update(range(first, last + 1, int(step or 1)))
        sets.append(values)
        stars.append(star)
    times = (
        at + timedelta(hours=hour, minutes=minute)
        for at in _days_from_start()
        if at.month in sets[3] and _is_day(at, sets[2], sets[4], any_star=stars[2] or stars[4])
        for hour in sorted(sets[1])
        for minute in sorted(sets[0])
    )
    return list(islice(times, COMPARED))


def _days_from_start() -> Iterator[datetime]:
    first = START.replace(hour=0) + timedelta(days=1)
    yield from (first + timedelta(days=day) for day in range(DAYS))


def _is_day(at: datetime, days: set[int], weekdays: set[int], *, any_star: bool) -> bool:
    is_day, is_weekday = at.day in days, at.isoweekday() % 7 in weekdays
    return is_day and is_weekday if any_star else is_day or is_weekday


def cron_minutes(schedule: str) -> list[datetime]:
    times = parse_schedule(schedule, "UTC")
    assert isinstance(times, CronSchedule)
    days = list(_days_from_start())
    at = times.next(days[0] - timedelta(seconds=1))
    found: list[datetime] = []
    while at is not None and at < days[-1] + timedelta(days=1) and len(found) < COMPARED:
        found.append(at)
        at = times.next(at)
    return found


@pytest.mark.parametrize("name", ["helm-template.yaml", "tabs.yaml"])
def test_what_is_no_yaml_is_named_with_its_line(name: str) -> None:
    (found,) = manifests.jobs_of(CORPUS / "manifests" / name)

    assert isinstance(found, Unclear)
    assert re.match(r"it is not YAML \(line \d+\)", found.why)


@pytest.mark.parametrize("path", sorted((CORPUS / "workflows").glob("*")), ids=lambda path: path.name)
def test_every_workflow_is_read_as_github_would_or_named(path: Path) -> None:
    wanted = re.findall(r"^# expect: (.*)$", path.read_text(), re.MULTILINE)
    found = [shown(one).replace(" | watched", "") for one in manifests.jobs_of(path)]

    assert len(found) == len(wanted), found
    assert [pair for pair in zip(found, wanted, strict=True) if not fits(*pair)] == []


def test_the_corpus_is_as_large_as_it_says() -> None:
    lines = sum(len(list(expected_in(path))) for path in FILES)
    others = len(CALENDARS) + len(TIMERS) + sum(len(manifests.jobs_of(path)) for path in MANIFESTS)

    assert lines > 120
    assert lines + others > 260
