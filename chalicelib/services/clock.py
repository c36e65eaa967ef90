"""The one place that reads the clock. Tests replace it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Returns the time in UTC, in whole milliseconds: it comes back from the store unchanged."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def at_iso(text: str | None) -> datetime | None:
    """A moment as AWS's events have it."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
