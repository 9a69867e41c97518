"""Philox4x32-10 against Random123's known answers (kat_vectors), and seeds."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from synth.kernels.cpu.philox import below, philox4x32, philox_row

from synth.errors import InputError, InputTypeError
from synth.randomness import Purpose, key_of

_ALL = 0xFFFFFFFF
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((_ALL,) * 4, (_ALL,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_known_answers(counter, key, words):
    assert tuple(int(word) for word in philox4x32(*counter, *key)) == words
    assert naive.philox(counter, key) == words


def test_a_row_of_counters_is_the_same_words():
    words = np.zeros((4, 21), np.uint32)
    philox_row(words, 2, 20, 2**32 - 9, 5, 6, 7, 8, 9)
    for i in range(2, 20):
        one = philox4x32((2**32 - 9 + i) % 2**32, 5, 6, 7, 8, 9)
        assert words[:, i].tolist() == [int(word) for word in one]
    assert not words[:, [0, 1, 20]].any()


def test_below_covers_its_range_evenly():
    assert below(0, 7) == 0
    assert below(_ALL, 7) == 6
    counts = np.bincount([below(philox4x32(i, 0, 0, 0, 1, 0)[0], 5) for i in range(5000)])
    assert counts.size == 5
    assert abs(counts - 1000).max() < 150  # five standard deviations


def test_seeds():
    assert key_of(0) == (0, 0)
    assert key_of(np.uint64(2**64 - 1)) == (_ALL, _ALL)
    with pytest.raises(InputError, match=r"-1.*0 … 2\*\*64"):
        key_of(-1)
    with pytest.raises(InputTypeError, match="whole number"):
        key_of(1.5)  # type: ignore[arg-type]
    assert len(set(Purpose)) == len(Purpose)
