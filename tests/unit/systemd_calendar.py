"""What `systemd-analyze calendar` computes, asked now or recorded.

`python -m tests.unit.systemd_calendar > tests/data/systemd-calendar.jsonl` records it again (about two minutes).
"""

import json
import random
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

RECORDED = Path(__file__).parent.parent / "data" / "systemd-calendar.jsonl"
#: Zones that stay the same in all time zone data of these years.
ZONES = (
    *("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/St_Johns"),
    *("Asia/Kolkata", "Africa/Cairo", "Pacific/Auckland"),
)
#: Around clock changes of these zones and before ends of months, never on the first of one: a timer that starts
#: there has the times that it leaves out when it comes from the day before.
STARTS = (
    *("2026-03-07 12:00", "2026-03-28 20:00", "2026-04-04 10:00", "2026-01-31 10:00", "2026-12-31 10:50"),
    *("2026-06-30 10:59", "2026-10-24 20:00", "2026-10-31 10:00", "2027-02-28 10:40", "2026-12-27 12:00"),
)
#: Steps that do not divide evenly, where a carry leaves times out.
UNEVEN = (
    *("*:0/45", "*:0/35", "*:5/50,0", "*:*:0/7", "*:0/45:0/7", "0/5:00", "0/7:0/25", "23,0:0/45", "22..23:0/45"),
    *("0,12:0/45", "*-*-1/7 00:00", "*-*-2/9 0/5:0/45", "Mon *:0/45", "Mon,Tue *:0/45", "*-1,12-* *:0/45"),
    *(
        "*-*-1 0/5:30",
        "*-*~1 0/5:30",
        "*-*~9/4 0/9:00",
        "*-*-31,1 0/13:0/40",
        "*:0/45,58",
        "*:0/45,59",
        "*:*:0/59",
    ),
    *("*-1/5-1 00:00", "2026/2-*-1 00:00", "*:59:0/50", "*:58..59:0/50", "00..20/10:0/45", "*:0..58/29"),
)
#: Where the carries of the uneven steps are.
CARRIES = (("UTC", "2026-12-27 12:00"), ("Europe/Paris", "2026-01-31 20:00"), ("UTC", "2026-12-31 20:50"))
EXPRESSIONS = 640


class Refused(Exception):
    """systemd does not take the expression."""


class GaveUp(Exception):
    """systemd fails at an expression that it takes: "Resource deadlock avoided"."""


class Elapses(NamedTuple):
    expression: str
    zone: str
    #: It elapses then and, next, at the times; None: it is refused.
    start: datetime
    times: list[datetime] | None


def elapses(text: str, start: str, count: int) -> list[datetime]:
    """When systemd starts it, from a time in UTC on."""
    done = subprocess.run(
        ["systemd-analyze", "calendar", f"--iterations={count}", f"--base-time={start}:00 UTC", text],
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "Failed to determine next elapse" in done.stderr:
        raise GaveUp(done.stderr.strip())
    if done.returncode != 0:
        raise Refused(done.stderr.strip())
    found = re.findall(
        r"(?:elapse|Iter\. #\d+|Iteration #\d+): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", done.stdout
    )
    return [datetime.fromisoformat(one).replace(tzinfo=UTC) for one in found]


def random_part(chance: random.Random, low: int, high: int) -> str:
    def steps() -> str:
        """They go on to the end, evenly or not."""
        first = chance.randint(low, low + min(10, (high - low) // 3))
        return f"{first}/{chance.randint(1, high - first)}"

    first = chance.randint(low, high - 1)
    return chance.choice(
        (
            *("*", str(first), f"{first:02}", f"{first}..{chance.randint(first + 1, high)}"),
            f"{first}..{high}/{chance.randint(1, 5)}",
            *(steps(), steps(), f"{low}/{chance.randint(1, high - low)}", f"{steps()},{steps()}"),
            *(f"{steps()},{chance.randint(low, high)}", f"{first}/{chance.randint(1, high)}"),
            ",".join(str(chance.randint(low, high)) for _ in range(3)),
        )
    )


def random_calendar(chance: random.Random) -> str:
    words = []
    if chance.random() < 0.3:
        words.append(chance.choice(("Mon", "sat,Sun", "Mon..Fri", "Tue..Thu,Sat", "WED", "Friday")))
    if chance.random() < 0.6:
        words.append(_random_date(chance))
    if chance.random() < 0.9 or not words:
        hours = chance.choice(("*", random_part(chance, 0, 23)))
        time = f"{hours}:{random_part(chance, 0, 59)}"
        words.append(time if chance.random() < 0.6 else f"{time}:{random_part(chance, 0, 59)}")
    return " ".join(words)


def _random_date(chance: random.Random) -> str:
    year = chance.choice(("*", "*", "2026", "2026..2028"))
    month = chance.choice(("*", "*", random_part(chance, 1, 12)))
    if chance.random() < 0.7:
        return f"{year}-{month}-{random_part(chance, 1, 31)}"
    back = chance.randint(2, 28)
    return f"{year}-{month}~{chance.choice((str(back), f'{back}/{chance.randint(1, back)}'))}"


def recorded() -> Iterator[Elapses]:
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        expression, zone, start, times = json.loads(line)
        yield Elapses(expression, zone, _at(start), None if times is None else [_at(one) for one in times])


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _record(count: int) -> None:
    chance = random.Random(14)
    asked = [(text, zone, start) for text in UNEVEN for zone, start in CARRIES]
    while len(asked) < count:
        asked.append((random_calendar(chance), chance.choice(ZONES), chance.choice(STARTS)))
    for text, zone, start in asked:
        line = _line(text, zone, start)
        if line is not None:
            print(json.dumps(line))


def _line(text: str, zone: str, start: str) -> tuple[str, str, int, list[int] | None] | None:
    """None: there is nothing to compare."""
    try:
        times = [int(one.timestamp()) for one in elapses(f"{text} {zone}", start, 9)]
    except Refused:
        return text, zone, int(datetime.fromisoformat(f"{start}+00:00").timestamp()), None
    except GaveUp:
        return None
    # From one elapse to the next, as a timer goes: from between it may come to one that it leaves out.
    return (text, zone, times[0], times[1:]) if times else None


if __name__ == "__main__":
    _record(EXPRESSIONS)
