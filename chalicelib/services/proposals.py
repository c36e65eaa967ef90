"""Schedules that crons without one seem to run on: proposed from their runs, taken by one call."""

from collections.abc import Iterable
from datetime import datetime

from chalicelib.domain.errors import Conflict
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.schedule.learning import ScheduleProposal, propose
from chalicelib.services import crons
from chalicelib.services.crons import Changes, Names, RunFilters, SettingsChanges
from chalicelib.services.paging import Page

_RUNS = Page(100)
_RAN = (RunStatus.SUCCESS, RunStatus.FAILED, RunStatus.RUNNING, RunStatus.TIMEOUT, RunStatus.ABANDONED)


def proposal_of(cron: Cron, recent: Iterable[Run], now: datetime) -> ScheduleProposal | None:
    """None for a cron that has a schedule, and while its runs could be of more than one."""
    if cron.settings.schedule is not None:
        return None
    began = (run.started_at or run.finished_at for run in recent if run.status in _RAN)
    return propose([at for at in began if at is not None], now)


def accept(org_id: str, cron_id: str, now: datetime) -> Cron:
    """Sets the schedule that is proposed. Raises NotFound; Conflict where none is."""
    found, _ = crons.list_runs(org_id, cron_id, RunFilters(), _RUNS)
    proposal = proposal_of(crons.find(org_id, cron_id), found, now)
    if proposal is None:
        raise Conflict("no schedule is proposed: this cron has one, or its runs do not show one yet")
    settings = SettingsChanges(schedule=proposal.schedule, timezone=proposal.timezone)
    return crons.change(org_id, cron_id, Changes(Names(), settings), now)
