"""Converts between a cron and its item. Default values are not stored, so that the item stays small."""

from datetime import datetime
from typing import Any

from chalicelib import settings
from chalicelib.domain.ids import moment_of_id, shard_of
from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.monitor.cron import (
    Cron,
    LastRun,
    LastSignal,
    Noise,
    OpenIncident,
    OpenRun,
    Reason,
    Settings,
    Status,
)
from chalicelib.domain.monitor.deadlines import due_at
from chalicelib.domain.monitor.event import Event, EventKind
from chalicelib.domain.monitor.standing import UNTROUBLED, standing
from chalicelib.domain.runs.anomaly import Baseline
from chalicelib.domain.runs.run import RunStatus
from chalicelib.domain.times import MILLISECOND, from_ms, to_ms
from chalicelib.store.daily_counts import pack_daily_counts, unpack_daily_counts
from chalicelib.store.tables import CronItem
from chalicelib.store.varints import pack_signed, pack_steps, unpack_signed, unpack_steps

_USUAL = Settings()
_SETTINGS = (
    "schedule",
    "timezone",
    "description",
    "grace_seconds",
    "max_runtime_seconds",
    "anomaly_factor",
    "failure_tolerance",
    "recovery_threshold",
    "sla_target",
    "reminder_seconds",
    "project_id",
    "slug",
    "kept",
    "resumes_on_signal",
)


def ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def at_ms(value: Any) -> datetime | None:
    return None if value is None else from_ms(int(value))


def to_item(cron: Cron) -> CronItem:
    """The item of a cron, with `due_at` and `standing` made from its state: the indexes cannot be out of date."""
    due, stands = due_at(cron), standing(cron)
    return CronItem(
        cron.org_id,
        cron.id,
        version=cron.version,
        due_at=ms(due),
        due_shard=None if due is None else shard_of(cron.id, settings.due_shards()),
        standing=None if stands in UNTROUBLED else stands.value,
        product=cron.product,
        service=cron.service,
        name=cron.name,
        created_at=ms(cron.created_at),
        archived_at=ms(cron.archived_at),
        tags=list(cron.settings.tags) or None,
        status=cron.status.value,
        reason=cron.reason.value if cron.reason else None,
        expected_at=ms(cron.expected_at),
        late_alerted=cron.late_alerted or None,
        looked_at=ms(cron.looked_at),
        open_runs=[_open_run_map(run) for run in cron.open_runs] or None,
        last_run=_last_run_map(cron.last_run),
        last_signal_at=ms(cron.last_signal_at),
        signals=cron.signals or None,
        last_signal=None if cron.last_signal is None else [cron.last_signal.digest, cron.last_signal.run_id],
        success_streak=cron.success_streak or None,
        failure_streak=cron.failure_streak or None,
        durations=pack_steps(cron.baseline.durations_ms) or None,
        offsets=pack_signed(cron.offsets_ms) or None,
        incident=_incident_map(cron.incident),
        today=pack_daily_counts(cron.today),
        depends_on=list(cron.depends_on) or None,
        is_blocked=cron.is_blocked or None,
        refused_for=ms(cron.refused_for),
        blamed_on=cron.blamed_on,
        waits_until=ms(cron.waits_until),
        held_until=ms(cron.held_until),
        skipped_from=ms(cron.skipped_from),
        noise=_noise_map(cron.noise),
        keyless_off=not cron.keyless_signals or None,
        blind=None if cron.blackout is None else [to_ms(cron.blackout.since), to_ms(cron.blackout.until)],
        **_unusual(cron.settings),
    )


def _unusual(settings: Settings) -> dict[str, Any]:
    values = ((setting, getattr(settings, setting)) for setting in _SETTINGS)
    return {setting: value for setting, value in values if value != getattr(_USUAL, setting)}


def to_cron(stored: CronItem) -> Cron:
    item = stored.held()
    return Cron(
        org_id=item.org_id,
        id=item.cron_id,
        product=item.product,
        service=item.service,
        name=item.name,
        settings=_settings(item),
        created_at=from_ms(int(item.created_at)),
        version=int(item.version),
        status=Status(item.status),
        reason=Reason(item.reason) if item.reason else None,
        expected_at=at_ms(item.expected_at),
        late_alerted=bool(item.late_alerted),
        looked_at=at_ms(item.looked_at),
        open_runs=tuple(_open_run(run) for run in item.open_runs or ()),
        last_run=_last_run(item.last_run),
        last_signal_at=at_ms(item.last_signal_at),
        signals=int(item.signals or 0),
        last_signal=None
        if item.last_signal is None
        else LastSignal(bytes(item.last_signal[0]), item.last_signal[1]),
        success_streak=int(item.success_streak or 0),
        failure_streak=int(item.failure_streak or 0),
        baseline=Baseline(unpack_steps(item.durations or b"")),
        offsets_ms=unpack_signed(item.offsets or b""),
        incident=_incident(item.incident),
        today=unpack_daily_counts(item.today),
        depends_on=tuple(item.depends_on or ()),
        is_blocked=bool(item.is_blocked),
        refused_for=at_ms(item.refused_for),
        blamed_on=item.blamed_on,
        waits_until=at_ms(item.waits_until),
        held_until=at_ms(item.held_until),
        skipped_from=at_ms(item.skipped_from),
        noise=_noise(item.noise),
        blackout=None if item.blind is None else Blackout(*(from_ms(int(at)) for at in item.blind)),
        archived_at=at_ms(item.archived_at),
        keyless_signals=not item.keyless_off,
    )


def _settings(item: CronItem) -> Settings:
    given = _some(**{setting: getattr(item, setting) for setting in _SETTINGS})
    return Settings(**given, tags=tuple(item.tags or ()))


def _some(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _open_run_map(run: OpenRun) -> dict[str, Any]:
    """Its start is in its id; other times are told from it, in fewer digits."""
    return _some(
        i=run.id,
        k=run.key,
        p=_after(run.started_at, run.seen_at) or None,
        o=None if run.scheduled_at is None else _after(run.started_at, run.scheduled_at),
        x=run.overran or None,
        l=run.late or None,
        a=None if run.arrived_at is None else _after(run.started_at, run.arrived_at),
        j=run.overtaken or None,
        s=run.superseded or None,
        u=run.uncertain or None,
        m=None if run.limit is None else run.limit // MILLISECOND,
        w=None if run.overrun_after is None else run.overrun_after // MILLISECOND,
    )


def _after(start: datetime, at: datetime) -> int:
    return to_ms(at) - to_ms(start)


def _open_run(stored: Any) -> OpenRun:
    run = _plain(stored)
    started_at = moment_of_id(run["i"])
    return OpenRun(
        id=run["i"],
        key=run.get("k"),
        started_at=started_at,
        seen_at=started_at + MILLISECOND * int(run.get("p", 0)),
        scheduled_at=None if run.get("o") is None else started_at + MILLISECOND * int(run["o"]),
        overran=bool(run.get("x")),
        late=bool(run.get("l")),
        arrived_at=None if run.get("a") is None else started_at + MILLISECOND * int(run["a"]),
        overtaken=bool(run.get("j")),
        superseded=bool(run.get("s")),
        uncertain=bool(run.get("u")),
        limit=None if run.get("m") is None else MILLISECOND * int(run["m"]),
        overrun_after=None if run.get("w") is None else MILLISECOND * int(run["w"]),
    )


def _last_run_map(run: LastRun | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return _some(
        i=run.id,
        s=run.status.value,
        f=ms(run.finished_at),
        b=ms(run.started_at),
        d=run.duration_ms,
        n=run.unstarted or None,
        u=run.unfinished or None,
    )


def _last_run(stored: Any) -> LastRun | None:
    if stored is None:
        return None
    run = _plain(stored)
    duration = run.get("d")
    return LastRun(
        id=run["i"],
        status=RunStatus(run["s"]),
        finished_at=from_ms(int(run["f"])),
        started_at=at_ms(run.get("b")),
        duration_ms=None if duration is None else int(duration),
        unstarted=bool(run.get("n")),
        unfinished=bool(run.get("u")),
    )


def _incident_map(incident: OpenIncident | None) -> dict[str, Any] | None:
    if incident is None:
        return None
    return _some(
        i=incident.id,
        o=ms(incident.opened_at),
        m=incident.missed or None,
        h=incident.held or None,
        k=incident.acknowledged or None,
        r=ms(incident.reminded_at),
        e=_opening_map(incident.opening),
    )


def _incident(stored: Any) -> OpenIncident | None:
    if stored is None:
        return None
    incident = _plain(stored)
    return OpenIncident(
        id=incident["i"],
        opened_at=from_ms(int(incident["o"])),
        missed=int(incident.get("m", 0)),
        held=bool(incident.get("h")),
        acknowledged=bool(incident.get("k")),
        reminded_at=at_ms(incident.get("r")),
        opening=_opening(incident),
    )


def _opening_map(event: Event | None) -> dict[str, Any] | None:
    if event is None:
        return None
    return _some(k=event.kind.value, t=to_ms(event.at), a=ms(event.about), r=event.run_id, d=event.detail)


def _opening(incident: dict[str, Any]) -> Event | None:
    if incident.get("e") is None:
        return None
    event = _plain(incident["e"])
    return Event(
        EventKind(event["k"]),
        from_ms(int(event["t"])),
        at_ms(event.get("a")),
        event.get("r"),
        event.get("d", ""),
        incident_id=incident["i"],
        opened_at=from_ms(int(incident["o"])),
    )


def _noise_map(noise: Noise) -> dict[str, Any] | None:
    values = _some(
        a=ms(noise.anomaly_at),
        d=ms(noise.drift_at),
        c=pack_steps(to_ms(at) for at in noise.changes) or None,
        f=ms(noise.flapping_announced_at),
        u=noise.unannounced or None,
        t=None if noise.told is None else noise.told.value,
        g=noise.is_drifting or None,
    )
    return values or None


def _noise(stored: Any) -> Noise:
    if stored is None:
        return Noise()
    noise = _plain(stored)
    changes = tuple(from_ms(at) for at in unpack_steps(bytes(noise.get("c", b""))))
    told = noise.get("t")
    return Noise(
        anomaly_at=at_ms(noise.get("a")),
        drift_at=at_ms(noise.get("d")),
        changes=changes,
        flapping_announced_at=at_ms(noise.get("f")),
        unannounced=int(noise.get("u", 0)),
        told=None if told is None else Status(told),
        is_drifting=bool(noise.get("g")),
    )


def _plain(stored: Any) -> dict[str, Any]:
    plain: dict[str, Any] = stored.as_dict() if hasattr(stored, "as_dict") else stored
    return plain
