"""How long runs take: what is learned from each, and when people are alerted."""

import math
from datetime import timedelta

from chalicelib.domain.monitor.cron import OpenRun
from chalicelib.domain.monitor.deadlines import overrunning_at
from chalicelib.domain.monitor.event import Event, EventKind
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.runs.anomaly import ALERTED_FROM_MS, Anomaly, AnomalyKind, judge, learn
from chalicelib.domain.runs.judgement import (
    History,
    alert_above_ms,
    alert_below_ms,
    history_of,
    is_doing_less,
    may_be_doing_less,
)
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.times import DAY, MILLISECOND

#: People hear at most once in this time that runs take unusually long or short.
SELDOM = DAY
_LATELY = 5 * DAY


def judge_duration(transition: Transition, run: Run, open_run: OpenRun | None) -> Anomaly | None:
    """Compares a success with the usual durations, alerts people if that is worth it, and learns from it.

    The anomaly says whether people were alerted, by now or while the run was still running.
    """
    cron = transition.cron
    if run.status is not RunStatus.SUCCESS or run.duration_ms is None or not cron.is_watched:
        return None
    anomaly = judge(cron.baseline, run.duration_ms, cron.settings.anomaly_factor)
    was_alerted = open_run is not None and open_run.overran
    if anomaly is not None and not was_alerted and _is_worth_an_alert(transition, anomaly):
        detail = f"took {anomaly.duration_ms} ms, on average {anomaly.average_ms:.0f} ms"
        was_alerted = _announce(transition, run, detail)
    transition.change(baseline=learn(cron.baseline, run.duration_ms))
    if anomaly is None:
        return _judge_last_runs(transition, run)
    return anomaly._replace(alerted=was_alerted)


def _is_worth_an_alert(transition: Transition, anomaly: Anomaly) -> bool:
    if not _may_alert(transition):
        return False
    baseline = transition.cron.baseline
    if anomaly.kind is AnomalyKind.SHORT:
        return anomaly.duration_ms < alert_below_ms(baseline, _history(transition))
    if anomaly.duration_ms - anomaly.average_ms < ALERTED_FROM_MS:
        return False
    return anomaly.duration_ms > alert_above_ms(baseline, _history(transition))


def _judge_last_runs(transition: Transition, run: Run) -> Anomaly | None:
    """A job that does only a part of its work: its last runs together are suspiciously short."""
    cron, duration_ms = transition.cron, run.duration_ms
    average = cron.baseline.average_ms
    if duration_ms is None or average is None or not may_be_doing_less(cron.baseline):
        return None
    if not _may_alert(transition) or not is_doing_less(cron.baseline, _history(transition)):
        return None
    detail = f"its last 3 runs took about {duration_ms} ms, on average {average:.0f} ms: is it doing all its work?"
    _announce(transition, run, detail)
    return Anomaly(AnomalyKind.SHORT, duration_ms, average, cron.settings.anomaly_factor, alerted=True)


def _may_alert(transition: Transition) -> bool:
    last = transition.cron.noise.anomaly_at
    return (last is None or transition.now - last >= SELDOM) and transition.maintained_until() is None


def _announce(transition: Transition, run: Run, detail: str) -> bool:
    transition.change(noise=transition.cron.noise._replace(anomaly_at=transition.now))
    transition.announce(Event(EventKind.ANOMALY, transition.now, run.started_at, run.id, detail))
    return True


def _history(transition: Transition) -> History:
    today, last = transition.cron.today, transition.cron.noise.anomaly_at
    history = history_of((*transition.recent_days(), *(() if today is None else (today,))))
    return history._replace(alerted_lately=last is not None and transition.now - last < _LATELY)


def look_for_overrunning(transition: Transition, run: OpenRun) -> OpenRun:
    """Alerts people about a run that takes far longer than any usual one, while it still runs.

    Returns the run as it is from now on.
    """
    cron, now = transition.cron, transition.now
    worth_after = math.ceil(alert_above_ms(cron.baseline, _history(transition))) * MILLISECOND
    if run.seen_at + worth_after > now:
        # It is looked at again when it is far outside what the job took on its longest days.
        return run._replace(overrun_after=worth_after)
    if transition.blackout_at(overrunning_at(cron, run)) is not None or not _may_alert(transition):
        return run._replace(overrun_after=_NEVER)
    transition.change(noise=cron.noise._replace(anomaly_at=now))
    detail = f"running since {run.started_at:%H:%M:%S} UTC, on average {cron.baseline.average_ms or 0:.0f} ms"
    transition.announce(Event(EventKind.OVERRUNNING, now, run.started_at, run.id, detail))
    return run._replace(overran=True)


# Longer than any run: it times out before.
_NEVER = timedelta(days=3650)
