"""The one place that commits state: a decision, whole or not at all, in one transaction."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from chalicelib.domain.alerts.alert import Alert, alerts_of
from chalicelib.domain.errors import ConcurrentUpdate
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision, RunWrite
from chalicelib.domain.runs.counts import DailyCounts, sum_counts
from chalicelib.domain.runs.run import RunStatus
from chalicelib.store import runs
from chalicelib.store.alerts import alert_item
from chalicelib.store.cron_codec import to_item
from chalicelib.store.cron_names import name_item
from chalicelib.store.daily_counts import daily_counts_item, find_days
from chalicelib.store.dependencies import added, move_edges, move_graph_on, remove_edges, removed
from chalicelib.store.errors import failed_at, store_errors
from chalicelib.store.incidents import incident_changes
from chalicelib.store.slugs import slug_item, slugs_to_move
from chalicelib.store.standing_counts import save_moves
from chalicelib.store.tables import CronItem, CronNameItem, RunItem, connection

# A transaction holds 100 items. One is kept for the version of the org's graph, one for how its crons stand.
ITEMS_AT_ONCE = 98

# A cron as it was, None for a new one, and what is to be made of it.
Change = tuple[Cron | None, Decision]


def commit(before: Cron, decision: Decision, now: datetime, alerts: Sequence[Alert] = ()) -> Cron:
    """Writes a decision about a cron and the alerts it makes; returns the cron as it now stands.

    Raises ConcurrentUpdate where the cron has changed since it was loaded, or a run's own id was taken;
    Unavailable where the store does not answer (it may have been written all the same).
    """
    claims = [write for write in decision.writes if _claims(write)]
    cron = decision.cron._replace(version=decision.cron.version + 1)
    # Every write of a cron's daily counts increments its version, so what was read here holds at the write.
    days = [*decision.finished_days, *_added(cron.id, decision.past_days)]
    with store_errors():
        try:
            with TransactWrite(connection=connection()) as transaction:
                # pynamodb sends puts in the order of these calls and before all updates.
                for write in claims:
                    transaction.save(runs.claim_item(write.run, now), _may_claim(write))
                _save_cron(transaction, cron)
                for write in decision.writes:
                    _save_run(transaction, write, now)
                for day in days:
                    transaction.save(daily_counts_item(cron.id, day))
                for alert in alerts:
                    transaction.save(alert_item(alert))
                for incident in decision.incidents:
                    transaction.update(*incident_changes(incident, cron))
                save_moves(transaction, [(before, cron)])
        except TransactWriteError as error:
            if any(failed_at(error, place) for place in range(len(claims))):
                raise ConcurrentUpdate(claimed=True) from error
            raise
    return cron


def _added(cron_id: str, additions: Sequence[DailyCounts]) -> list[DailyCounts]:
    """The rollups of days that moved out of their cron before, with what is to be added."""
    if not additions:
        return []
    there = {day.day: day.counts for day in find_days(cron_id, [day.day for day in additions])}
    return [
        DailyCounts(day, sum_counts([there[day], counts] if day in there else [counts]))
        for day, counts in additions
    ]


def _claims(write: RunWrite) -> bool:
    # A start that was blocked may be tried again under its id; a log only speaks of the run.
    takes_no_id = write.run.status in (RunStatus.BLOCKED, RunStatus.LOG)
    return write.new and write.run.key is not None and not takes_no_id


def _may_claim(write: RunWrite) -> Condition:
    """An id is free, or stands for the earlier run that it is taken over from."""
    is_free: Condition = RunItem.run_id.does_not_exist()
    return is_free if write.reused_from is None else is_free | (RunItem.stands_for == write.reused_from)


def _save_cron(transaction: TransactWrite, cron: Cron) -> None:
    condition = CronItem.cron_id.does_not_exist() if cron.version == 1 else CronItem.version == cron.version - 1
    transaction.save(to_item(cron), condition)


def _save_run(transaction: TransactWrite, write: RunWrite, now: datetime) -> None:
    if write.removed:
        transaction.delete(RunItem(write.run.cron_id, write.run.id))
        return
    output = runs.output_item(write.run, now)
    if output is not None:
        transaction.save(output)
    if write.new:
        transaction.save(runs.new_item(write.run, now))
    else:
        transaction.update(*runs.changes(write.run, now))


def commit_many(changes: Sequence[Change], graph_version: int | None = None) -> dict[str, Cron]:
    """Writes crons that were made or changed, with their names and edges; returns them by id.

    All or none of them where a transaction can hold them, else in several. graph_version: of the
    org's graph in which the edges that are added close no cycle; needed where any are.
    Raises ConcurrentUpdate where a cron, a name or the graph has changed since.
    """
    written: dict[str, Cron] = {}
    for chunk in _in_transactions(changes):
        with store_errors(), TransactWrite(connection=connection()) as transaction:
            crons = [_save_change(transaction, change) for change in chunk]
            if any(added(before, decision.cron) for before, decision in chunk):
                assert graph_version is not None
                move_graph_on(transaction, crons[0].org_id, graph_version)
                graph_version += 1
            save_moves(transaction, [(before, decision.cron) for before, decision in chunk])
        written.update((cron.id, cron) for cron in crons)
    return written


def _save_change(transaction: TransactWrite, change: Change) -> Cron:
    before, decision = change
    cron = decision.cron._replace(version=decision.cron.version + 1)
    _save_cron(transaction, cron)
    _move_name(transaction, before, cron)
    move_edges(transaction, before, cron)
    _save_told(transaction, before, decision)
    return cron


def _save_told(transaction: TransactWrite, before: Cron | None, decision: Decision) -> None:
    """Saves what becomes of a cron's incident when a person ends it, and the alerts about that."""
    for incident in decision.incidents:
        transaction.update(*incident_changes(incident, decision.cron))
    for alert in alerts_of(decision, before.incident if before else None):
        transaction.save(alert_item(alert))


def _in_transactions(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Splits changes into transactions: edges that go come first, then edges that are added, and archiving last.

    No edge is added before all that go are gone, so what there is in between has no cycle either. A call that
    fails midway archives nothing.
    """
    if sum(_weight(change) for change in changes) <= ITEMS_AT_ONCE:
        return _chunks(changes)
    first: list[Change] = []
    then: list[Change] = []
    last: list[Change] = []
    for before, decision in changes:
        later = last if _is_archived_by((before, decision)) else then
        if before is None or not removed(before, decision.cron):
            (later if later is last or added(before, decision.cron) else first).append((before, decision))
        else:
            early, late = _without_edges(before, decision)
            first.append(early)
            later.append(late)
    return chain(_chunks(first), _chunks(then), _chunks(last))


def _is_archived_by(change: Change) -> bool:
    before, decision = change
    return before is not None and before.archived_at is None and decision.cron.archived_at is not None


def _without_edges(before: Cron, decision: Decision) -> tuple[Change, Change]:
    """Splits a change: first the edges go, then comes the rest."""
    kept = tuple(one for one in before.depends_on if one in decision.cron.depends_on)
    version = before.version + 1
    rest = decision._replace(cron=decision.cron._replace(version=version))
    return (
        (before, Decision(before._replace(depends_on=kept))),
        (before._replace(depends_on=kept, version=version), rest),
    )


def _chunks(changes: Sequence[Change]) -> Iterator[list[Change]]:
    chunk: list[Change] = []
    room = ITEMS_AT_ONCE
    for change in changes:
        weight = _weight(change)
        if chunk and weight > room:
            yield chunk
            chunk, room = [], ITEMS_AT_ONCE
        chunk.append(change)
        room -= weight
    if chunk:
        yield chunk


def _weight(change: Change) -> int:
    """How many items of a transaction a change takes."""
    before, decision = change
    names = 1 if before is None else 2 * (name_item(before).name_key != name_item(decision.cron).name_key)
    slugs = len(slugs_to_move(before, decision.cron))
    edges = len(added(before, decision.cron)) + len(removed(before, decision.cron))
    return 1 + names + slugs + edges + len(decision.incidents) + len(decision.events)


def _move_name(transaction: TransactWrite, before: Cron | None, cron: Cron) -> None:
    for slug, is_new in slugs_to_move(before, cron):
        if is_new:
            transaction.save(slug)
        else:
            transaction.delete(slug)
    wanted = name_item(cron)
    if before is not None:
        held = name_item(before)
        if held.name_key == wanted.name_key:
            return
        transaction.delete(held, CronNameItem.cron_id == cron.id)
    transaction.save(wanted, CronNameItem.cron_id.does_not_exist())


def delete_cron(cron: Cron, decision: Decision) -> None:
    """Removes a cron, its name and what it depends on, and closes its incident.

    Its runs go with their time; who depends on it is the caller's to see to.
    """
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        transaction.delete(CronItem(cron.org_id, cron.id), CronItem.version == cron.version)
        transaction.delete(name_item(cron), CronNameItem.cron_id == cron.id)
        slug = slug_item(cron)
        if slug is not None:
            transaction.delete(slug)
        remove_edges(transaction, cron)
        save_moves(transaction, [(cron, None)])
        _save_told(transaction, cron, decision)


def landed(decision: Decision) -> bool:
    """Whether a decision whose fate is unknown was written: its run is there as decided."""
    if decision.run is None or not decision.writes:
        return False
    stored = runs.find_run(decision.cron.id, decision.run.id)
    return stored is not None and (stored.status, stored.finished_at) == (
        decision.run.status,
        decision.run.finished_at,
    )
