"""A decision: all that one signal, or one look at the clock, makes of a cron."""

from typing import NamedTuple

from chalicelib.domain.anomaly import Anomaly
from chalicelib.domain.cron import Cron
from chalicelib.domain.drift import Drift
from chalicelib.domain.event import Event
from chalicelib.domain.incident import Incident
from chalicelib.domain.run import Run


class RunWrite(NamedTuple):
    """A run to record. `new`: it must not be there yet; else it is there and these fields change."""

    run: Run
    new: bool


class Decision(NamedTuple):
    """The cron's new state and everything to be written with it, in one transaction.

    run: the one that the answer is about · claims: the caller's run ids that from now on stand for
    a run · replay: the signal was counted before, nothing is to be written.
    """

    cron: Cron
    writes: tuple[RunWrite, ...] = ()
    events: tuple[Event, ...] = ()
    incident: Incident | None = None
    run: Run | None = None
    anomaly: Anomaly | None = None
    drift: Drift | None = None
    replay: bool = False
