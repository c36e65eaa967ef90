"""A signal arrives: load the cron, decide, commit."""

import secrets
from collections.abc import Callable
from datetime import datetime

from chalicelib.domain.errors import ConcurrentUpdate, NotFound, Unavailable
from chalicelib.domain.ids import is_timed_id, org_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.dependencies import Blocked
from chalicelib.domain.monitor.on_signal import apply
from chalicelib.domain.monitor.retry import run_to_load
from chalicelib.domain.monitor.signal import Received, Signal
from chalicelib.domain.runs.run import Run
from chalicelib.services.commit import commit_and_log, wake_for
from chalicelib.services.context import decide_with
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import crons, runs
from chalicelib.store.commits import landed
from chalicelib.telemetry import measure

Given = Signal | Callable[[Cron], Signal]


def find_watched(org_id: str | None, cron_id: str) -> Cron:
    """A cron that takes signals; `org_id` None for those without a key.

    Raises NotFound: unknown, another org's, not an id at all, archived, or of an org that wants keys.
    """
    of_org = org_of(cron_id)
    if of_org is None or org_id not in (None, of_org):
        raise NotFound("no such cron")
    cron = crons.find_cron(of_org, cron_id)
    if cron is None or cron.archived_at is not None or (org_id is None and not cron.keyless_signals):
        raise NotFound("no such cron")
    return cron


def receive(org_id: str | None, cron_id: str, given: Given, now: datetime) -> Decision:
    """Records a signal and returns what was decided; `org_id` None for the routes without a key.

    given: the signal, or what makes it once the cron is known.
    Raises NotFound; Blocked, when that was recorded; Unavailable where it could not be recorded and
    should be sent again.
    """
    random = secrets.token_bytes(10)
    attempt = _Attempt()

    def once() -> Decision:
        cron = find_watched(org_id, cron_id)
        if attempt.decision is not None and landed(attempt.decision):
            return attempt.decision
        signal = attempt.signal(given, cron)
        known = _known(cron, signal, now, claimed=attempt.claimed)
        received = Received(signal, now, random, known)
        decision = decide_with(cron, lambda context: apply(cron, received, context))
        if decision.replay:
            return decision
        attempt.decision = decision
        try:
            wake_for(commit_and_log(cron, decision, now))
        except ConcurrentUpdate as race:
            attempt.claimed = attempt.claimed or race.claimed
            raise
        except Unavailable:
            # It may have been written before the answer was lost: look, rather than count twice.
            if landed(decision):
                return decision
            raise
        return decision

    decision = retry_on_conflict(once)
    measure(f"signals_{attempt.kind}")
    if decision.blocked_by:
        raise Blocked(decision.blocked_by)
    return decision


class _Attempt:
    """What earlier tries of one signal found out."""

    def __init__(self) -> None:
        self.decision: Decision | None = None
        self.claimed = False
        #: Of the signal.
        self.kind = ""

    def signal(self, given: Given, cron: Cron) -> Signal:
        found = given if isinstance(given, Signal) else given(cron)
        self.kind = found.kind.value
        return found


def _known(cron: Cron, signal: Signal, now: datetime, *, claimed: bool) -> Run | None:
    """Returns the recorded run that a signal is about, if that run is not open."""
    key = signal.run_key
    if key is None:
        key = run_to_load(cron, signal, now)
    if key is None or any(run.answers_to(key) for run in cron.open_runs):
        return None
    if is_timed_id(key):
        run = runs.find_run(cron.id, key)
        if run is not None:
            return run
    # That the id is taken is known only from a try to take it: no read for the many that are new.
    return runs.find_claimed(cron.id, key) if claimed else None
