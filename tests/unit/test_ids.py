"""Ids: that they sort by time, name their org, and take no other spelling."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import ids, times
from tests.unit.watched import at

INSTANTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    max_value=datetime(2900, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
RANDOM = st.binary(min_size=10, max_size=16)
quick = settings(derandomize=True, deadline=None, max_examples=150)


def test_a_crons_id_is_a_version_8_uuid_with_its_org_in_front() -> None:
    made = ids.cron_id("0123456789ab", b"\xff" * 10)

    assert made == "01234567-89ab-8fff-bfff-ffffffffffff"
    assert uuid.UUID(made).variant == uuid.RFC_4122
    assert ids.org_of(made) == "0123456789ab"


@quick
@given(org=st.binary(min_size=6, max_size=6), random=RANDOM)
def test_org_of_undoes_cron_id(org: bytes, random: bytes) -> None:
    assert ids.org_of(ids.cron_id(ids.org_id(org), random)) == org.hex()


@quick
@given(first=RANDOM, second=RANDOM)
def test_74_of_the_random_bits_are_in_the_id(first: bytes, second: bytes) -> None:
    def bits(random: bytes) -> int:
        return int.from_bytes(random[:10], "big") & (1 << 74) - 1

    same = ids.cron_id("0" * 12, first) == ids.cron_id("0" * 12, second)

    assert same == (bits(first) == bits(second))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 36,
        "01234567-89ab-4fff-bfff-ffffffffffff",  # another version
        "01234567-89AB-8FFF-BFFF-FFFFFFFFFFFF",  # another spelling
        "{1234567-89ab-8fff-bfff-ffffffffffff}"[:36],
        "0123456789ab8fffbfffffffffffffffffff",
        "01234567-89ab-8fff-7fff-ffffffffffff",  # another variant
        "01234567-89ab-8fff-bfff-fffffffffff\n",
        "０1234567-89ab-8fff-bfff-ffffffffffff",  # a digit, but not an ASCII one
        "01234567_89ab_8fff_bfff_ffffffffffff",
    ],
)
def test_what_is_not_a_crons_id_in_its_one_spelling_has_no_org(text: str) -> None:
    assert ids.org_of(text) is None


@quick
@given(st.text(max_size=40))
def test_garbage_has_no_org_and_is_no_timed_id(text: str) -> None:
    assert ids.org_of(text) is None
    assert not ids.is_timed_id(text) or len(text) == 26


@quick
@given(first=INSTANTS, second=INSTANTS, one=RANDOM, other=RANDOM)
def test_timed_ids_sort_as_their_times_do(first: datetime, second: datetime, one: bytes, other: bytes) -> None:
    earlier, later = sorted((first, second))
    if times.to_ms(earlier) < times.to_ms(later):
        assert ids.timed_id(earlier, one) < ids.timed_id(later, other)
        assert ids.timed_id(earlier, one) < ids.first_id_at(later) <= ids.timed_id(later, other)


@quick
@given(when=INSTANTS, random=RANDOM)
def test_timed_ids_are_known_as_such(when: datetime, random: bytes) -> None:
    made = ids.timed_id(when, random)

    assert ids.is_timed_id(made)
    assert not ids.is_timed_id(made.upper())
    assert not ids.is_timed_id(made[:-1])
    assert not ids.is_timed_id("8" + made[1:])  # more than 128 bits


def test_a_timed_id_is_a_ulid_in_small_letters() -> None:
    # The example of github.com/ulid/spec: 1469918176385 ms is 01ARYZ6S41.
    made = ids.timed_id(times.from_ms(1469918176385), bytes(10))

    assert made == "01aryz6s41" + "0" * 16


def test_derived_ids_are_the_same_each_time_and_differ_by_every_part() -> None:
    now = at("10:00")
    made = ids.derived_id(now, "cron", "missed")

    assert made == ids.derived_id(now, "cron", "missed")
    others = [
        ids.derived_id(now + timedelta(milliseconds=1), "cron", "missed"),
        ids.derived_id(now, "other", "missed"),
        ids.derived_id(now, "cron", "late"),
        ids.derived_id(now, "cronm", "issed"),
    ]
    assert len({made, *others}) == 5


@quick
@given(st.datetimes(timezones=st.just(UTC)))
def test_milliseconds_are_rounded_down_before_1970_too(when: datetime) -> None:
    back = times.from_ms(times.to_ms(when))

    assert timedelta(0) <= when - back < timedelta(milliseconds=1)


def test_crons_are_spread_over_all_shards() -> None:
    made = [ids.cron_id("0" * 12, number.to_bytes(10, "big")) for number in range(256)]

    assert {ids.shard_of(cron, 16) for cron in made} == set(range(16))
