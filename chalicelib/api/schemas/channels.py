"""Channels, and which alerts they take."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from chalicelib.api.schemas.values import Answer, Name, Request
from chalicelib.channels.message import Outcome, State
from chalicelib.domain.alerts.channel import KINDS, Channel, ChannelFilters, ChannelKind, Severity, masked
from chalicelib.services.channels import ChannelChanges, NewChannel

_MOST_FILTERED = 50

Url = Annotated[str, Meta(max_length=2000)]
Names = Annotated[tuple[Name, ...], Meta(max_length=_MOST_FILTERED)]
AlertKind = StrEnum("AlertKind", {kind.upper(): kind for kind in KINDS})  # type: ignore[misc]


class FiltersIn(Request):
    """What goes through: what fits all of these. An empty list fits anything."""

    #: Only alerts about crons of these products; empty: of all.
    products: Names = ()
    #: Only alerts about crons of these services; empty: of all.
    services: Names = ()
    #: Only alerts about crons of these projects; empty: of all.
    project_ids: Names = ()
    #: Fits crons with any of these tags.
    tags: Names = ()
    #: `late` and `blocked` go only to channels that name them.
    kinds: Annotated[tuple[AlertKind, ...], Meta(max_length=len(KINDS))] = ()
    #: Only alerts of these severities; empty: of all.
    severities: Annotated[tuple[Severity, ...], Meta(max_length=len(Severity))] = ()

    def filters(self) -> ChannelFilters:
        return ChannelFilters(
            products=_distinct(self.products),
            services=_distinct(self.services),
            project_ids=_distinct(self.project_ids),
            tags=_distinct(self.tags),
            kinds=_distinct(tuple(str(kind) for kind in self.kinds)),
            severities=tuple(dict.fromkeys(self.severities)),
        )


def _distinct(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(given))


class CreateChannel(Request):
    #: The name that people see.
    name: Name
    #: `webhook`, `email`, `apprise` or `sns`.
    kind: ChannelKind
    #: A web address, an e-mail address, an Apprise URL or an SNS topic's ARN. Answers show it masked.
    url: Url
    #: null: everything goes through.
    filters: FiltersIn | None = None

    def channel(self) -> NewChannel:
        return NewChannel(self.name, self.kind, self.url, (self.filters or FiltersIn()).filters())


class ChangeChannel(Request):
    #: The name that people see.
    name: Name | UnsetType = UNSET
    #: A new e-mail address must be confirmed again.
    url: Url | UnsetType = UNSET
    #: null: everything goes through.
    filters: FiltersIn | UnsetType | None = UNSET

    def changes(self) -> ChannelChanges:
        if isinstance(self.filters, UnsetType):
            return ChannelChanges(self.name, self.url)
        return ChannelChanges(self.name, self.url, (self.filters or FiltersIn()).filters())


class TestChannel(Request):
    """Nothing."""


class RotateSecret(Request):
    #: true: ends the old secret instead of making a new one.
    drop_old: bool = False


class ConfirmQuery(Request):
    #: The token of the mailed link.
    token: Annotated[str, Meta(max_length=200)]


class Confirmed(Answer):
    #: Always true.
    confirmed: bool = True


class FiltersOut(Answer):
    #: Only alerts about crons of these products; empty: of all.
    products: tuple[str, ...]
    #: Only alerts about crons of these services; empty: of all.
    services: tuple[str, ...]
    #: Only alerts about crons of these projects; empty: of all.
    project_ids: tuple[str, ...]
    #: Only alerts about crons with one of these tags; empty: of all.
    tags: tuple[str, ...]
    #: Only alerts of these kinds; empty: all but `late` and `blocked`.
    kinds: tuple[str, ...]
    #: Only alerts of these severities; empty: of all.
    severities: tuple[Severity, ...]


class ChannelOut(Answer):
    #: The id, for use in paths.
    id: str
    #: The name that people see.
    name: str
    #: `webhook`, `email`, `apprise` or `sns`.
    kind: ChannelKind
    #: Masked: without user, password, path and query.
    url: str
    #: Which alerts pass.
    filters: FiltersOut
    #: How many secrets deliveries are signed with.
    live_secrets: int
    #: Whether the owner of an e-mail address agreed; true for other kinds.
    confirmed: bool
    #: Whether it is rejecting alerts for a day or longer.
    failing: bool
    #: Since when deliveries fail; null when the last one went well.
    failing_since: datetime | None
    #: What went wrong at the last delivery; null while it works.
    last_error: str | None
    #: When an alert was last accepted.
    last_delivered_at: datetime | None
    #: When it was created.
    created_at: datetime
    #: A webhook's secret. It is shown only when it is made.
    secret: str | UnsetType = UNSET

    @classmethod
    def of(cls, channel: Channel, secret: str | None = None) -> Self:
        return cls(
            id=channel.id,
            name=channel.name,
            kind=channel.kind,
            url=masked(channel.url),
            filters=FiltersOut(*channel.filters),
            live_secrets=len(channel.secrets),
            confirmed=channel.confirmed,
            failing=channel.failing_alerted,
            failing_since=channel.failing_since,
            last_error=channel.last_error,
            last_delivered_at=channel.last_delivered_at,
            created_at=channel.created_at,
            secret=secret or UNSET,
        )


class ChannelList(Answer):
    #: The channels of this page.
    channels: tuple[ChannelOut, ...]
    #: Send it as `cursor` for the next page; null at the end.
    next_cursor: str | None


class TestOutcome(Answer):
    #: Whether the test message was accepted.
    delivered: bool
    #: What the receiver answered, or why it could not be reached.
    outcome: State
    #: What the receiver answered, or why nothing was sent.
    detail: str

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        return cls(outcome.is_delivered, outcome.state, outcome.detail)
