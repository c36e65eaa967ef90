"""Register the crons of a service: make, update, leave as they are, archive."""

import secrets
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

from chalicelib.domain import ids, lifecycle
from chalicelib.domain.cron import Cron, Settings
from chalicelib.domain.decision import Decision
from chalicelib.services.crons import with_settings
from chalicelib.services.races import until_won
from chalicelib.store import crons
from chalicelib.store.commits import CRONS_AT_ONCE, commit_many
from chalicelib.store.cron_names import find_ids, ids_of_service


class Result(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Wanted(NamedTuple):
    """A cron as a register call gives it: only the settings that it names."""

    name: str
    settings: dict[str, Any]


class Registered(NamedTuple):
    """crons: in the order given · archived: ids of the service's crons that were not in the list."""

    crons: tuple[tuple[Cron, Result], ...]
    archived: tuple[str, ...]


def register(
    org_id: str, product: str, service: str, wanted: list[Wanted], prune: bool, now: datetime
) -> Registered:
    """Makes a service's crons be as wanted (100 at most, names distinct).

    The same call again gives the same ids. Settings that a call does not name stay as they are. A
    call that is cut off midway has done a part, and does the rest when it is made again.
    """
    return until_won(lambda: _register(org_id, product, service, wanted, prune, now))


def _register(
    org_id: str, product: str, service: str, wanted: list[Wanted], prune: bool, now: datetime
) -> Registered:
    held = find_ids(org_id, product, service, [one.name for one in wanted])
    known = crons.find_crons(org_id, held.values()) if held else {}
    plans = [
        _plan(org_id, (product, service, one.name), one, known.get(held.get(one.name, "")), now) for one in wanted
    ]
    changes = [(before, decision) for before, decision, result in plans if result is not _SAME]
    pruned = _to_archive(org_id, product, service, set(held.values()), now) if prune else []
    written = _commit(changes + pruned)
    listed = tuple((written.get(decision.cron.id, decision.cron), result) for _, decision, result in plans)
    return Registered(listed, tuple(decision.cron.id for _, decision in pruned))


_SAME = Result.UNCHANGED
_Change = tuple[Cron | None, Decision]


def _plan(
    org_id: str, names: tuple[str, str, str], wanted: Wanted, before: Cron | None, now: datetime
) -> tuple[Cron | None, Decision, Result]:
    if before is None:
        cron_id = ids.cron_id(org_id, secrets.token_bytes(10))
        settings = with_settings(Settings(), wanted.settings)
        cron = lifecycle.create(org_id, cron_id, names, settings, now)
        return None, Decision(cron), Result.CREATED
    settings = with_settings(before.settings, wanted.settings)
    if before.archived_at is not None:
        revived = lifecycle.resume(before._replace(settings=settings), now)
        return before, revived, Result.UPDATED
    if settings == before.settings:
        return before, Decision(before), Result.UNCHANGED
    return before, lifecycle.change(before, settings, now), Result.UPDATED


def _to_archive(org_id: str, product: str, service: str, kept: set[str], now: datetime) -> list[_Change]:
    others = [cron_id for cron_id in ids_of_service(org_id, product, service) if cron_id not in kept]
    if not others:
        return []
    found = crons.find_crons(org_id, others)
    return [(cron, lifecycle.archive(cron, now)) for cron in found.values() if cron.archived_at is None]


def _commit(changes: list[_Change]) -> dict[str, Cron]:
    written: dict[str, Cron] = {}
    for chunk in _chunks(changes):
        written.update((cron.id, cron) for cron in commit_many(chunk))
    return written


def _chunks(changes: list[_Change]) -> Iterator[list[_Change]]:
    rest = iter(changes)
    while chunk := list(islice(rest, CRONS_AT_ONCE)):
        yield chunk
