"""Lists of whole numbers in few bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.store.varints import pack, pack_signed, pack_steps, unpack, unpack_signed, unpack_steps

quick = settings(derandomize=True, deadline=None, max_examples=200)


@quick
@given(st.lists(st.integers(0, 2**70)))
def test_numbers_come_back_as_they_were(numbers: list[int]) -> None:
    assert unpack(pack(numbers)) == tuple(numbers)


@quick
@given(st.lists(st.integers(-(2**70), 2**70)))
def test_signed_numbers_come_back_as_they_were(numbers: list[int]) -> None:
    assert unpack_signed(pack_signed(numbers)) == tuple(numbers)


@pytest.mark.parametrize(
    ("number", "packed"), [(0, "00"), (127, "7f"), (128, "8001"), (624_485, "e58e26"), (2**35, "808080808001")]
)
def test_the_bytes_are_leb128(number: int, packed: str) -> None:
    assert pack([number]).hex() == packed


@pytest.mark.parametrize(("number", "packed"), [(0, "00"), (-1, "01"), (1, "02"), (-64, "7f"), (64, "8001")])
def test_small_numbers_are_short_whatever_their_sign(number: int, packed: str) -> None:
    assert pack_signed([number]).hex() == packed


@given(st.lists(st.integers(0, 10**12)))
def test_numbers_much_alike_come_back_as_they_were(numbers: list[int]) -> None:
    assert unpack_steps(pack_steps(numbers)) == tuple(numbers)


def test_a_full_baseline_of_hours_takes_less_than_a_quarter_of_a_kilobyte() -> None:
    hours = [3_600_000 + number for number in range(50)]

    assert len(pack(hours)) == 200
