"""Cronitor: its monitors API, or the JSON that `GET /api/monitors` answered."""

from __future__ import annotations

import re
from typing import Any

from cronhub.client import Object
from cronhub.importing.source import Ask, Check, Draft, Found, listed, with_distinct_names

URL = "https://cronitor.io"
_EVERY = re.compile(r"every\s+(\d+)?\s*(second|minute|hour|day|week|month)s?", re.IGNORECASE)
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2629800}
_MAX_DURATION = re.compile(r"metric\.duration\s*<=?\s*([\d.]+)\s*(\w*)")
_TIMES = {
    "ms": 0.001, "": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "minute": 60, "minutes": 60, "h": 3600, "hour": 3600, "hours": 3600,
}  # fmt: skip
#: Both run by themselves and are watched by what they send.
_WATCHED = ("job", "heartbeat", "event")


def found(raw: Any, *, history: bool) -> Found:
    monitors = listed(raw, "monitors")
    checks = [_check(one) for one in monitors if one.get("type", "job") in _WATCHED]
    others = tuple(
        f"the monitor {one.get('name') or one.get('key')!r} ({one.get('type')}): CronHub makes no requests itself"
        for one in monitors
        if one.get("type", "job") not in _WATCHED
    )
    lost = ("history: Cronitor's API does not tell single runs",) if history else ()
    return Found("default", "cronitor", with_distinct_names(checks), others + lost)


def pages(ask: Ask) -> Any:
    """All monitors, page by page."""
    monitors: list[Object] = []
    page = 1
    while True:
        answer = ask("/api/monitors", {"page": page, "pageSize": 100})
        part = listed(answer, "monitors")
        monitors += part
        if len(part) < 100:
            return {"monitors": monitors}
        page += 1


def _check(one: Object) -> Check:
    draft = Draft()
    key = str(one.get("key") or one.get("name") or "")
    draft.describe(str(one.get("note") or ""))
    draft.tag([str(tag) for tag in one.get("tags") or ()])
    _schedule(one, draft)
    draft.seconds("grace_seconds", one.get("grace_seconds"))
    draft.cron["failure_tolerance"] = int(one.get("failure_tolerance") or 0)
    for assertion in one.get("assertions") or ():
        _assertion(str(assertion), draft)
    if one.get("paused"):
        draft.cron["paused"] = True
    if one.get("schedule_tolerance"):
        draft.lost.append(f"schedule_tolerance = {one['schedule_tolerance']}: a missed run is told at once")
    if one.get("notify"):
        draft.lost.append(
            "its own choice of notification lists: channels filter by product, service, project and tag"
        )
    if re.fullmatch(r"[a-z0-9_-]{1,100}", key):
        draft.cron["slug"] = key
    return draft.made(key, str(one.get("name") or key))


def _schedule(one: Object, draft: Draft) -> None:
    schedules = [text for text in (one.get("schedules") or [one.get("schedule")]) if text]
    if len(schedules) > 1:
        draft.lost.append(f"all but the first of its schedules: {', '.join(map(str, schedules[1:]))}")
    if not schedules:
        return
    text = str(schedules[0])
    if every := _EVERY.fullmatch(text.strip()):
        draft.every(int(every[1] or 1) * _UNITS[every[2].lower()])
    else:
        draft.schedule(text, one.get("timezone"))


def _assertion(text: str, draft: Draft) -> None:
    limit = _MAX_DURATION.fullmatch(text.strip())
    if limit and limit[2].lower() in _TIMES:
        draft.seconds("max_runtime_seconds", max(1.0, float(limit[1]) * _TIMES[limit[2].lower()]), least=1)
    else:
        draft.lost.append(f"the assertion {text!r}")
