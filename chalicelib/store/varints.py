"""Lists of whole numbers in few bytes: LEB128 varints (DWARF 5 §7.6), signed ones zigzagged."""

from collections.abc import Iterable
from itertools import accumulate, pairwise


def pack(numbers: Iterable[int]) -> bytes:
    """Numbers from 0 on."""
    out = bytearray()
    for number in numbers:
        rest = number
        while rest > 0x7F:
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        out.append(rest)
    return bytes(out)


def unpack(packed: bytes) -> tuple[int, ...]:
    numbers, number, shift = [], 0, 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number, shift = 0, 0
    return tuple(numbers)


def pack_signed(numbers: Iterable[int]) -> bytes:
    return pack(2 * number if number >= 0 else -2 * number - 1 for number in numbers)


def pack_steps(numbers: Iterable[int]) -> bytes:
    """Numbers that are much alike: each as its step from the one before."""
    listed = list(numbers)
    return pack_signed(after - before for before, after in pairwise([0, *listed]))


def unpack_steps(packed: bytes) -> tuple[int, ...]:
    return tuple(accumulate(unpack_signed(packed)))


def unpack_signed(packed: bytes) -> tuple[int, ...]:
    return tuple(n >> 1 if n % 2 == 0 else -(n + 1 >> 1) for n in unpack(packed))
