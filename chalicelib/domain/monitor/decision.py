"""A decision: all that one signal, or one look at the clock, changes about a cron."""

from typing import NamedTuple

from chalicelib.domain.monitor.context import NotLoaded
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.dependencies import Blocker
from chalicelib.domain.monitor.event import Event
from chalicelib.domain.monitor.incident import Incident
from chalicelib.domain.runs.anomaly import Anomaly
from chalicelib.domain.runs.counts import DailyCounts
from chalicelib.domain.runs.drift import Drift
from chalicelib.domain.runs.run import Run


class RunWrite(NamedTuple):
    """A run to record."""

    run: Run
    #: True: it is not recorded yet. False: it is, and the fields that are set here change.
    new: bool
    #: True: its record is deleted.
    removed: bool = False
    #: The run that the caller's id of it stood for until now.
    reused_from: str | None = None


class Decision(NamedTuple):
    """A cron's new state, and everything that is written with it in one transaction."""

    cron: Cron
    writes: tuple[RunWrite, ...] = ()
    #: The counts of days that are over.
    finished_days: tuple[DailyCounts, ...] = ()
    #: What is added to the counts of days that moved out before.
    past_days: tuple[DailyCounts, ...] = ()
    events: tuple[Event, ...] = ()
    #: The incidents that opened, closed or grew.
    incidents: tuple[Incident, ...] = ()
    #: The run that the answer is about.
    run: Run | None = None
    anomaly: Anomaly | None = None
    drift: Drift | None = None
    #: True: the signal was counted before; nothing is written.
    replay: bool = False
    #: Why a start was refused.
    blocked_by: tuple[Blocker, ...] = ()
    #: What a rule asked for that was not loaded. The caller loads it and decides again.
    not_loaded: NotLoaded = NotLoaded()
