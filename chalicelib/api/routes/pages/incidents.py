"""The pages of incidents."""

from contextlib import suppress
from typing import Any

from chalice.app import Response

from chalicelib.api.http.reading import read
from chalicelib.api.pages.cron_rows import status_label
from chalicelib.api.pages.diagnosis import told, why_nobody
from chalicelib.api.pages.visit import READS, WRITES, Visit, page, safe_next
from chalicelib.api.pages.words import Words, iso
from chalicelib.api.routes.pages.cron import channels_by_id, incident_view
from chalicelib.api.schemas.incidents import HandleIncident, IncidentTimeline
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import NotFound
from chalicelib.domain.ids import is_timed_id
from chalicelib.domain.monitor.incident import Handling, NamedIncident
from chalicelib.services import crons, incidents, members
from chalicelib.services.incidents import IncidentFilters
from chalicelib.services.paging import Page

_PAGE = 50
_REFRESH_SECONDS = 20
_STATES = {"open": True, "resolved": False, "all": None}


@page(READS, "/incidents")
def incidents_page(visit: Visit) -> Response:
    """The incidents of the org"""
    words, query = visit.words, visit.call.query
    chosen = query.get("status", "open") if query.get("status", "open") in _STATES else "all"
    cursor = query.get("cursor", "")
    found, after = incidents.list_incidents(
        visit.org_id,
        IncidentFilters(is_open=_STATES[chosen]),
        Page(_PAGE, cursor if is_timed_id(cursor) else None),
    )
    return visit.page(
        "incidents/list.html",
        {
            "incidents": [incident_view(words, one) for one in found],
            "after": after,
            "chosen": chosen,
            "states": [("open", words._("Open")), ("resolved", words._("Resolved")), ("all", words._("All"))],
            "live": _REFRESH_SECONDS,
        },
    )


@page(READS, "/incidents/{incident_id}")
def incident_page(visit: Visit, incident_id: str) -> Response:
    """One incident: its timeline, and who was told"""
    words = visit.words
    named = incidents.find(visit.org_id, incident_id)
    alerts, known = incidents.deliveries(named.incident), channels_by_id(visit.org_id)
    why = ""
    if named.incident.resolved_at is None:
        with suppress(NotFound):
            why = why_nobody(words, crons.find(visit.org_id, named.incident.cron_id), alerts, known)
    return visit.page(
        "incidents/incident.html",
        {
            "named": named,
            "view": incident_view(words, named),
            "entries": _entries(words, named),
            "told": told(words, alerts, known),
            "why_nobody": why,
            "live": _REFRESH_SECONDS,
        },
    )


def _entries(words: Words, named: NamedIncident) -> list[dict[str, Any]]:
    listed = []
    for one in IncidentTimeline.told(named).timeline:
        detail = one.detail or ""
        if one.what != "acknowledged":
            detail = status_label(words, detail)
        note = one.note if isinstance(one.note, str) else ""
        listed.append(
            {
                "kind": one.what,
                "what": words._({"opened": "Opened", "acknowledged": "Acknowledged"}.get(one.what, "Resolved")),
                "when": words.when(one.at),
                "iso": iso(one.at),
                "by": one.by if isinstance(one.by, str) else "",
                "detail": ": ".join(part for part in (detail, note) if part),
            }
        )
    return listed


@page(WRITES, "/incidents/{incident_id}", action=Action.CHANGE)
def handle_incident(visit: Visit, incident_id: str) -> Response:
    """Acknowledges or resolves an incident, or adds a note"""
    what = visit.form.text("do")
    wanted = read(HandleIncident, {"note": visit.form.optional("note")})
    handling = Handling(who(visit), visit.call.now, wanted.note)
    back = safe_next(visit.form.text("back")) or f"incidents/{incident_id}"
    if what == "resolve":
        incidents.resolve(visit.org_id, incident_id, handling)
        return visit.to(back, "resolved")
    if what == "acknowledge" or (what == "note" and wanted.note is not None):
        incidents.acknowledge(visit.org_id, incident_id, handling)
        return visit.to(back, "noted" if what == "note" else "acknowledged")
    return visit.to(back)


def who(visit: Visit) -> str:
    """The member who is signed in; of an org's own key its name."""
    if visit.key.member_id is not None:
        listed, _ = members.list_members(visit.org.slug, visit.key, Page(1000))
        return next((one.name for one in listed if one.id == visit.key.member_id), visit.key.name)
    return visit.key.name
