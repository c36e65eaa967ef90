"""The one place that reads the clock. Tests put another in its place."""

from datetime import UTC, datetime


def now() -> datetime:
    """UTC, in whole milliseconds: what is stored comes back as it was."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def at_iso(text: str | None) -> datetime | None:
    """A moment as AWS's events have it."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
