"""How many crons of an org are how, in a few reads whatever their number."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.monitor.standing import STANDINGS, standing
from chalicelib.store.cron_names import ids_of_service
from chalicelib.store.crons import crons_of_org, find_crons
from chalicelib.store.standing_counts import StandingCounts, read_standing_counts, save_base

_TRIES = 3


def count_crons(org_id: str) -> Mapping[DisplayStatus, int]:
    """Returns how many crons stand how.

    Only the first time, and where the numbers turn out to be wrong, is every cron read: an org may have crons that
    are older than the counting.
    """
    found = read_standing_counts(org_id)
    if found.base is not None and min(found.numbers.values()) >= 0:
        return found.numbers
    return _recount(org_id, found)


def _recount(org_id: str, found: StandingCounts) -> Mapping[DisplayStatus, int]:
    """Reads every cron. What was read is exact if nothing changed meanwhile; then it is kept as the base."""
    for _ in range(_TRIES):
        read = Counter(standing(cron) for cron in crons_of_org(org_id))
        after = read_standing_counts(org_id)
        if after.changes == found.changes:
            save_base(org_id, {status: read[status] - found.changed[status] for status in STANDINGS})
            break
        found = after
    # Else it is near enough for this answer, and the next one tries again.
    return {status: read[status] for status in STANDINGS}


class Service(NamedTuple):
    product: str
    service: str


def first_crons(org_id: str, limit: int, of: Service | None = None) -> Sequence[Cron]:
    """Returns crons that are not archived, the lowest ids first: of a service, or of the whole org."""
    if of is None:
        found = crons_of_org(org_id, first_page=limit + 1)
    else:
        crons = find_crons(org_id, ids_of_service(org_id, *of))
        found = iter(sorted(crons.values(), key=lambda cron: cron.id))
    return list(islice((cron for cron in found if cron.archived_at is None), limit))
