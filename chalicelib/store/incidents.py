"""Incidents: written with the state that makes them, read by people."""

from datetime import datetime
from typing import Any, NamedTuple

from pynamodb.expressions.update import Action

from chalicelib.domain.ids import first_id_at
from chalicelib.domain.monitor.cron import Cron, Reason
from chalicelib.domain.monitor.incident import Handling, Incident, NamedIncident, Resolution
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.cron_codec import at_ms, ms
from chalicelib.store.errors import store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import IncidentItem


def incident_changes(incident: Incident, cron: Cron) -> tuple[IncidentItem, list[Action]]:
    """An update that sets what the state machine knows and leaves what people added."""
    values: dict[str, Any] = {
        "cron_id": cron.id,
        "cron_name": cron.name,
        "product": cron.product,
        "service": cron.service,
        "reason": incident.reason.value,
        "opened_at": ms(incident.opened_at),
        "missed": incident.missed,
        "resolved_at": ms(incident.resolved_at),
        "resolution": incident.resolution.value if incident.resolution else None,
    }
    actions = [getattr(IncidentItem, name).set(value) for name, value in values.items() if value is not None]
    return IncidentItem(incident.org_id, incident.id), actions


class IncidentQuery(NamedTuple):
    """Which of an org's incidents are read."""

    limit: int
    #: Only incidents below this id: where the page before ended.
    before: str | None = None
    cron_id: str | None = None
    is_open: bool | None = None


def list_incidents(org_id: str, query: IncidentQuery) -> tuple[list[NamedIncident], str | None]:
    """Returns an org's incidents, latest first, and where the next page begins; None at the end."""
    limit, before, cron_id, is_open = query
    found: list[NamedIncident] = []
    with store_errors():
        items = IncidentItem.query(
            org_id,
            IncidentItem.incident_id < before if before else None,
            filter_condition=_filter(cron_id, is_open),
            scan_index_forward=False,
            consistent_read=True,
        )
        for item in items:
            if len(found) == limit:
                return found, found[-1].incident.id
            found.append(_named(item))
    return found, None


def incidents_since(org_id: str, since: datetime, limit: int) -> list[NamedIncident]:
    """The latest of an org's incidents that opened since then, latest first."""
    with store_errors():
        items = IncidentItem.query(
            org_id,
            IncidentItem.incident_id >= first_id_at(since),
            scan_index_forward=False,
            limit=limit,
            consistent_read=True,
        )
        return [_named(item) for item in items]


def open_incidents(org_id: str, since: datetime, limit: int) -> list[NamedIncident]:
    """The latest of an org's open incidents that opened since then."""
    with store_errors():
        items = IncidentItem.query(
            org_id,
            IncidentItem.incident_id >= first_id_at(since),
            filter_condition=_filter(None, True),
            scan_index_forward=False,
            limit=limit,
        )
        return [_named(item) for item in items]


def opened_between(org_id: str, first: datetime, last: datetime, limit: int) -> list[datetime]:
    """Returns when an org's incidents of this time opened, open or not, earliest first."""
    with store_errors():
        ids = IncidentItem.incident_id.between(first_id_at(first), first_id_at(last))
        items = IncidentItem.query(org_id, ids, limit=limit, attributes_to_get=["opened_at"])
        return [from_ms(int(item.opened_at)) for item in items]


def _filter(cron_id: str | None, is_open: bool | None) -> Any:
    conditions: list[Any] = []
    if cron_id is not None:
        conditions.append(IncidentItem.cron_id == cron_id)
    if is_open is not None:
        resolved = IncidentItem.resolved_at
        conditions.append(resolved.does_not_exist() if is_open else resolved.exists())
    if len(conditions) == 2:
        return conditions[0] & conditions[1]
    return conditions[0] if conditions else None


def find_incident(org_id: str, incident_id: str) -> NamedIncident | None:
    item = get_or_none(IncidentItem, org_id, incident_id)
    return None if item is None else _named(item)


def _named(item: IncidentItem) -> NamedIncident:
    incident = Incident(
        org_id=item.org_id,
        id=item.incident_id,
        cron_id=item.cron_id,
        reason=Reason(item.reason),
        opened_at=from_ms(int(item.opened_at)),
        missed=int(item.missed),
        resolved_at=at_ms(item.resolved_at),
        resolution=Resolution(item.resolution) if item.resolution else None,
    )
    return NamedIncident(
        incident,
        item.product,
        item.service,
        item.cron_name,
        _acknowledgements(item),
        item.resolved_by,
        item.resolution_note,
    )


def _acknowledgements(item: IncidentItem) -> tuple[Handling, ...]:
    if item.acknowledgements:
        return tuple(Handling(by, from_ms(int(at)), note) for at, by, note in item.acknowledgements)
    # An older release kept the last one alone.
    at = at_ms(item.acknowledged_at)
    return () if at is None else (Handling(item.acknowledged_by or "", at, item.note),)


def acknowledge(org_id: str, incident_id: str, handling: Handling) -> None:
    """Appends an acknowledgement to the incident's history."""
    entry = [to_ms(handling.at), handling.by, handling.note]
    actions: list[Action] = [
        IncidentItem.acknowledgements.set((IncidentItem.acknowledgements | []).append([entry])),
        IncidentItem.acknowledged_at.set(to_ms(handling.at)),
        IncidentItem.acknowledged_by.set(handling.by),
        IncidentItem.note.set(handling.note) if handling.note else IncidentItem.note.remove(),
    ]
    with store_errors():
        IncidentItem(org_id, incident_id).update(actions, IncidentItem.opened_at.exists())


def note_resolver(org_id: str, incident_id: str, handling: Handling) -> None:
    actions: list[Action] = [IncidentItem.resolved_by.set(handling.by)]
    if handling.note:
        actions.append(IncidentItem.resolution_note.set(handling.note))
    with store_errors():
        IncidentItem(org_id, incident_id).update(actions, IncidentItem.opened_at.exists())
