"""What the scheduled function does every minute."""

from datetime import datetime

from chalicelib.services.notify import send_due
from chalicelib.services.orgs import go_on_deleting
from chalicelib.services.tick import TickReport, run_tick


def run_minute(now: datetime) -> TickReport:
    """Looks at the crons that are due, sends what no message woke anybody for, and goes on with what
    takes more than one request."""
    report = run_tick(now)
    send_due(now)
    go_on_deleting()
    return report
