"""Orgs and their API keys."""

from datetime import datetime
from typing import Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from chalicelib.api.schemas.values import Answer, Name, Origin, Request, Slug, Timezone, fields_of
from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.accounts.org import Org
from chalicelib.domain.accounts.origin import MOST_ORIGINS
from chalicelib.domain.accounts.permissions import Role, Scope
from chalicelib.domain.accounts.report_plan import ReportEvery, ReportPlan

_MOST_CHANNELS = 50
Origins = Annotated[tuple[Origin, ...], Meta(max_length=MOST_ORIGINS)]


class CreateOrg(Request):
    #: The name that people see.
    name: Name
    #: 1 to 63 of a-z, 0-9 and -, starting and ending with a letter or digit.
    slug: Slug


class ReportIn(Request):
    """When a report of the week or the month comes."""

    #: `off`, `weekly` or `monthly`.
    every: ReportEvery
    #: The day. Weekly: 1 is Monday, 7 is Sunday. Monthly: 1 to 28.
    day: Annotated[int, Meta(ge=1, le=28)] = 1
    #: The hour of that day: 0 to 23.
    hour: Annotated[int, Meta(ge=0, le=23)] = 8
    #: The IANA time zone of day and hour.
    timezone: Timezone = "UTC"
    #: The channels that it goes over; empty: all whose filters admit the kind `report`.
    channel_ids: Annotated[tuple[Name, ...], Meta(max_length=_MOST_CHANNELS)] = ()

    def plan(self) -> ReportPlan:
        ids = tuple(dict.fromkeys(self.channel_ids))
        return ReportPlan(self.every, self.day, self.hour, self.timezone, ids)


class ChangeOrg(Request):
    #: The name that people see.
    name: Name | UnsetType = UNSET
    #: The part of URLs that names the org.
    slug: Slug | UnsetType = UNSET
    #: Whether the first signal of an unknown slug makes a cron; true unless changed.
    first_contact: bool | UnsetType = UNSET
    #: Whether ping URLs work, which need no key. Without them, ids of crons are only names.
    keyless_signals: bool | UnsetType = UNSET
    #: Sites whose pages may read the crons from a browser, with a key: `https://…` or localhost, without a path.
    allowed_origins: Origins | UnsetType = UNSET
    #: A report by week or month: what is down, what failed, what becomes slow. Replaces all of it.
    report: ReportIn | UnsetType = UNSET


class DeleteOrg(Request):
    #: Must repeat the org's slug.
    slug: str | UnsetType = UNSET


class ReportOut(Answer):
    #: `off`, `weekly` or `monthly`.
    every: ReportEvery
    #: The day. Weekly: 1 is Monday, 7 is Sunday. Monthly: 1 to 28.
    day: int
    #: The hour of that day: 0 to 23.
    hour: int
    #: The IANA time zone of day and hour.
    timezone: str
    #: The channels that it goes over; empty: all whose filters admit the kind `report`.
    channel_ids: tuple[str, ...]
    #: When the next report is due; null while they are off.
    next_at: datetime | None

    @classmethod
    def of(cls, org: Org) -> Self:
        plan = org.report
        return cls(plan.every, plan.day, plan.hour, plan.timezone, plan.channel_ids, org.report_at)


class OrgOut(Answer):
    #: The id, for use in paths.
    id: str
    #: The part of URLs that names the org.
    slug: str
    #: The name that people see.
    name: str
    #: Whether ping URLs work, which need no key.
    keyless_signals: bool
    #: True while a change of `keyless_signals` is still on its way to some of the crons.
    keyless_signals_pending: bool
    #: Sites whose pages may read the crons from a browser, with a key.
    allowed_origins: tuple[str, ...]
    #: When it was created.
    created_at: datetime
    #: Whether the first signal of an unknown slug makes a cron.
    first_contact: bool
    #: The report by week or month.
    report: ReportOut

    @classmethod
    def of(cls, org: Org) -> Self:
        return cls(
            id=org.id,
            slug=org.slug,
            name=org.name,
            keyless_signals=org.keyless_signals,
            keyless_signals_pending=org.keyless_pending,
            allowed_origins=org.allowed_origins,
            created_at=org.created_at,
            first_contact=org.first_contact,
            report=ReportOut.of(org),
        )


class OrgDeleting(Answer):
    #: Always `deleting`: the rest is deleted in the background.
    status: str = "deleting"


class CreateKey(Request):
    #: What the key is for.
    name: Name
    #: What the key may do; `full` unless given.
    scope: Scope = Scope.FULL


class KeyOut(Answer):
    #: The id, for use in paths.
    id: str
    #: What the key is for.
    name: str
    #: What the key may do: `full`, `ingest` or `read`.
    scope: Scope
    #: The role of the member that it belongs to.
    role: Role
    #: The member it belongs to; null for an org's own key.
    member_id: str | None
    #: The key that made it; null for an org's first key and for a member's first.
    made_by: str | None
    #: Accurate to the hour.
    last_used_at: datetime | None
    #: When it was created.
    created_at: datetime

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        return cls(
            id=key.id,
            name=key.name,
            scope=key.scope,
            role=key.role,
            member_id=key.member_id,
            made_by=key.made_by,
            last_used_at=key.last_used_at,
            created_at=key.created_at,
        )


class NewKeyOut(KeyOut, kw_only=True):
    #: The key itself. It is shown only here.
    key: str

    @classmethod
    def made(cls, key: ApiKey, text: str) -> Self:
        return cls(**fields_of(KeyOut.of(key)), key=text)


class KeyList(Answer):
    #: The keys of this page.
    api_keys: tuple[KeyOut, ...]
    #: Send it as `cursor` for the next page; null at the end.
    next_cursor: str | None
