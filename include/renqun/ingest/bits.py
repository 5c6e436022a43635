"""Places in a text as bits, 64 of them a number: questions about neighbours cost an eighth of a look at every byte."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
"""The n-th bit, the lowest of the first number being the first, is about the n-th byte of a text. Bits beyond the end
of the text are 0."""

_WORD = 64
_CHUNK_BYTES = 1 << 18
"""What is made of so many bytes stays in a core's own memory."""


def bits_of(text: NDArray[np.uint8], signs: Sequence[int]) -> list[Bits]:
    """Of each sign, where it stands."""
    words = -(-len(text) // _WORD)
    found = [np.zeros(words, dtype="<u8") for _ in signs]
    for start in range(0, len(text), _CHUNK_BYTES):
        chunk = text[start : start + _CHUNK_BYTES]
        for sign, bits in zip(signs, found, strict=True):
            packed = np.packbits(chunk == sign, bitorder="little")
            bits.view(np.uint8)[start // 8 : start // 8 + len(packed)] = packed
    return found


def parity(bits: Bits) -> Bits:
    """Where the number of bits up to a place, that place included, is odd. It goes on beyond the end."""
    odd = bits.copy()
    for step in (1, 2, 4, 8, 16, 32):
        odd ^= odd << np.uint64(step)
    before = np.bitwise_xor.accumulate(odd >> np.uint64(_WORD - 1))
    odd[1:] ^= np.uint64(0) - before[:-1]
    return odd


def later(bits: Bits) -> Bits:
    """The same one place further."""
    moved = bits << np.uint64(1)
    moved[1:] |= bits[:-1] >> np.uint64(_WORD - 1)
    return moved


def places_of(bits: Bits) -> NDArray[np.int64]:
    """The places, in order."""
    words = np.flatnonzero(bits)
    if len(words) > len(bits) // 2:
        return np.flatnonzero(_unpacked(bits))
    # Where most numbers are 0, the others are looked into.
    found = np.flatnonzero(_unpacked(bits[words]))
    return words[found // _WORD] * _WORD + found % _WORD


def _unpacked(bits: Bits) -> NDArray[np.bool_]:
    return np.unpackbits(bits.view(np.uint8), bitorder="little").view(bool)


def count_of(bits: Bits) -> int:
    """How many there are."""
    return int(np.bitwise_count(bits).sum())
