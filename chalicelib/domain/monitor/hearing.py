"""Whether signals reach CronHub. Ticks alone do not show that: with the API, its address or its certificate
broken, the tick would see every job die at once.

Each tick sends a canary through the public address, as a job sends a ping. While none arrives for two minutes,
CronHub is deaf: deadlines that fall into that time say nothing about the jobs, as in a blackout. An address that
no canary ever arrived through is taken for a wrong setting, and holds nothing up.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from chalicelib.domain.monitor.blackout import Blackout, Hearing, kept
from chalicelib.domain.times import DAY, MINUTE

#: Without a canary for this long, CronHub is deaf.
DEAF_AFTER = timedelta(minutes=2)
# Ticks come some seconds early or late.
_JITTER = timedelta(seconds=5)
# A canary is sent each minute: before the one ahead of a lost one, ticks may have stopped, which is a blackout.
_LONGEST_BEFORE = MINUTE + timedelta(seconds=30)
# An API that is out for longer is noticed otherwise; the tick's own way to it may be all that is wrong.
_LONGEST = DAY


class Deafness(Blackout):
    """A blackout in which ticks came, but no canary arrived."""

    __slots__ = ()


def is_proven(hearing: Hearing, address: str | None) -> bool:
    """Whether a canary ever arrived through this address."""
    return address is not None and hearing.address == address


def sent(hearing: Hearing, now: datetime, address: str) -> Hearing:
    """Returns what is known once another canary was sent."""
    if not is_proven(hearing, address):
        goes_on = hearing.waits and hearing.silent_since is None
        return hearing if goes_on else hearing._replace(sent_at=now, silent_since=None)
    if hearing.waits:
        return hearing
    deaf = kept(deaf_times(hearing, now, address), now)
    heard_at = hearing.heard_at or now
    return hearing._replace(sent_at=now, silent_since=max(heard_at, now - _LONGEST_BEFORE), deaf=deaf)


def deaf_times(hearing: Hearing, now: datetime, address: str | None) -> tuple[Deafness, ...]:
    """Returns the times in which CronHub was deaf, earliest first, with the one that goes on if there is one."""
    times = [*hearing.deaf]
    silence = _silence(hearing, now, address)
    if silence is not None and _is_deafness(silence):
        times.append(silence)
    return tuple(Deafness(since, min(until, since + _LONGEST)) for since, until in times)


def deaf_since(hearing: Hearing, now: datetime, address: str | None) -> datetime | None:
    """Returns since when CronHub is deaf; None: it is not."""
    silence = _silence(hearing, now, address) if hearing.waits else None
    return silence.since if silence is not None and _is_deafness(silence) else None


def is_in_doubt(hearing: Hearing, now: datetime, address: str | None) -> bool:
    """Whether a canary is missing, but not for long enough to say that CronHub is deaf."""
    silence = _silence(hearing, now, address) if hearing.waits else None
    return silence is not None and not _is_deafness(silence)


def _silence(hearing: Hearing, now: datetime, address: str | None) -> Blackout | None:
    """The time without a canary that ended last, or that goes on."""
    if hearing.silent_since is None or not is_proven(hearing, address):
        return None
    return Blackout(hearing.silent_since, now if hearing.waits else hearing.heard_at or now)


def _is_deafness(silence: Blackout) -> bool:
    return silence.until - silence.since >= DEAF_AFTER - _JITTER


def until_heard(times: Iterable[Deafness], heard: Iterable[datetime]) -> tuple[Deafness, ...]:
    """Cuts each time off where a signal arrived in it: that one proves the canary wrong.

    heard: when signals arrived, in any order.
    """
    signals = sorted(heard)
    ends = ((time, next((at for at in signals if time.holds(at)), time.until)) for time in times)
    return tuple(Deafness(time.since, until) for time, until in ends)
