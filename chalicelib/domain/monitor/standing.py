"""What a cron's own state says about it: without the clock, and without its org's maintenance windows.

It is stored with the cron. So those in trouble are found, and all are counted, without reading every cron.
"""

from chalicelib.domain.monitor.cron import Cron, Status
from chalicelib.domain.monitor.display_status import DisplayStatus

#: With these there is nothing to look for; crons with another standing are few.
UNTROUBLED = frozenset({DisplayStatus.UP, DisplayStatus.NEW, DisplayStatus.ARCHIVED})

#: All that there are: that a cron is running is not kept, as it changes with every run.
STANDINGS = tuple(status for status in DisplayStatus if status is not DisplayStatus.RUNNING)


def standing(cron: Cron) -> DisplayStatus:
    """Returns the status that is shown of it in general; a cron that is running counts by how it was before."""
    if cron.archived_at is not None:
        return DisplayStatus.ARCHIVED
    if cron.status is Status.PAUSED:
        return DisplayStatus.PAUSED
    if cron.status is Status.DOWN and not (cron.incident and cron.incident.held):
        return DisplayStatus.DOWN
    if cron.held_until is not None:
        return DisplayStatus.IN_MAINTENANCE
    if cron.is_blocked:
        return DisplayStatus.BLOCKED
    if cron.late_alerted and not cron.is_running:
        return DisplayStatus.LATE
    return DisplayStatus(cron.status.value)
