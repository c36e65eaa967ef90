"""What the scheduled function does every minute."""

from datetime import datetime

from chalicelib.services.notify import send_due
from chalicelib.services.tick import TickReport, run_tick


def run_minute(now: datetime) -> TickReport:
    """Looks at the crons that are due, and sends what no message woke anybody for."""
    report = run_tick(now)
    send_due(now)
    return report
