"""Sentry Crons: the monitors of an organization, or the JSON that its API answered."""

from __future__ import annotations

import re
from typing import Any

from cronhub.client import Object
from cronhub.importing.source import Ask, Check, Draft, Found, PastRun, listed, with_distinct_names
from cronhub.terminal import moment

URL = "https://sentry.io"
_UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2629800, "year": 31557600}
_STATUSES = {"ok": 0, "error": 1, "timeout": 1}


def found(raw: Any, ask: Ask | None, org: str, *, history: bool) -> Found:
    monitors = listed(raw, "monitors", "items", "data")
    checks = [_check(one, _history(one, ask, org) if ask and history else ()) for one in monitors]
    return Found("sentry", "crons", with_distinct_names(checks))


def _check(one: Object, history: tuple[PastRun, ...]) -> Check:
    draft = Draft()
    config: Object = one.get("config") or {}
    slug = str(one.get("slug") or one.get("id") or "")
    _schedule(config, draft)
    margin, longest = config.get("checkin_margin"), config.get("max_runtime")
    draft.seconds("grace_seconds", None if margin is None else float(margin) * 60)
    draft.seconds("max_runtime_seconds", None if longest is None else float(longest) * 60, least=1)
    # Sentry counts failures until it tells; CronHub counts those that are forgiven.
    draft.cron["failure_tolerance"] = max(0, int(config.get("failure_issue_threshold") or 1) - 1)
    draft.cron["recovery_threshold"] = max(1, int(config.get("recovery_threshold") or 1))
    if re.fullmatch(r"[a-z0-9_-]{1,100}", slug):
        draft.cron["slug"] = slug
    if one.get("isMuted"):
        draft.lost.append("that it is muted: pause it, or filter it in the channels")
    if one.get("status") == "disabled":
        draft.cron["paused"] = True
    if one.get("owner"):
        draft.lost.append("its owner")
    _environments(one, draft)
    project = one.get("project")
    if isinstance(project, dict) and project.get("slug"):
        draft.tag([f"project:{project['slug']}"])
    return draft.made(slug, str(one.get("name") or slug), history)


def _schedule(config: Object, draft: Draft) -> None:
    schedule = config.get("schedule")
    if config.get("schedule_type") == "interval" or isinstance(schedule, list):
        count, unit = (schedule or (0, ""))[:2]
        if unit not in _UNITS:
            draft.lost.append(f"the schedule {schedule!r}")
            return
        draft.every(int(count) * _UNITS[unit])
    elif schedule:
        draft.schedule(str(schedule), config.get("timezone"))


def _environments(one: Object, draft: Draft) -> None:
    names = [str(each.get("name")) for each in one.get("environments") or () if isinstance(each, dict)]
    if len(names) > 1:
        others = ", ".join(name for name in names if name != "production")
        draft.lost.append(f"its environments {others}: each gets a cron with its first check-in")


def _history(one: Object, ask: Ask, org: str) -> tuple[PastRun, ...]:
    answer = ask(f"/api/0/organizations/{org}/monitors/{one.get('slug')}/checkins/", {"per_page": 100})
    runs = []
    for check_in in reversed(listed(answer, "items")):
        ended = moment(check_in.get("dateUpdated") or check_in.get("dateAdded"))
        started = moment(check_in.get("dateAdded"))
        if ended is None or check_in.get("status") not in _STATUSES:
            continue
        duration = check_in.get("duration")
        runs.append(
            PastRun(
                run_id=f"sentry-{check_in.get('id')}",
                exit_code=_STATUSES[check_in["status"]],
                started_at=started if started and started < ended else None,
                finished_at=ended,
                duration_ms=None if duration is None else int(duration),
            )
        )
    return tuple(runs)
