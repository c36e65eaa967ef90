"""Healthchecks: its Management API v3, or the JSON that `GET /api/v3/checks/` answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cronhub.client import Object
from cronhub.importing.source import Ask, Check, Draft, Found, PastRun, listed, with_distinct_names
from cronhub.terminal import moment

URL = "https://healthchecks.io"
#: Settings that CronHub has no like of, and what each is where it changes nothing.
_NOT_HELD = {
    "methods": "", "subject": "", "subject_fail": "", "start_kw": "", "success_kw": "",
    "failure_kw": "", "filter_subject": False, "filter_body": False, "filter_http_body": False,
    "filter_default_fail": False,
}  # fmt: skip
_SLUG = "abcdefghijklmnopqrstuvwxyz0123456789-_"


def found(raw: Any, ask: Ask | None, *, history: bool) -> Found:
    """ask: None: only what the file has."""
    checks = []
    for one in listed(raw, "checks"):
        pings = ask(f"/api/v3/checks/{one['uuid']}/pings/", {}) if ask and history and one.get("uuid") else one
        checks.append(_check(one, _history(one, pings if isinstance(pings, dict) else {})))
    return Found("default", "healthchecks", with_distinct_names(checks), _channels(raw, ask))


def _check(one: Object, history: tuple[PastRun, ...]) -> Check:
    draft = Draft()
    check_id = str(one.get("uuid") or one.get("unique_key") or one.get("slug") or "")
    draft.describe(str(one.get("desc") or ""))
    draft.tag(str(one.get("tags") or "").split())
    if one.get("schedule"):
        draft.schedule(str(one["schedule"]), one.get("tz"))
    elif one.get("timeout"):
        draft.every(float(one["timeout"]))
    draft.seconds("grace_seconds", one.get("grace"))
    if one.get("status") == "paused":
        draft.cron["paused"] = True
    if one.get("manual_resume") is False:
        draft.cron["resumes_on_signal"] = True
    _slug(one, draft)
    for name, usual in _NOT_HELD.items():
        if one.get(name, usual) not in (usual, None):
            draft.lost.append(f"{name} = {one[name]!r}")
    if one.get("channels"):
        draft.lost.append("its own choice of integrations: channels filter by product, service, project and tag")
    return draft.made(check_id, str(one.get("name") or one.get("slug") or check_id), history)


def _slug(one: Object, draft: Draft) -> None:
    slug = str(one.get("slug") or "")
    if slug and len(slug) <= 100 and set(slug) <= set(_SLUG):
        draft.cron["slug"] = slug
    elif slug:
        draft.lost.append(f"its slug {slug!r}")


def _history(one: Object, answer: Object) -> tuple[PastRun, ...]:
    """Pings that ended a run, oldest first."""
    runs = []
    for ping in reversed(answer.get("pings") or []):
        kind, at = ping.get("type"), moment(ping.get("date"))
        if at is None or kind not in ("success", "fail", "exitstatus"):
            continue
        runs.append(_past_run(one, ping, at))
    return tuple(runs)


def _past_run(one: Object, ping: Object, at: datetime) -> PastRun:
    failed = ping.get("type") == "fail" or bool(ping.get("exitstatus"))
    duration = ping.get("duration")
    return PastRun(
        run_id=f"hc-{str(one.get('uuid'))[:8]}-{ping.get('n')}",
        exit_code=int(ping.get("exitstatus") or failed),
        started_at=None,
        finished_at=at,
        duration_ms=None if duration is None else round(float(duration) * 1000),
    )


def _channels(raw: Any, ask: Ask | None) -> tuple[str, ...]:
    """Their addresses are secrets that the API does not tell."""
    answer = ask("/api/v3/channels/", {}) if ask else raw
    channels = answer.get("channels") if isinstance(answer, dict) else None
    return tuple(
        f"the integration {one.get('name') or one.get('id')!r} ({one.get('kind')}): its address is not in the API"
        for one in channels or ()
    )
