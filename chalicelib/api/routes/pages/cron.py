"""The page of one cron, and what is done to it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chalice.app import Response

from chalicelib.api.http.reading import read
from chalicelib.api.pages.cron_form import changes_of, cron_values
from chalicelib.api.pages.cron_rows import row_of, schedule_words, status_label
from chalicelib.api.pages.diagnosis import diagnosis_of, told, why_nobody
from chalicelib.api.pages.plots import day_bars, duration_plot, offset_plot
from chalicelib.api.pages.snippets import signal_line, snippets_of
from chalicelib.api.pages.visit import READS, WRITES, Visit, page
from chalicelib.api.pages.words import Words, iso
from chalicelib.api.schemas.crons import ping_url
from chalicelib.api.schemas.dependencies import AddDependency
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.alerts.channel import Channel
from chalicelib.domain.errors import CronHubError, Invalid
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.deadlines import effective_grace, tolerance_of
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.monitor.expectation import occurrences
from chalicelib.domain.monitor.incident import NamedIncident
from chalicelib.domain.monitor.maintenance import maintained_until
from chalicelib.domain.runs.anomaly import overrun_after_ms
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.runs.sla import Sla, sla_of
from chalicelib.domain.schedule.occurrences import END_OF_TIME
from chalicelib.services import channels, crons, dependencies, incidents, projects, statistics
from chalicelib.services.incidents import IncidentFilters
from chalicelib.services.paging import Page
from chalicelib.services.statistics import Details, Span

_DAYS = 90
_RUNS = 25
_NEXT = 5
_REFRESH_SECONDS, _REFRESH_FIRST = 10, 2
_PERIODS = ("24h", "7d", "30d", "90d")


@page(READS, "/crons/{cron_id}")
def cron_page(visit: Visit, cron_id: str) -> Response:
    """All about a cron"""
    return _shown(visit, cron_id, None)


def _shown(visit: Visit, cron_id: str, error: CronHubError | None) -> Response:
    now, words = visit.call.now, visit.words
    found = statistics.details(visit.org_id, cron_id, now)
    shown = crons.shown_with(found.cron, now, found.windows)
    days = statistics.daily(
        visit.org_id, cron_id, Span(now.date() - timedelta(days=_DAYS - 1), now.date()), now
    ).days
    cron = found.cron
    return visit.page(
        "crons/cron.html",
        {
            "cron": cron,
            "row": row_of(words, shown, []),
            "status": shown.status.value,
            "label": status_label(words, shown.status.value),
            "down": int(shown.status is DisplayStatus.DOWN),
            "diagnosis": diagnosis_of(words, shown, found.recent, maintained_until(found.windows, now)),
            "schedule_words": schedule_words(words, cron.settings.schedule, cron.settings.timezone),
            "ping_url": ping_url(cron),
            "snippets": snippets_of(cron, ping_url(cron)),
            "facts": _facts(words, cron),
            "next_runs": _next_runs(words, cron),
            "duration_plot": duration_plot(words, found.recent, _limits(words, cron)),
            "offset_plot": offset_plot(words, found.recent, tolerance_of(cron) / timedelta(milliseconds=1)),
            "days": day_bars(words, days),
            "sla": _sla_words(words, found),
            "periods": _periods(words, found),
            "runs": [run_view(words, run) for run in found.recent[:_RUNS]],
            "more_runs": len(found.recent) > _RUNS,
            **_incident_values(visit, words, cron),
            **_neighbours(words, found),
            "windows": [window for window in found.windows if window.until > now][:5],
            "live": _REFRESH_SECONDS,
        },
        error,
    )


def _limits(words: Words, cron: Cron) -> Sequence[tuple[float | None, str, str]]:
    most = cron.settings.max_runtime_seconds
    unusual = overrun_after_ms(cron.baseline, cron.settings.anomaly_factor)
    return (
        (unusual, words._("unusual from here on"), "anomaly"),
        (None if most is None else most * 1000.0, words._("maximum run time"), "limit"),
    )


def _facts(words: Words, cron: Cron) -> list[tuple[str, str]]:
    held, grace = cron.settings, effective_grace(cron)
    most = held.max_runtime_seconds
    return [
        (words._("Grace"), "–" if grace is None else words.duration(grace / timedelta(milliseconds=1))),
        (
            words._("Maximum run time"),
            words._("from recent runs") if most is None else words.duration(most * 1000),
        ),
        (words._("Failures forgiven"), str(held.failure_tolerance)),
        (words._("SLA target"), words.percent(held.sla_target)),
        (words._("Tags"), ", ".join(held.tags) or "–"),
        (words._("Created"), words.when(cron.created_at)),
    ]


def _next_runs(words: Words, cron: Cron) -> list[dict[str, str]]:
    times = occurrences(cron)
    if times is None or not cron.is_watched:
        return []
    zone = ZoneInfo(cron.settings.timezone)
    return [
        {
            "iso": iso(at),
            "utc": words.when(at),
            "local": f"{at.astimezone(zone):%a %Y-%m-%d %H:%M}" if cron.settings.timezone != "UTC" else "",
            "until": words.until(at),
        }
        for at in times.between(words.now, END_OF_TIME, _NEXT)
    ]


def _sla_words(words: Words, found: Details) -> dict[str, str]:
    """The budget of the last 30 days in words."""
    one = sla_of(found.periods["30d"].counts, found.cron.settings.sla_target)
    counted = found.periods["30d"].counts.expected - found.periods["30d"].counts.excused
    if one.compliance is None:
        return {"tone": "", "text": words._("Nothing counted in the last 30 days.")}
    met = words._(
        "%(met)s of %(counted)s expected runs succeeded in 30 days: %(percent)s. The target is %(target)s.",
        met=counted - one.unmet,
        counted=counted,
        percent=words.percent(one.compliance),
        target=words.percent(one.target),
    )
    return {"tone": "good" if one.is_met else "bad", "text": f"{met} {_budget_words(words, one)}"}


def _budget_words(words: Words, one: Sla) -> str:
    left = one.allowed - one.unmet
    if left >= 1:
        return words.number_of(
            "%(num)s more run may fail or be missed.", "%(num)s more runs may fail or be missed.", int(left)
        )
    if left >= 0 and one.unmet == 0:
        return words._("It leaves no room for a failed run.")
    if left >= 0:
        return words._("The error budget is used up: no further run may fail.")
    return words.number_of(
        "The error budget is overspent by %(num)s run.",
        "The error budget is overspent by %(num)s runs.",
        max(1, round(-left)),
    )


def _periods(words: Words, found: Details) -> list[dict[str, Any]]:
    target = found.cron.settings.sla_target
    listed = []
    for name in _PERIODS:
        counts = found.periods[name].counts
        one = sla_of(counts, target)
        listed.append(
            {
                "name": {"24h": words._("24 hours"), "7d": words._("7 days"), "30d": words._("30 days")}.get(
                    name, words._("90 days")
                ),
                "counts": counts,
                "compliance": words.percent(one.compliance),
                "is_met": one.is_met,
                "average": words.duration(counts.durations.average_ms),
                "p95": words.duration(counts.durations.percentile(0.95)),
            }
        )
    return listed


def run_view(words: Words, run: Run) -> dict[str, Any]:
    at = run.started_at or run.finished_at or run.scheduled_at
    notes = []
    if run.exit_code is not None:
        notes.append(words._("exit %(code)s", code=run.exit_code))
    if run.late:
        notes.append(words._("late"))
    if run.anomaly is not None:
        notes.append(words._("unusually %(kind)s", kind=words._(run.anomaly.kind.value)))
    if run.excused is not None:
        notes.append(words._("excused: %(why)s", why=words._(run.excused.value)))
    if run.occurrences > 1:
        notes.append(words.number_of("%(num)s time", "%(num)s times", run.occurrences))
    return {
        "id": run.id,
        "status": run.status.value,
        "label": status_label(words, run.status.value),
        "when": words.when(at),
        "iso": iso(at),
        "duration": words.duration(run.duration_ms) if run.status is not RunStatus.MISSED else "",
        "notes": ", ".join(notes),
        "message": run.message or "",
        "key": run.key or "",
    }


def _incident_values(visit: Visit, words: Words, cron: Cron) -> dict[str, Any]:
    filters = IncidentFilters(cron_id=cron.id)
    listed, _ = incidents.list_incidents(visit.org_id, filters, Page(8))
    current = next((one for one in listed if cron.incident and one.incident.id == cron.incident.id), None)
    known = channels_by_id(visit.org_id) if current else {}
    alerts = incidents.deliveries(current.incident) if current else []
    return {
        "incident": current,
        "told": told(words, alerts, known),
        "why_nobody": why_nobody(words, cron, alerts, known) if current else "",
        "has_channels": bool(known),
        "incidents": [incident_view(words, one) for one in listed],
    }


def incident_view(words: Words, named: NamedIncident) -> dict[str, Any]:
    one = named.incident
    acknowledged = named.acknowledgements[-1] if named.acknowledgements else None
    lasted = (one.resolved_at or words.now) - one.opened_at
    state = "resolved" if one.resolved_at else "acknowledged" if acknowledged else "open"
    return {
        "id": one.id,
        "cron_id": one.cron_id,
        "cron": named.cron_name,
        "product": named.product,
        "service": named.service,
        "state": state,
        "label": status_label(words, state),
        "reason": status_label(words, one.reason.value),
        "opened": words.when(one.opened_at),
        "opened_iso": iso(one.opened_at),
        "opened_ago": words.ago(one.opened_at),
        "lasted": words.span(lasted),
        "missed": one.missed,
        "resolution": status_label(words, one.resolution.value) if one.resolution else "",
        "acknowledged_by": acknowledged.by if acknowledged else "",
        "is_open": one.resolved_at is None,
    }


def channels_by_id(org_id: str) -> dict[str, Channel]:
    found, _ = channels.list_channels(org_id, Page(1000))
    return {one.id: one for one in found}


def _neighbours(words: Words, found: Details) -> dict[str, Any]:
    def view(one: Cron, why: str = "") -> dict[str, str]:
        status = crons.shown_in(one, words.now, ()).value
        return {
            "id": one.id,
            "name": one.name,
            "where": f"{one.product} › {one.service}",
            "status": status,
            "label": status_label(words, status),
            "why": why,
        }

    return {
        "dependencies": [
            view(one, "" if blocker is None else status_label(words, blocker.reason.value))
            for one, blocker in found.dependencies
        ],
        "dependants": [view(one) for one in found.dependants],
    }


@page(WRITES, "/crons/{cron_id}", action=Action.CHANGE)
def change_cron(visit: Visit, cron_id: str) -> Response:
    """Changes, pauses, resumes or deletes a cron, or what it depends on"""
    form, now, here = visit.form, visit.call.now, f"crons/{cron_id}"
    match form.text("do"):
        case "pause":
            crons.pause(visit.org_id, cron_id, now)
            return visit.to(here, "paused")
        case "resume":
            crons.resume(visit.org_id, cron_id, now)
            return visit.to(here, "resumed")
        case "change":
            return _change(visit, cron_id)
        case "delete" if form.is_set("sure"):
            crons.delete(visit.org_id, cron_id, now)
            return visit.to("", "deleted")
        case "delete":
            found = [crons.shown(crons.find(visit.org_id, cron_id), now)]
            return visit.page("crons/confirm_delete.html", {"found": found, "back": here})
        case "depend" | "undepend":
            return _depend(visit, cron_id)
    return visit.to(here)


def _depend(visit: Visit, cron_id: str) -> Response:
    other = visit.form.text("depends_on_id")
    try:
        if visit.form.text("do") == "undepend":
            dependencies.remove(visit.org_id, cron_id, other)
        else:
            wanted = read(AddDependency, {"depends_on_id": _id_of(other)})
            dependencies.add(visit.org_id, cron_id, wanted.depends_on_id)
    except CronHubError as error:
        return _shown(visit, cron_id, error)
    return visit.to(f"crons/{cron_id}", "saved")


def _id_of(text: str) -> str:
    """The id in what was typed: an id, a ping URL or the address of a page."""
    return text.partition("?")[0].rstrip("/").rpartition("/")[2]


def _change(visit: Visit, cron_id: str) -> Response:
    try:
        crons.change(visit.org_id, cron_id, changes_of(visit.form).changes(), visit.call.now)
    except (Invalid, CronHubError) as error:
        return _edit_form(visit, crons.find(visit.org_id, cron_id), visit.form.values(), error)
    return visit.to(f"crons/{cron_id}", "saved")


@page(READS, "/crons/{cron_id}/edit", action=Action.CHANGE)
def edit_cron(visit: Visit, cron_id: str) -> Response:
    """The form to change a cron"""
    cron = crons.find(visit.org_id, cron_id)
    return _edit_form(visit, cron, cron_values(cron), None)


def _edit_form(visit: Visit, cron: Cron, values: dict[str, str], error: CronHubError | None) -> Response:
    listed, _ = projects.list_projects(visit.org_id, Page(1000))
    return visit.page(
        "crons/edit.html",
        {
            "cron": cron,
            "values": {**cron_values(cron), **values},
            "project_options": [(one.id, one.name) for one in listed],
        },
        error,
    )


@page(READS, "/crons/{cron_id}/first")
def first_signal(visit: Visit, cron_id: str) -> Response:
    """Waits for the first signal of a new cron"""
    now, words = visit.call.now, visit.words
    shown = crons.shown(crons.find(visit.org_id, cron_id), now)
    url = ping_url(shown.cron)
    return visit.page(
        "crons/first.html",
        {
            "cron": shown.cron,
            "status": shown.status.value,
            "label": status_label(words, shown.status.value),
            "arrived": words.ago(shown.cron.last_signal_at) if shown.cron.last_signal_at else "",
            "curl": signal_line(shown.cron, url),
            "snippets": snippets_of(shown.cron, url)[:1],
            "live": _REFRESH_FIRST,
        },
    )


@page(READS, "/crons/{cron_id}/runs")
def runs_page(visit: Visit, cron_id: str) -> Response:
    """The runs of a cron, page by page"""
    words, query = visit.words, visit.call.query
    cron = crons.find(visit.org_id, cron_id)
    status = query.get("status", "")
    filters = crons.RunFilters(RunStatus(status) if status in set(RunStatus) else None)
    cursor = query.get("cursor", "")
    found, after = crons.list_runs(visit.org_id, cron_id, filters, Page(50, cursor if cursor.isalnum() else None))
    return visit.page(
        "crons/runs.html",
        {
            "cron": cron,
            "runs": [run_view(words, run) for run in found],
            "after": after,
            "chosen": status,
            "statuses": [(one.value, status_label(words, one.value)) for one in RunStatus],
        },
    )


@page(READS, "/crons/{cron_id}/runs/{run_id}")
def run_page(visit: Visit, cron_id: str, run_id: str) -> Response:
    """One run with all that it said"""
    words = visit.words
    cron, run = crons.find(visit.org_id, cron_id), crons.find_run(visit.org_id, cron_id, run_id)
    times: list[tuple[str, datetime | None]] = [
        (words._("Due"), run.scheduled_at),
        (words._("Started"), run.started_at),
        (words._("Finished"), run.finished_at),
    ]
    return visit.page(
        "crons/run.html",
        {
            "cron": cron,
            "run": run_view(words, run),
            "times": [(label, words.when(at), iso(at)) for label, at in times if at is not None],
            "offset": words.duration(run.offset_ms) if run.offset_ms is not None and run.offset_ms >= 0 else "",
        },
    )
