"""Every minute: look at the crons that are due, and only at those."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import chain, islice
from threading import Lock
from typing import NamedTuple, Self

from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.system_notice import blind
from chalicelib.domain.errors import CronHubError
from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.deadlines import due_at
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.maintenance import covering
from chalicelib.domain.monitor.on_tick import evaluate
from chalicelib.services import clock, due_shards
from chalicelib.services.commit import commit_and_log, wake_for
from chalicelib.services.context import (
    Blackouts,
    InDoubt,
    Sources,
    Windows,
    blackouts_or_doubt,
    decide_with,
    dependencies_of,
)
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import crons
from chalicelib.store.alerts import put_notice
from chalicelib.store.maintenance import maintenance_windows_of_org
from chalicelib.store.queue import HandedOver, hand_over, handed_over_in
from chalicelib.store.tick_log import release_shard, shards_done, take_shard

log = logging.getLogger("cronhub.tick")

# A function has 60 s; what is left over is due at the next tick as well.
BUDGET_SECONDS = 45.0
TAKEN_FOR = timedelta(seconds=60)
# Until the next tick has its own moment.
JUDGED_AS_OF_ITS_TICK_FOR = timedelta(seconds=60)
PUT_OFF_BROKEN = timedelta(minutes=15)
# A backlog larger than this is worked off by shards, side by side.
HANDED_OVER_FROM = 500
# How far a chain of dependencies is followed: Python's own stack ends at 1000 calls, and a link is 7.
_DEEPEST = 80
# More shards than these are read side by side.
_READ_IN_TURN = 16

# Crons that are read in one call (the most that one takes), and how many are then worked on side by side.
_READ_TOGETHER = 100
_SIDE_BY_SIDE = 8
_WORTH_THREADS = 16

CronKey = tuple[str, str]
_Look = Callable[["_Round", CronKey, Cron | None], None]


class TickReport:
    """What one tick did."""

    def __init__(self) -> None:
        #: Crons that were due.
        self.looked_at = 0
        #: Crons that a decision changed.
        self.changed = 0
        #: Crons that could not be evaluated.
        self.broken = 0
        #: Crons among them that the store's trouble left due.
        self.left_due = 0
        #: Crons left due until it is known whether their signals could have arrived.
        self.held = 0
        #: Shards of the due index that could not be read.
        self.unread: list[int] = []
        self.out_of_time = False
        #: How many crons were due when it began, counted up to `HANDED_OVER_FROM` + 1.
        self.backlog = 0
        #: True when the shards are worked off by other functions.
        self.handed_over = False
        #: True when others were to work the shards off, and could not be asked.
        self.fell_back = False
        #: True when its alerts are being sent.
        self.woke_notify = False

    @property
    def is_complete(self) -> bool:
        """Whether everything that was due then was judged, or is being judged by others."""
        return not (self.out_of_time or self.unread or self.left_due)


def run_tick(
    now: datetime,
    budget_seconds: float = BUDGET_SECONDS,
    blackouts: Blackouts = blackouts_or_doubt,
    *,
    hands_over: bool = True,
) -> TickReport:
    """Evaluates every cron that is due, or has others do it. Two ticks at once, or a late one, do no harm.

    hands_over: False while others are at work on a large backlog already; then it is left to them.
    """
    shards = _shards_of_minute(now)
    report = TickReport()
    due = _first_due(shards, now, report)
    report.backlog = len(due)
    if len(due) <= HANDED_OVER_FROM:
        return _look_at_all(due, _Round.begun(now, blackouts, report), budget_seconds)
    if not hands_over:
        return report
    if hand_over(shards, now):
        report.handed_over = True
        log.info("more than %d crons are due: worked off by shards", HANDED_OVER_FROM)
        return report
    # Nobody takes them over: they are read again, to the end.
    report.fell_back, report.unread = True, []
    return _look_at_all(_due(shards, now, report), _Round.begun(now, blackouts, report), budget_seconds)


def work_off(shard: int, now: datetime, budget_seconds: float = BUDGET_SECONDS) -> TickReport:
    """Evaluates what is due in one shard, unless another function is working it off.

    now: as of when, for all shards of a tick the same. A claim is by the clock: its message may be older.
    """
    taken_at = clock.now()
    until = taken_at + TAKEN_FOR
    if not take_shard(shard, taken_at, until):
        return TickReport()
    this = _Round.begun(now, blackouts_or_doubt, TickReport())
    report = _look_at_all(_due([shard], now, this.report), this, budget_seconds)
    release_shard(shard, until, now if report.is_complete else None)
    return report


def shards_left(handed_over_at: datetime) -> list[int]:
    """Returns the shards handed over then that still hold something that was due then."""
    done = shards_done(due_shards.to_read())
    waiting = (shard for shard in due_shards.to_read() if shard not in done or done[shard] < handed_over_at)
    return [shard for shard in waiting if _holds_something_due(shard, handed_over_at)]


def _holds_something_due(shard: int, at: datetime) -> bool:
    report = TickReport()
    return next(_due([shard], at, report), None) is not None or bool(report.unread)


def receive(messages: Sequence[str]) -> list[int]:
    """Works off the shards that messages of the queue name; returns the places of those that failed."""
    failed = []
    for place, message in enumerate(messages):
        try:
            handed_over = handed_over_in(message)
            work_off(handed_over.shard, _moment_of(handed_over, clock.now()))
        except Exception:
            log.exception("a shard could not be worked off; its message comes again")
            failed.append(place)
    return failed


def _moment_of(handed_over: HandedOver, now: datetime) -> datetime:
    """As of when a shard is worked off: the moment of its tick. A message that comes much later would have crons
    judged by a time that is past, and leave what became due since to the next tick."""
    at = handed_over.at
    return at if at is not None and abs(now - at) < JUDGED_AS_OF_ITS_TICK_FOR else now


def _shards_of_minute(now: datetime) -> list[int]:
    """They begin at another one each minute, so that none is always the last in a long backlog."""
    shards = list(due_shards.to_read())
    first = int(now.timestamp()) // 60 % len(shards)
    return shards[first:] + shards[:first]


def _first_due(shards: list[int], now: datetime, report: TickReport) -> list[CronKey]:
    """Returns what is due, up to one more than a tick looks at by itself."""
    most = HANDED_OVER_FROM + 1
    if len(shards) <= _READ_IN_TURN:
        return list(islice(_due(shards, now, report), most))
    with ThreadPoolExecutor(_READ_IN_TURN) as pool:
        parts = pool.map(lambda shard: list(islice(_due([shard], now, report), most)), shards)
        return list(islice(chain.from_iterable(parts), most))


def _due(shards: Iterable[int], now: datetime, report: TickReport) -> Iterator[CronKey]:
    for shard in shards:
        try:
            yield from crons.due_crons(shard, now)
        except CronHubError:
            log.exception("shard %d could not be read", shard)
            report.unread.append(shard)


class _Round(NamedTuple):
    """What all looks of one tick share. Looks side by side change it under its lock."""

    now: datetime
    windows: Windows
    blackouts: Blackouts
    alerts: list[Alert]
    report: TickReport
    looked_at: set[CronKey]
    #: The blackouts of orgs that were asked for already.
    known_blackouts: dict[str, tuple[Blackout, ...]]
    lock: Lock

    @classmethod
    def begun(cls, now: datetime, blackouts: Blackouts, report: TickReport) -> Self:
        # One read an org, or a tick, however many crons are due.
        return cls(now, cache(maintenance_windows_of_org), cache(blackouts), [], report, set(), {}, Lock())

    def blackouts_of(self, org_id: str) -> tuple[Blackout, ...]:
        """Raises InDoubt."""
        found = self.known_blackouts[org_id] = self.blackouts(org_id)
        return found

    def context_of(self, cron: Cron) -> Context:
        """What nearly every overdue cron needs, as far as it is at hand: without, its rules would run twice."""
        return Context(
            windows=covering(self.windows(cron.org_id), cron),
            dependencies=None if cron.depends_on else (),
            blackouts=self.known_blackouts.get(cron.org_id),
        )

    def takes(self, key: CronKey) -> bool:
        """Whether nobody has looked at a cron yet: then the caller does."""
        with self.lock:
            if key in self.looked_at:
                return False
            self.looked_at.add(key)
            self.report.looked_at += 1
            return True


def _look_at_all(due: Iterable[CronKey], this: _Round, budget_seconds: float) -> TickReport:
    report, until = this.report, time.monotonic() + budget_seconds
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for keys in _chunks(due):
            _look_at_some(keys, this, partial(_look_until, until), pool)
            if report.out_of_time:
                break
    # Together, so that of crons that went down together people are told in one message.
    report.woke_notify = wake_for(this.alerts)
    if report.looked_at or report.out_of_time:
        log.info(
            "looked at %d due crons: %d changed, %d broken%s",
            report.looked_at,
            report.changed,
            report.broken,
            ", the rest at the next tick" if report.out_of_time else "",
        )
    return report


def _chunks(due: Iterable[CronKey]) -> Iterator[list[CronKey]]:
    keys = iter(due)
    while chunk := list(islice(keys, _READ_TOGETHER)):
        yield chunk


def _look_at_some(keys: list[CronKey], this: _Round, look: _Look, pool: ThreadPoolExecutor) -> None:
    """Looks at crons that are read in one call: side by side, then in turn those with dependencies."""
    found = _read(keys)
    dependent = [key for key in keys if key in found and found[key].depends_on]
    in_turn = keys
    if len(keys) - len(dependent) >= _WORTH_THREADS:
        independent = (key for key in keys if key not in dependent)
        list(pool.map(lambda key: look(this, key, found.get(key)), independent))
        in_turn = dependent
    for key in in_turn:
        look(this, key, found.get(key))


def _read(keys: list[CronKey]) -> dict[CronKey, Cron]:
    try:
        return crons.crons_at(keys)
    except CronHubError:
        # Each is read by itself then, and one that cannot be is told.
        log.exception("%d due crons could not be read together", len(keys))
    except Exception:
        log.exception("one of %d due crons is broken", len(keys))
    return {}


def _look_until(until: float, this: _Round, key: CronKey, found: Cron | None) -> None:
    if time.monotonic() < until:
        _look(this, key, found)
    else:
        this.report.out_of_time = True


def _look(this: _Round, key: CronKey, found: Cron | None = None, depth: int = 0) -> None:
    """found: the cron as it was read a moment ago, if it was."""
    if not this.takes(key):
        return
    org_id, cron_id = key
    read = iter([found] if found is not None else [])
    try:
        # What was read a moment ago serves one try; after a conflict it is read again.
        changed = retry_on_conflict(lambda: _evaluate(this, next(read, None) or crons.find_cron(*key), depth))
        with this.lock:
            this.report.changed += changed
    except InDoubt:
        with this.lock:
            this.report.held += 1
    except CronHubError:
        # The store is in trouble, not this cron: it is due again at the next tick.
        log.exception("cron %s could not be looked at", cron_id)
        with this.lock:
            this.report.broken += 1
            this.report.left_due += 1
    except Exception:
        # Whatever is wrong with this one, the others are looked at, and it does not come back at once.
        log.exception("cron %s is broken, looking again in %s", cron_id, PUT_OFF_BROKEN)
        with this.lock:
            this.report.broken += 1
        _put_off(org_id, cron_id, this.now)


def _evaluate(this: _Round, cron: Cron | None, depth: int) -> bool:
    if cron is None:
        return False
    now = this.now
    decision = decide_with(
        cron,
        lambda context: evaluate(cron, now, context),
        Sources(this.windows, this.blackouts_of, lambda cron: _dependencies_looked_at(this, cron, depth)),
        this.context_of(cron),
    )
    if decision.cron == cron:
        at = due_at(cron)
        # An index entry that its cron's state does not explain would come back every minute.
        crons.put_off_unchanged(cron, at if at is not None and at > now else now + PUT_OFF_BROKEN)
        return False
    alerts = _notices(cron, decision)
    alerts += commit_and_log(cron, decision, now)
    with this.lock:
        this.alerts.extend(alerts)
    return True


def _notices(cron: Cron, decision: Decision) -> list[Alert]:
    """Tells an org once that CronHub did not see its crons for a time.

    Before the cron's own change: a tick that dies in between tells it again, to no effect.
    """
    blackout = decision.cron.blackout
    if blackout is None or blackout == cron.blackout:
        return []
    notice = blind(cron.org_id, blackout)
    return [notice] if put_notice(notice) else []


def _dependencies_looked_at(this: _Round, cron: Cron, depth: int) -> tuple[Cron, ...]:
    """What a cron depends on: what of it is due is looked at first, so that one that goes down in the
    same tick already speaks for its dependants."""
    found = dependencies_of(cron)
    waiting = [one for one in found if _is_due(one, this.now) and (one.org_id, one.id) not in this.looked_at]
    if not waiting or depth == _DEEPEST:
        return found
    for one in waiting:
        _look(this, (one.org_id, one.id), depth=depth + 1)
    return dependencies_of(cron)


def _is_due(cron: Cron, now: datetime) -> bool:
    at = due_at(cron)
    return at is not None and at <= now


def _put_off(org_id: str, cron_id: str, now: datetime) -> None:
    try:
        crons.put_off(org_id, cron_id, now + PUT_OFF_BROKEN)
    except CronHubError:
        log.exception("cron %s could not be put off", cron_id)
