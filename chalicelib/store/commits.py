"""The one place that commits state: a decision, whole or not at all, in one transaction."""

from collections.abc import Sequence
from datetime import datetime

from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from chalicelib.domain.cron import Cron
from chalicelib.domain.decision import Decision, RunWrite
from chalicelib.domain.run import RunStatus
from chalicelib.domain.tally import DayTally, sum_tallies
from chalicelib.domain.alert import Alert
from chalicelib.store import runs
from chalicelib.store.alerts import alert_item
from chalicelib.store.connections import connection
from chalicelib.store.cron_items import to_item
from chalicelib.store.cron_names import name_item
from chalicelib.store.faults import LostRace, failed_at, told_as_unavailable
from chalicelib.store.incidents import incident_changes
from chalicelib.store.tables import CronItem, CronNameItem, RunItem
from chalicelib.store.tallies import find_days, rollup_item

# A transaction holds 100 items; a cron that is made takes two, one that is renamed three.
CRONS_AT_ONCE = 33


def commit(decision: Decision, now: datetime, alerts: Sequence[Alert] = ()) -> Cron:
    """Writes a decision and the alerts it makes; gives the cron as it now stands.

    Raises LostRace where the cron has changed since it was loaded, or a run's own id was taken;
    Unavailable where the store does not answer (it may have been written all the same).
    """
    claims = [write.run for write in decision.writes if _claims(write)]
    cron = decision.cron._replace(version=decision.cron.version + 1)
    # Whoever writes a cron's rollups moves its version on, so what was read here holds at the write.
    days = [*decision.finished_days, *_added(cron.id, decision.past_days)]
    with told_as_unavailable():
        try:
            with TransactWrite(connection=connection()) as transaction:
                # pynamodb sends puts in the order of these calls and before all updates.
                for run in claims:
                    transaction.save(runs.claim_item(run, now), RunItem.run_id.does_not_exist())
                _save_cron(transaction, cron)
                for write in decision.writes:
                    _save_run(transaction, write, now)
                for day in days:
                    transaction.save(rollup_item(cron.id, day))
                for alert in alerts:
                    transaction.save(alert_item(alert))
                if decision.incident is not None:
                    item, actions = incident_changes(decision.incident, cron)
                    transaction.update(item, actions)
        except TransactWriteError as error:
            if any(failed_at(error, place) for place in range(len(claims))):
                raise LostRace(claimed=True) from error
            raise
    return cron


def _added(cron_id: str, additions: Sequence[DayTally]) -> list[DayTally]:
    """The rollups of days that moved out of their cron before, with what is to be added."""
    if not additions:
        return []
    there = {day.day: day.tally for day in find_days(cron_id, [day.day for day in additions])}
    return [
        DayTally(day, sum_tallies([there[day], tally] if day in there else [tally])) for day, tally in additions
    ]


def _claims(write: RunWrite) -> bool:
    # A start that was blocked may be tried again under its id.
    return write.new and write.run.key is not None and write.run.status is not RunStatus.BLOCKED


def _save_cron(transaction: TransactWrite, cron: Cron) -> None:
    condition = CronItem.cron_id.does_not_exist() if cron.version == 1 else CronItem.version == cron.version - 1
    transaction.save(to_item(cron), condition)


def _save_run(transaction: TransactWrite, write: RunWrite, now: datetime) -> None:
    output = runs.output_item(write.run, now)
    if output is not None:
        transaction.save(output)
    if write.new:
        transaction.save(runs.new_item(write.run, now))
    else:
        transaction.update(*runs.changes(write.run, now))


def commit_many(changes: Sequence[tuple[Cron | None, Decision]]) -> list[Cron]:
    """Writes crons that were made or changed, up to 33 in one transaction: all or none of them."""
    crons = [decision.cron._replace(version=decision.cron.version + 1) for _, decision in changes]
    with told_as_unavailable(), TransactWrite(connection=connection()) as transaction:
        for (before, decision), cron in zip(changes, crons, strict=True):
            _save_cron(transaction, cron)
            _move_name(transaction, before, cron)
            if decision.incident is not None:
                item, actions = incident_changes(decision.incident, cron)
                transaction.update(item, actions)
    return crons


def _move_name(transaction: TransactWrite, before: Cron | None, cron: Cron) -> None:
    wanted = name_item(cron)
    if before is not None:
        held = name_item(before)
        if held.name_key == wanted.name_key:
            return
        transaction.delete(held, CronNameItem.cron_id == cron.id)
    transaction.save(wanted, CronNameItem.cron_id.does_not_exist())


def delete_cron(cron: Cron, decision: Decision) -> None:
    """Removes a cron and its name, and closes its incident; its runs go with their time."""
    with told_as_unavailable(), TransactWrite(connection=connection()) as transaction:
        transaction.delete(CronItem(cron.org_id, cron.id), CronItem.version == cron.version)
        transaction.delete(name_item(cron), CronNameItem.cron_id == cron.id)
        if decision.incident is not None:
            item, actions = incident_changes(decision.incident, cron)
            transaction.update(item, actions)


def landed(decision: Decision) -> bool:
    """Whether a decision whose fate is unknown was written: its run is there as decided."""
    if decision.run is None or not decision.writes:
        return False
    stored = runs.find_run(decision.cron.id, decision.run.id)
    return stored is not None and (stored.status, stored.finished_at) == (
        decision.run.status,
        decision.run.finished_at,
    )
