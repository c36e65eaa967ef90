"""Ids. A cron's id names its org, so that a bare ping URL leads to one item (design: Tables).

Randomness comes in as an argument: the domain itself draws none.
"""

import hashlib
import uuid
from datetime import datetime

from chalicelib.domain.times import from_ms, to_ms

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_ULID_LENGTH = 26
_RANDOM_BITS = 80
_NO_ORG = "0" * 12


def org_id(random: bytes) -> str:
    """An org's reference: 48 random bits as 12 hex digits."""
    return random[:6].hex()


def cron_id(org: str, random: bytes) -> str:
    """A version-8 UUID (RFC 9562 §5.8): 48 bits of org reference, then 74 of the given random bits.

    `random` needs 10 bytes or more.
    """
    bits = int.from_bytes(random[:10], "big")
    value = int(org, 16) << 80
    value |= 0x8 << 76
    value |= (bits >> 62 & 0xFFF) << 64
    value |= 0b10 << 62
    value |= bits & (1 << 62) - 1
    return str(uuid.UUID(int=value))


def canary_id(random: bytes) -> str:
    """The id that a canary pings: that of a cron of no org."""
    return cron_id(_NO_ORG, random)


def is_canary(cron: str) -> bool:
    return org_of(cron) == _NO_ORG


def org_of(cron: str) -> str | None:
    """The org reference inside a cron's id; None where the text is not such an id."""
    if len(cron) != 36:
        return None
    try:
        parsed = uuid.UUID(cron)
    except ValueError:
        return None
    # One spelling only: other spellings of a UUID would be other keys in the store.
    if str(parsed) != cron or parsed.version != 8:
        return None
    return f"{parsed.int >> 80:012x}"


def timed_id(at: datetime, random: bytes) -> str:
    """A time-ordered id (a ULID in small letters, github.com/ulid/spec): sorts as `at` does.

    `random` needs 10 bytes or more.
    """
    value = max(to_ms(at), 0) << _RANDOM_BITS | int.from_bytes(random[:10], "big")
    return "".join(_CROCKFORD[value >> 5 * place & 31] for place in reversed(range(_ULID_LENGTH)))


def moment_of_id(text: str) -> datetime:
    """The moment that a time-ordered id was made for."""
    value = 0
    for letter in text[:10]:
        value = value << 5 | _CROCKFORD.index(letter)
    return from_ms(value)


def derived_id(at: datetime, *parts: str) -> str:
    """A time-ordered id that is the same each time it is made from the same things.

    What the rules write by themselves (a missed occurrence, an incident) is so written once,
    however often it is decided.
    """
    return timed_id(at, hashlib.blake2b("\0".join(parts).encode(), digest_size=10).digest())


def first_id_at(at: datetime) -> str:
    """The lowest time-ordered id of a moment: where a list from `at` on begins."""
    return timed_id(at, bytes(10))


def is_timed_id(text: str) -> bool:
    return len(text) == _ULID_LENGTH and text[0] <= "7" and set(text) <= set(_CROCKFORD)


def shard_of(cron: str, shards: int) -> int:
    """Which shard of the due index a cron is on: its last random bits, spread evenly."""
    return int(cron[-4:], 16) % shards
