"""Instants and lengths of time that all layers share. Instants are aware UTC datetimes."""

from datetime import UTC, datetime, timedelta

INSTANT = timedelta(microseconds=1)
#: The precision to which instants are stored.
MILLISECOND = timedelta(milliseconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(at: datetime) -> int:
    """Whole milliseconds since 1970, rounded down."""
    return (at - EPOCH) // MILLISECOND


def from_ms(ms: int) -> datetime:
    return EPOCH + ms * MILLISECOND


def iso_utc(at: datetime) -> str:
    """ISO 8601 with `Z`; milliseconds only where there are any."""
    text = at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")
