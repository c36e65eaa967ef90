"""What is wrong with a cron, in a sentence; and who was told about an incident, and why not yet."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.api.pages.cron_rows import status_label
from chalicelib.api.pages.words import Words, iso
from chalicelib.domain.alerts.channel import Channel
from chalicelib.domain.alerts.delivery import Delivery, DeliveryState
from chalicelib.domain.alerts.outbox import Outgoing
from chalicelib.domain.monitor.cron import Cron, OpenIncident, Reason
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.services.crons import Shown


class Diagnosis(NamedTuple):
    #: `bad`, `warn`, `good` or "" for neither.
    tone: str
    sentence: str
    #: Since when, in words; "" where that says nothing.
    since: str
    since_at: str


def diagnosis_of(words: Words, one: Shown, recent: list[Run], maintained_until: datetime | None) -> Diagnosis:
    cron = one.cron
    match one.status:
        case DisplayStatus.DOWN if cron.incident is not None:
            at = cron.incident.opened_at
            since = words._(
                "Since %(when)s UTC, %(span)s ago.", when=words.when(at), span=words.span(words.now - at)
            )
            return Diagnosis("bad", _down(words, cron, cron.incident, recent), since, iso(at))
        case DisplayStatus.LATE if cron.expected_at is not None:
            at = cron.expected_at
            said = words._(
                "It was due at %(when)s and is %(span)s overdue. If it stays silent, it will count as missed.",
                when=_local(cron, at),
                span=words.span(words.now - at),
            )
            return Diagnosis("warn", said, "", iso(at))
        case DisplayStatus.BLOCKED:
            said = words._("Its last start was refused, because what it depends on is not completed.")
            return Diagnosis("warn", said, "", "")
        case DisplayStatus.IN_MAINTENANCE:
            return Diagnosis("", _maintained(words, cron, maintained_until), "", "")
        case DisplayStatus.PAUSED:
            said = words._("It is paused: signals are recorded, but no alerts are sent.")
            return Diagnosis("", said, "", "")
        case DisplayStatus.ARCHIVED:
            return Diagnosis("", words._("It is archived. Register it again to watch it."), "", "")
        case DisplayStatus.NEW:
            return Diagnosis("", words._("It has not sent a signal yet."), "", "")
    return _well(words, one)


def _well(words: Words, one: Shown) -> Diagnosis:
    cron = one.cron
    if one.status is DisplayStatus.RUNNING:
        started_at = max(run.started_at for run in cron.open_runs)
        said = words._("It is running for %(span)s.", span=words.span(words.now - started_at))
        overran = any(run.overran for run in cron.open_runs)
        more = " " + words._("That is far longer than usual.") if overran else ""
        return Diagnosis("warn" if overran else "", said + more, "", iso(started_at))
    if one.next_expected_at is None:
        return Diagnosis(
            "good", words._("Its last run succeeded. It has no set times, so it is never missed."), "", ""
        )
    said = words._(
        "All is well. The next run is expected %(until)s, at %(when)s.",
        until=words.until(one.next_expected_at),
        when=_local(cron, one.next_expected_at),
    )
    return Diagnosis("good", said, "", "")


def _down(words: Words, cron: Cron, incident: OpenIncident, recent: list[Run]) -> str:
    match cron.reason:
        case Reason.FAILED:
            failed = next((run for run in recent if run.status is RunStatus.FAILED), None)
            if failed is not None and failed.exit_code is not None:
                return words._("Its last run failed with exit code %(code)s.", code=failed.exit_code)
            return words._("Its last run failed.")
        case Reason.TIMEOUT:
            return words._("A run started and never reported its end: it exceeded its maximum run time.")
    if incident.missed > 1:
        return words._("It did not run: %(num)s runs are missing so far.", num=incident.missed)
    missed = next((run for run in recent if run.status is RunStatus.MISSED and run.scheduled_at), None)
    if missed is not None and missed.scheduled_at is not None:
        return words._("It did not run at %(when)s.", when=_local(cron, missed.scheduled_at))
    return words._("It did not run when it was due.")


def _maintained(words: Words, cron: Cron, until: datetime | None) -> str:
    until = until or cron.held_until
    if until is None:
        return words._("It is in maintenance: no alerts are sent.")
    return words._(
        "It is in maintenance until %(when)s, for another %(span)s. What is still broken then is alerted.",
        when=_local(cron, until),
        span=words.span(until - words.now),
    )


def _local(cron: Cron, at: datetime) -> str:
    """A moment in the cron's own zone."""
    zone = cron.settings.timezone
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"


class Told(NamedTuple):
    """One alert over one channel."""

    kind: str
    at: str
    at_iso: str
    channel: str
    state: str
    label: str
    detail: str


def told(words: Words, alerts: list[Outgoing], channels: Mapping[str, Channel]) -> list[Told]:
    return list(_told(words, alerts, channels))


def _told(words: Words, alerts: list[Outgoing], channels: Mapping[str, Channel]) -> Iterator[Told]:
    for outgoing in alerts:
        for channel_id, delivery in sorted(outgoing.deliveries.items()):
            held = channels.get(channel_id)
            yield Told(
                kind=status_label(words, outgoing.alert.kind.value),
                at=words.when(outgoing.alert.at),
                at_iso=iso(outgoing.alert.at),
                channel=held.name if held else words._("a deleted channel"),
                state=delivery.state.value,
                label=status_label(words, delivery.state.value),
                detail=_delivery_detail(words, delivery),
            )


def _delivery_detail(words: Words, delivery: Delivery) -> str:
    parts = []
    if delivery.attempts > 1:
        parts.append(words.number_of("%(num)s try", "%(num)s tries", delivery.attempts))
    if delivery.error:
        parts.append(delivery.error)
    if delivery.state is DeliveryState.PENDING and delivery.next_at is not None:
        parts.append(words._("tried again %(until)s", until=words.until(delivery.next_at)))
    if delivery.state is DeliveryState.MERGED:
        parts.append(words._("part of a later message"))
    return ", ".join(parts)


def why_nobody(words: Words, cron: Cron, alerts: list[Outgoing], channels: Mapping[str, Channel]) -> str:
    """Why nobody was told about the open incident yet; "" where somebody was."""
    if any(delivery.state is not DeliveryState.PENDING for one in alerts for delivery in one.deliveries.values()):
        return ""
    if cron.incident is not None and cron.incident.held:
        if cron.held_until is None:
            return words._("No alert was sent yet: it opened during maintenance.")
        return words._(
            "No alert was sent yet: maintenance holds it until %(when)s.", when=_local(cron, cron.held_until)
        )
    if not channels:
        return words._("No alert was sent: there is no channel.")
    return _on_its_way(words, cron, alerts)


def _on_its_way(words: Words, cron: Cron, alerts: list[Outgoing]) -> str:
    if cron.noise.flapping_announced_at is not None:
        return words._(
            "It keeps going down and up. You get one summary per hour instead of an alert for each change."
        )
    if not alerts:
        return words._("No alert was sent: nothing about this incident called for one.")
    if any(one.deliveries for one in alerts):
        return words._("The alert did not arrive yet.")
    if any(one.send_at is not None for one in alerts):
        return words._("The alert is on its way.")
    return words._("No alert was sent: the filters of every channel exclude this cron.")
