"""What the scheduled function does every minute."""

from datetime import datetime, timedelta

from chalicelib.services.notify import send_due
from chalicelib.services.orgs import go_on_deleting
from chalicelib.services.tick import TickReport, run_tick

# What times are stored to.
_MILLISECOND = timedelta(milliseconds=1)


def run_minute(now: datetime) -> TickReport:
    """Looks at the crons that are due, sends what no message woke anybody for, and goes on with what
    takes more than one request."""
    report = run_tick(now)
    # `notify` is sending what was decided just now: two at it would tear apart what is one message.
    send_due(now - _MILLISECOND)
    go_on_deleting()
    return report
