"""Noise as a function of name and time: the same at every look, whatever was asked before, and nothing is kept."""

from typing import Final

_MASK: Final = 0xFFFFFFFFFFFFFFFF
_SPAN: Final = float(1 << 53)


def bits(*parts: int) -> int:
    """Return 64 well-spread bits of some integers, by the finaliser of splitmix64 after each of them.

    Source: Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators".
    """
    state = 0
    for part in parts:
        state = (state + part + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def fraction(*parts: int) -> float:
    """Return a number from 0 to below 1, evenly spread over its arguments."""
    return (bits(*parts) >> 11) / _SPAN


def wave(seed: int, seconds: float, period_s: float) -> float:
    """Return smooth noise between -1 and 1 at a time: random at multiples of a period, eased in between."""
    block, rest = divmod(seconds, period_s)
    left, right = (2.0 * fraction(seed, int(block) + ahead) - 1.0 for ahead in (0, 1))
    share = rest / period_s
    return left + (right - left) * share * share * (3.0 - 2.0 * share)
