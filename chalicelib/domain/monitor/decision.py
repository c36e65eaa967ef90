"""A decision: all that one signal, or one look at the clock, makes of a cron."""

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
    """A run to record. `new`: it must not be there yet; else it is there and these fields change."""

    run: Run
    new: bool


class Decision(NamedTuple):
    """The cron's new state and everything to be written with it, in one transaction.

    finished_days: rollups of days that are over · past_days: what is to be added to those of days
    before · run: the one that the answer is about · replay: the signal was counted before, nothing
    is to be written · blocked_by: why a start was refused · not_loaded: what it turned on unseen.
    """

    cron: Cron
    writes: tuple[RunWrite, ...] = ()
    finished_days: tuple[DailyCounts, ...] = ()
    past_days: tuple[DailyCounts, ...] = ()
    events: tuple[Event, ...] = ()
    incident: Incident | None = None
    run: Run | None = None
    anomaly: Anomaly | None = None
    drift: Drift | None = None
    replay: bool = False
    blocked_by: tuple[Blocker, ...] = ()
    not_loaded: NotLoaded = NotLoaded()
