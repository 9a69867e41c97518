"""Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 4.3).

A counter-based generator: 128 bits of counter and 64 bits of key give 128 random bits, so each
pixel draws its own numbers in any order, on any thread and on any device.
"""

from __future__ import annotations

import numba
import numpy as np
from numba.extending import register_jitable

from .._jit import jit

__all__ = ["below", "philox4x32", "philox_row"]

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint32(0x9E3779B9)
_W1 = np.uint32(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


@register_jitable(forceinline=True, error_model="numpy")
def _rounds(c0, c1, c2, c3, k0, k1):
    c0, c1, c2, c3 = numba.uint32(c0), numba.uint32(c1), numba.uint32(c2), numba.uint32(c3)
    k0, k1 = numba.uint32(k0), numba.uint32(k1)
    for _ in range(10):
        product0 = _M0 * numba.uint64(c0)
        product1 = _M1 * numba.uint64(c2)
        c0 = numba.uint32(product1 >> _32) ^ c1 ^ k0
        c2 = numba.uint32(product0 >> _32) ^ c3 ^ k1
        c1 = numba.uint32(product1 & _LOW)
        c3 = numba.uint32(product0 & _LOW)
        k0 = numba.uint32(k0 + _W0)
        k1 = numba.uint32(k1 + _W1)
    return c0, c1, c2, c3


@jit
def philox4x32(c0, c1, c2, c3, k0, k1):
    """Return the four uint32 words of counter ``(c0, c1, c2, c3)`` under key ``(k0, k1)``.

    Every argument is taken modulo 2**32.
    """
    return _rounds(c0, c1, c2, c3, k0, k1)


@jit
def philox_row(words, first, last, start, c1, c2, c3, k0, k1):
    """Write the words of counters ``start + i``, first <= i < last, to ``words`` (4, columns).

    Several times faster than one by one, because counters side by side share vector registers.
    """
    base = np.uint64(start)
    for i in range(np.uint64(first), np.uint64(last)):
        word0, word1, word2, word3 = _rounds(base + i, c1, c2, c3, k0, k1)
        words[np.uint64(0), i] = word0
        words[np.uint64(1), i] = word1
        words[np.uint64(2), i] = word2
        words[np.uint64(3), i] = word3


@jit
def below(word, count):
    """Map a uint32 word to 0 … count−1 by multiply-shift; the bias is under count / 2**32."""
    return np.int64((numba.uint64(word) * numba.uint64(count)) >> _32)
