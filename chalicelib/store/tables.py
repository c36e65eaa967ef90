"""The tables. These models are their one definition: the infrastructure is made from them.

The attributes of the cron item have short names: it is read and written by every signal, and stays
under 1 KB (one write unit) with a full history.
"""

from functools import cache
from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.attributes import MapAttribute as Map
from pynamodb.connection import Connection
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model

from chalicelib import settings
from chalicelib.store import lean_transport
from chalicelib.store.lean_model import LeanModel
from chalicelib.store.lean_model import LeanNumberAttribute as NumberAttribute

lean_transport.install()


class _Meta:
    """What all tables share. A fault reaches the caller soon: the function has 60 s in all."""

    billing_mode = PAY_PER_REQUEST_BILLING_MODE
    connect_timeout_seconds = 3
    read_timeout_seconds = 8
    max_retry_attempts = 3
    max_pool_connections = 32


def _name(table: str) -> str:
    return f"{settings.prefix()}-{table}"


class OrgItem(LeanModel):
    """An org under its id, a reservation of its slug under `slug#{slug}`, under `leaving` which orgs are being
    deleted, under `switching` whose crons are being told whether they may be signalled without a key, and under
    `reporting` when each org's next report is due."""

    class Meta(_Meta):
        table_name = _name("orgs")

    key = UnicodeAttribute(hash_key=True)
    org_id = UnicodeAttribute(null=True)
    slug = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    created_at = NumberAttribute(null=True)
    had_key = BooleanAttribute(null=True)
    first_contact = BooleanAttribute(null=True)
    members_version = NumberAttribute(null=True)
    leaving: Any = UnicodeSetAttribute(null=True)
    looked_at_again: Any = UnicodeSetAttribute(attr_name="again", null=True)
    keyless_off = BooleanAttribute(null=True)
    keyless_changed_at = NumberAttribute(null=True)
    keyless_pending = BooleanAttribute(null=True)
    switching: Any = UnicodeSetAttribute(null=True)
    allowed_origins: Any = ListAttribute(of=UnicodeAttribute, null=True)
    report: Any = JSONAttribute(null=True)
    report_at = NumberAttribute(null=True)
    reporting: Any = UnicodeSetAttribute(null=True)


class KeysOfOrg(GlobalSecondaryIndex["KeyItem"]):
    class Meta:
        index_name = "org"
        projection = AllProjection()

    org_id = UnicodeAttribute(hash_key=True)
    key_id = UnicodeAttribute(range_key=True)


class KeyItem(LeanModel):
    """An API key, under its SHA-256; the key itself is nowhere."""

    class Meta(_Meta):
        table_name = _name("api_keys")

    key_hash = UnicodeAttribute(hash_key=True)
    key_id = UnicodeAttribute()
    org_id = UnicodeAttribute()
    name = UnicodeAttribute()
    scope = UnicodeAttribute()
    created_at = NumberAttribute()
    role = UnicodeAttribute()
    member_id = UnicodeAttribute(null=True)
    last_used_at = NumberAttribute(null=True)
    made_by = UnicodeAttribute(null=True)
    of_org = KeysOfOrg()


class DueIndex(GlobalSecondaryIndex["CronItem"]):
    """The crons that somebody must look at, by when; a cron that is never due is not in it."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = NumberAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True)


class StandingIndex(GlobalSecondaryIndex["CronItem"]):
    """The crons of an org that are not simply well, by how they stand."""

    class Meta:
        index_name = "standing"
        projection = IncludeProjection(["tg"])

    org_id = UnicodeAttribute(hash_key=True)
    standing = UnicodeAttribute(range_key=True, attr_name="sd")
    tags: Any = ListAttribute(attr_name="tg", of=UnicodeAttribute, null=True)


class CronItem(LeanModel):
    class Meta(_Meta):
        table_name = _name("crons")

    org_id = UnicodeAttribute(hash_key=True)
    cron_id = UnicodeAttribute(range_key=True)
    version = NumberAttribute(attr_name="v")
    due_shard = NumberAttribute(null=True)
    due_at = NumberAttribute(null=True)
    due = DueIndex()
    # Not there while all is well: signals of a healthy cron leave the index alone.
    standing = UnicodeAttribute(attr_name="sd", null=True)
    by_standing = StandingIndex()

    product = UnicodeAttribute(attr_name="pr")
    service = UnicodeAttribute(attr_name="sv")
    name = UnicodeAttribute(attr_name="nm")
    created_at = NumberAttribute(attr_name="ca")
    archived_at = NumberAttribute(attr_name="ar", null=True)

    schedule = UnicodeAttribute(attr_name="sc", null=True)
    timezone = UnicodeAttribute(attr_name="tz", null=True)
    description = UnicodeAttribute(attr_name="ds", null=True)
    grace_seconds = NumberAttribute(attr_name="gr", null=True)
    max_runtime_seconds = NumberAttribute(attr_name="mr", null=True)
    anomaly_factor = NumberAttribute(attr_name="af", null=True)
    failure_tolerance = NumberAttribute(attr_name="ft", null=True)
    recovery_threshold = NumberAttribute(attr_name="rt", null=True)
    tags: Any = ListAttribute(attr_name="tg", of=UnicodeAttribute, null=True)
    sla_target = NumberAttribute(attr_name="sl", null=True)
    project_id = UnicodeAttribute(attr_name="pj", null=True)

    status = UnicodeAttribute(attr_name="st")
    reason = UnicodeAttribute(attr_name="rs", null=True)
    expected_at = NumberAttribute(attr_name="ex", null=True)
    late_alerted = BooleanAttribute(attr_name="lt", null=True)
    looked_at = NumberAttribute(attr_name="lk", null=True)
    open_runs: Any = ListAttribute(attr_name="op", null=True)
    last_run: Any = Map(attr_name="lr", null=True)
    last_signal_at = NumberAttribute(attr_name="ls", null=True)
    success_streak = NumberAttribute(attr_name="gs", null=True)
    failure_streak = NumberAttribute(attr_name="bs", null=True)
    durations = BinaryAttribute(attr_name="bd", null=True, legacy_encoding=False)
    # Written by releases before 0.3; nothing reads it any more.
    unusual = BinaryAttribute(attr_name="bu", null=True, legacy_encoding=False)
    offsets = BinaryAttribute(attr_name="of", null=True, legacy_encoding=False)
    incident: Any = Map(attr_name="in", null=True)
    today = BinaryAttribute(attr_name="td", null=True, legacy_encoding=False)
    depends_on: Any = ListAttribute(attr_name="dp", of=UnicodeAttribute, null=True)
    is_blocked = BooleanAttribute(attr_name="bl", null=True)
    blamed_on = UnicodeAttribute(attr_name="bo", null=True)
    held_until = NumberAttribute(attr_name="hu", null=True)
    skipped_from = NumberAttribute(attr_name="sk", null=True)
    noise: Any = Map(attr_name="nz", null=True)
    blind: Any = ListAttribute(attr_name="bg", of=NumberAttribute, null=True)
    last_signal: Any = ListAttribute(attr_name="sg", null=True)
    refused_for = NumberAttribute(attr_name="rf", null=True)
    waits_until = NumberAttribute(attr_name="wu", null=True)
    reminder_seconds = NumberAttribute(attr_name="rm", null=True)
    slug = UnicodeAttribute(attr_name="su", null=True)
    kept = UnicodeAttribute(attr_name="kp", null=True)
    resumes_on_signal = BooleanAttribute(attr_name="ro", null=True)
    signals = NumberAttribute(attr_name="sn", null=True)
    keyless_off = BooleanAttribute(attr_name="kl", null=True)


class StandingCountsItem(LeanModel):
    """A part of how many crons of an org stand how (`standing_counts.py`). The parts are added up."""

    class Meta(_Meta):
        table_name = _name("standings")

    org_id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    changes = NumberAttribute(null=True)
    new = NumberAttribute(null=True)
    up = NumberAttribute(null=True)
    late = NumberAttribute(null=True)
    blocked = NumberAttribute(null=True)
    down = NumberAttribute(null=True)
    in_maintenance = NumberAttribute(null=True)
    paused = NumberAttribute(null=True)
    archived = NumberAttribute(null=True)


class CronNameItem(LeanModel):
    """The natural key of a cron, reserved: registering the same list again returns the same ids.

    Under `slug/{slug}/{cron_id}`, that a cron has a slug, which others may have too; under `slugs`, that all crons
    of the org have such an item.
    """

    class Meta(_Meta):
        table_name = _name("cron_names")

    org_id = UnicodeAttribute(hash_key=True)
    name_key = UnicodeAttribute(range_key=True)
    cron_id = UnicodeAttribute()
    product = UnicodeAttribute(null=True)
    service = UnicodeAttribute(null=True)


class RunItem(LeanModel):
    """A run under its id; or, under `key#…`, which run a caller's own id stands for."""

    class Meta(_Meta):
        table_name = _name("runs")

    cron_id = UnicodeAttribute(hash_key=True)
    run_id = UnicodeAttribute(range_key=True)
    stands_for = UnicodeAttribute(null=True)
    expires_at = TTLAttribute(null=True)
    key = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    scheduled_at = NumberAttribute(null=True)
    scheduled_until = NumberAttribute(null=True)
    occurrences = NumberAttribute(null=True)
    started_at = NumberAttribute(null=True)
    finished_at = NumberAttribute(null=True)
    duration_ms = NumberAttribute(null=True)
    offset_ms = NumberAttribute(null=True)
    late = BooleanAttribute(null=True)
    exit_code = NumberAttribute(null=True)
    message = UnicodeAttribute(null=True)
    has_output = BooleanAttribute(null=True)
    anomaly: Any = Map(null=True)
    incident_id = UnicodeAttribute(null=True)
    excused = UnicodeAttribute(null=True)
    heard_at = NumberAttribute(null=True)
    metrics: Any = JSONAttribute(null=True)


class IncidentItem(LeanModel):
    class Meta(_Meta):
        table_name = _name("incidents")

    org_id = UnicodeAttribute(hash_key=True)
    incident_id = UnicodeAttribute(range_key=True)
    cron_id = UnicodeAttribute()
    cron_name = UnicodeAttribute()
    product = UnicodeAttribute()
    service = UnicodeAttribute()
    reason = UnicodeAttribute()
    opened_at = NumberAttribute()
    missed = NumberAttribute()
    resolved_at = NumberAttribute(null=True)
    resolution = UnicodeAttribute(null=True)
    resolved_by = UnicodeAttribute(null=True)
    resolution_note = UnicodeAttribute(null=True)
    acknowledged_at = NumberAttribute(null=True)
    acknowledged_by = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
    # Every acknowledgement, earliest first; the fields above hold the last one.
    acknowledgements: Any = ListAttribute(null=True)


class DailyCountsItem(LeanModel):
    """What came of a cron's runs of one UTC day (`2026-03-10`), packed as `daily_counts.py` says."""

    class Meta(_Meta):
        table_name = _name("rollups")

    cron_id = UnicodeAttribute(hash_key=True)
    day = UnicodeAttribute(range_key=True)
    counts = BinaryAttribute(attr_name="tally", legacy_encoding=False)
    expires_at = TTLAttribute()


class EdgeItem(LeanModel):
    """That a cron depends on another, under `{depends_on}#{cron}`; and under `graph` the version of the graph.

    Every request that adds an edge increments that version, so two of them cannot make a cycle together.
    """

    class Meta(_Meta):
        table_name = _name("dependencies")

    org_id = UnicodeAttribute(hash_key=True)
    edge = UnicodeAttribute(range_key=True)
    version = NumberAttribute(null=True)


class BadgeItem(LeanModel):
    """A badge under its org and its id; and once more under `token#…`, where the public finds it."""

    class Meta(_Meta):
        table_name = _name("badges")

    org_id = UnicodeAttribute(hash_key=True)
    badge_id = UnicodeAttribute(range_key=True)
    of_org = UnicodeAttribute()
    id = UnicodeAttribute()
    token = UnicodeAttribute()
    label = UnicodeAttribute()
    created_at = NumberAttribute()
    cron_id = UnicodeAttribute(null=True)
    tag = UnicodeAttribute(null=True)


class StatusPageItem(LeanModel):
    """A status page under its org and its id; and under `path#…` which page is at an unguessable path."""

    class Meta(_Meta):
        table_name = _name("status_pages")

    org_id = UnicodeAttribute(hash_key=True)
    page_id = UnicodeAttribute(range_key=True)
    of_org = UnicodeAttribute(null=True)
    id = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    title = UnicodeAttribute(null=True)
    description = UnicodeAttribute(null=True)
    created_at = NumberAttribute(null=True)
    path = UnicodeAttribute(null=True)
    crons = UnicodeAttribute(null=True)
    show_uptime = BooleanAttribute(null=True)
    show_incidents = BooleanAttribute(null=True)
    show_maintenance = BooleanAttribute(null=True)


class MaintenanceWindowItem(LeanModel):
    class Meta(_Meta):
        table_name = _name("maintenance")

    org_id = UnicodeAttribute(hash_key=True)
    window_id = UnicodeAttribute(range_key=True)
    version = NumberAttribute()
    name = UnicodeAttribute()
    created_at = NumberAttribute()
    starts_at = NumberAttribute(null=True)
    ends_at = NumberAttribute(null=True)
    schedule = UnicodeAttribute(null=True)
    timezone = UnicodeAttribute(null=True)
    duration_minutes = NumberAttribute(null=True)
    product = UnicodeAttribute(null=True)
    service = UnicodeAttribute(null=True)
    project_id = UnicodeAttribute(null=True)
    tags: Any = ListAttribute(of=UnicodeAttribute, null=True)
    cron_ids: Any = ListAttribute(of=UnicodeAttribute, null=True)


class MemberItem(LeanModel):
    """A member under their id; and under `email#{hash}` who has an address: each has one seat."""

    class Meta(_Meta):
        table_name = _name("members")

    org_id = UnicodeAttribute(hash_key=True)
    member_id = UnicodeAttribute(range_key=True)
    email = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    role = UnicodeAttribute(null=True)
    created_at = NumberAttribute(null=True)
    taken_by = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    key_hashes: Any = UnicodeSetAttribute(null=True)


class InviteItem(LeanModel):
    """An invitation; of its token only the SHA-256."""

    class Meta(_Meta):
        table_name = _name("invites")

    org_id = UnicodeAttribute(hash_key=True)
    invite_id = UnicodeAttribute(range_key=True)
    email = UnicodeAttribute()
    role = UnicodeAttribute()
    invited_by = UnicodeAttribute()
    token_hash = UnicodeAttribute()
    created_at = NumberAttribute()
    state = UnicodeAttribute()
    inviter_id = UnicodeAttribute(null=True)
    expires_at = TTLAttribute()


class SessionItem(LeanModel):
    """A browser that is signed in; of its cookie only the SHA-256. Under `once#{session_id}` its one-time link."""

    class Meta(_Meta):
        table_name = _name("sessions")

    org_id = UnicodeAttribute(hash_key=True)
    session_id = UnicodeAttribute(range_key=True)
    token_hash = UnicodeAttribute()
    key_hash = UnicodeAttribute(null=True)
    created_at = NumberAttribute()
    last_used_at = NumberAttribute()
    browser = UnicodeAttribute(null=True)
    expires_at = TTLAttribute()


class ProjectItem(LeanModel):
    """A project under its id; and under `name#{hash}` which one has a name."""

    class Meta(_Meta):
        table_name = _name("projects")

    org_id = UnicodeAttribute(hash_key=True)
    project_id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute(null=True)
    description = UnicodeAttribute(null=True)
    created_at = NumberAttribute(null=True)
    taken_by = UnicodeAttribute(null=True)


class SendIndex(GlobalSecondaryIndex["AlertItem"]):
    """The alerts that are still to be sent, by when; one that is done is not in it."""

    class Meta:
        index_name = "send"
        projection = KeysOnlyProjection()

    send_shard = NumberAttribute(hash_key=True)
    send_at = NumberAttribute(range_key=True)


class AlertItem(LeanModel):
    """The outbox: a cron's alerts in order, and how far each channel is with them. Under a channel's id also which
    alerts wait for each other over it, or share a message (`members`)."""

    class Meta(_Meta):
        table_name = _name("alerts")

    cron_id = UnicodeAttribute(hash_key=True)
    alert_id = UnicodeAttribute(range_key=True)
    send_shard = NumberAttribute(null=True)
    send_at = NumberAttribute(null=True)
    send = SendIndex()
    body: Any = JSONAttribute()
    deliveries: Any = Map()
    members: Any = JSONAttribute(null=True)
    expires_at = TTLAttribute()


class ThrottleItem(LeanModel):
    """How many requests of one kind came from one subject within one window."""

    class Meta(_Meta):
        table_name = _name("throttles")

    subject = UnicodeAttribute(hash_key=True)
    used = NumberAttribute(default=0)
    expires_at = TTLAttribute()


class WatchItem(LeanModel):
    """What the whole deployment knows of itself: under `tick`, when the last tick was, and the times
    (begin, end, begin, end …) in which none came, what it left to others, and what became of the canaries;
    under `due-{shard}`, until when a shard is being worked off, and as of when it last was."""

    class Meta(_Meta):
        table_name = _name("watch")

    name = UnicodeAttribute(hash_key=True)
    ticked_at = NumberAttribute(null=True)
    gaps: Any = ListAttribute(of=NumberAttribute, null=True)
    handed_over_at = NumberAttribute(null=True)
    behind_since = NumberAttribute(null=True)
    canary_id = UnicodeAttribute(null=True)
    canary_to = UnicodeAttribute(null=True)
    canary_sent_at = NumberAttribute(null=True)
    silent_since = NumberAttribute(null=True)
    heard_at = NumberAttribute(null=True)
    heard_through = UnicodeAttribute(null=True)
    deaf: Any = ListAttribute(of=NumberAttribute, null=True)
    shards_set = NumberAttribute(null=True)
    shards_read = NumberAttribute(null=True)
    shards_since = NumberAttribute(null=True)
    taken_until = NumberAttribute(null=True)
    done_at = NumberAttribute(null=True)


class ChannelItem(LeanModel):
    """A channel, with what it is reached by: these are secrets."""

    class Meta(_Meta):
        table_name = _name("channels")

    org_id = UnicodeAttribute(hash_key=True)
    channel_id = UnicodeAttribute(range_key=True)
    version = NumberAttribute()
    name = UnicodeAttribute()
    kind = UnicodeAttribute()
    url = UnicodeAttribute()
    created_at = NumberAttribute()
    secrets: Any = ListAttribute(of=UnicodeAttribute, null=True)
    filters: Any = Map(null=True)
    confirmed = BooleanAttribute()
    confirmation = UnicodeAttribute(null=True)
    confirm_by = NumberAttribute(null=True)
    failing_since = NumberAttribute(null=True)
    last_error = UnicodeAttribute(null=True)
    last_delivered_at = NumberAttribute(null=True)
    failing_alerted = BooleanAttribute(attr_name="failing_told", null=True)
    failures = NumberAttribute(null=True)
    resume_at = NumberAttribute(null=True)
    taken_until = NumberAttribute(null=True)
    down_until = NumberAttribute(null=True)
    down_told_at = NumberAttribute(null=True)
    down_told = NumberAttribute(null=True)
    up_until = NumberAttribute(null=True)
    up_told_at = NumberAttribute(null=True)
    up_told = NumberAttribute(null=True)
    has_groups = BooleanAttribute(null=True)


MODELS: tuple[type[Model], ...] = (
    OrgItem,
    KeyItem,
    CronItem,
    CronNameItem,
    RunItem,
    IncidentItem,
    DailyCountsItem,
    EdgeItem,
    MaintenanceWindowItem,
    MemberItem,
    InviteItem,
    SessionItem,
    ProjectItem,
    AlertItem,
    ThrottleItem,
    ChannelItem,
    WatchItem,
    BadgeItem,
    StandingCountsItem,
    StatusPageItem,
)


def create_tables() -> list[str]:
    """Creates the tables and indexes that do not exist yet; returns the names of the tables."""
    made = []
    for model in MODELS:
        if not model.exists():
            model.create_table(wait=True)
            made.append(model.Meta.table_name)
        else:
            _add_missing_indexes(model)
    return made


def _add_missing_indexes(model: type[Model]) -> None:
    """For tables that an older release made; on AWS the stack does it."""
    name = model.Meta.table_name
    there = model.describe_table().get("GlobalSecondaryIndexes", ())
    known = {index["IndexName"] for index in there}
    schema: Any = model._get_schema()
    for index in schema["global_secondary_indexes"]:
        if index["index_name"] not in known:
            request = {
                "TableName": name,
                "AttributeDefinitions": _attributes_of(schema),
                "GlobalSecondaryIndexUpdates": [{"Create": _index_to_create(index)}],
            }
            model._get_connection().connection.dispatch("UpdateTable", request)


def _attributes_of(schema: Any) -> list[dict[str, str]]:
    return [
        {"AttributeName": one["AttributeName"], "AttributeType": one["AttributeType"]}
        for one in schema["attribute_definitions"]
    ]


def _index_to_create(index: Any) -> dict[str, Any]:
    # DynamoDB wants the hash key first.
    keys = sorted(index["key_schema"], key=lambda key: str(key["KeyType"]))
    return {"IndexName": index["index_name"], "KeySchema": keys, "Projection": index["projection"]}


@cache
def connection() -> Connection:
    """The connection for transactions: the crons' own, since a client takes long to make."""
    return CronItem._get_connection().connection
