"""Stores what the demonstration's crons have been through, as the services would have."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.accounts.org import Org
from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.channel import Channel, ChannelFilters, ChannelKind
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.incident import Handling
from chalicelib.domain.monitor.maintenance import MaintenanceWindow
from chalicelib.store import channels, daily_counts, dependencies, incidents, maintenance, orgs, runs
from chalicelib.store.alerts import alert_item
from chalicelib.store.commits import commit_many
from chalicelib.store.incidents import incident_changes
from chalicelib.store.tables import AlertItem, DailyCountsItem, RunItem
from infra.demo.life import Life

#: Of a cron that runs every few minutes, older runs are only in its daily counts.
_KEPT_RUNS = 400


def save_org(org: Org, key: ApiKey, hashed: str) -> bool:
    """False where the org is there already."""
    try:
        orgs.create_org(org)
    except orgs.SlugTaken:
        return False
    orgs.claim_first_key(key, hashed)
    return True


def save(org_id: str, lives: Sequence[Life], windows: Iterable[MaintenanceWindow], now: datetime) -> None:
    for window in windows:
        maintenance.save_window(window)
    channel_ids = [channels.save_channel(one).id for one in _channels(org_id, now)]
    channels.note_delivered(org_id, channel_ids[0], now - timedelta(minutes=46))
    channels.note_failed(org_id, channel_ids[1], now - timedelta(hours=30), "answered 404: channel_not_found")
    version = dependencies.graph_of_org(org_id).version
    commit_many([(None, Decision(life.cron._replace(version=0))) for life in lives], version)
    for life in lives:
        _save_history(life, now)
    _handle(lives, org_id, now)
    with AlertItem.batch_write() as sent:
        for alert in chain.from_iterable(life.alerts for life in lives):
            sent.save(_delivered(alert, channel_ids))


def _save_history(life: Life, now: datetime) -> None:
    with RunItem.batch_write() as batch:
        for run in sorted(life.runs.values(), key=lambda one: one.id)[-_KEPT_RUNS:]:
            batch.save(runs.new_item(run, now))
            output = runs.output_item(run, now)
            if output is not None:
                batch.save(output)
    with DailyCountsItem.batch_write() as days:
        for day in life.days.values():
            days.save(daily_counts.daily_counts_item(life.cron.id, day))
    for incident in life.incidents.values():
        item, actions = incident_changes(incident, life.cron)
        item.update(actions)


def _channels(org_id: str, now: datetime) -> list[Channel]:
    def channel(number: int, name: str, url: str) -> Channel:
        made_at = now - timedelta(days=89, minutes=number)
        return Channel(
            org_id, ids.timed_id(made_at, bytes([number] * 10)), name, ChannelKind.APPRISE, url, made_at
        )

    # They are asked for nothing that happens here: a demonstration sends no messages to anybody.
    nobody = ChannelFilters(products=("nobody",))
    on_call = channel(1, "On call", "pagerduty://" + "a" * 32 + "@cronhub")._replace(filters=nobody)
    team = channel(2, "Team chat", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")._replace(filters=nobody)
    return [on_call, team]


def _delivered(alert: Alert, channel_ids: Sequence[str]) -> AlertItem:
    """What was told is told; nothing of it is sent again."""
    item = alert_item(alert)
    item.send_at = item.send_shard = None
    on_call, team = channel_ids
    tried: dict[str, Any] = {"n": 1, "a": int(alert.at.timestamp() * 1000) + 900}
    error = {**tried, "s": "refused", "e": "answered 404: channel_not_found"}
    item.deliveries = {on_call: {**tried, "s": "delivered"}, team: error}
    return item


def _handle(lives: Sequence[Life], org_id: str, now: datetime) -> None:
    """Somebody has taken on the incident of the train that hangs."""
    for life in lives:
        incident = life.cron.incident
        if life.cron.name == "train-ranking" and incident is not None:
            note = Handling("Ada", now - timedelta(minutes=20), "The GPU host is being restarted.")
            incidents.acknowledge(org_id, incident.id, note)
