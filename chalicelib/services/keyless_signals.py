"""Telling an org's crons whether they may be signalled without a key."""

import logging
import time
from datetime import datetime, timedelta

from chalicelib.domain.errors import CronHubError, Unavailable
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import keyless, orgs
from chalicelib.store.org_moments import OrgMoment

log = logging.getLogger("cronhub.tick")

#: Longer than any request lives: after it, no cron is made any more as the org had it before.
_REQUESTS_END_WITHIN = timedelta(minutes=2)


def note_change(org_id: str, now: datetime) -> None:
    """Before the org is written: if the request dies in between, the tick finds what is left to do."""
    keyless.note(OrgMoment(org_id, now))


def tell_crons(org_id: str, budget_seconds: float = 15.0) -> bool:
    """Tells the org's crons what it wants now; returns whether all were told."""
    org = orgs.find_org(org_id)
    if org is None:
        return True
    until = time.monotonic() + budget_seconds
    all_told = True
    for cron_id in keyless.untold_crons(org_id, org.keyless_signals):
        if time.monotonic() >= until:
            return False
        all_told &= _tell(org_id, cron_id, org.keyless_signals)
    if not all_told:
        return False
    if org.keyless_changed_at is not None:
        keyless.note_all_told(OrgMoment(org_id, org.keyless_changed_at))
    return True


def _tell(org_id: str, cron_id: str, allowed: bool) -> bool:
    try:
        retry_on_conflict(lambda: keyless.tell_cron(org_id, cron_id, allowed))
    except Unavailable:
        return False
    return True


def go_on(now: datetime, budget_seconds: float = 10.0) -> None:
    """Goes on where a request had no time, and looks once more when all requests of that time have ended.

    A cron that was being registered at the moment of the change may have been made as the org had it before.
    """
    until = time.monotonic() + budget_seconds
    for change in _in_turn(keyless.noted(), now):
        try:
            told = tell_crons(change.org_id, until - time.monotonic())
            if told and now - change.at >= _REQUESTS_END_WITHIN:
                keyless.forget(change)
        except CronHubError:
            log.exception("the crons of org %s were not told about keyless signals", change.org_id)


def _in_turn(changes: list[OrgMoment], now: datetime) -> list[OrgMoment]:
    """Beginning at another one each minute, so that a large org does not hold up the others."""
    first = int(now.timestamp()) // 60 % len(changes) if changes else 0
    return changes[first:] + changes[:first]
