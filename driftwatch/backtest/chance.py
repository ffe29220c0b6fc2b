"""Chance that depends on a row's id and a salt alone: not on the order of rows, nor on how they are cut."""

import numpy as np

from driftwatch.stream.batch import Floats, Hashes, Ints

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def mixed(ids: Hashes, salts: Ints | int) -> Hashes:
    """Other ids, (rows,), never 0: the finaliser of SplitMix64 (Steele, Lea, Flood 2014) over ids and salts."""
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is the point
        words = ids + _GAMMA * np.asarray(salts, dtype=np.int64).astype(np.uint64)
        words = (words ^ (words >> np.uint64(30))) * _MIX_1
        words = (words ^ (words >> np.uint64(27))) * _MIX_2
        words = words ^ (words >> np.uint64(31))
    return np.where(words == 0, np.uint64(1), words)


def chances(ids: Hashes, salt: int) -> Floats:
    """A number in [0, 1) for each row, (rows,), uniform over ids."""
    words = mixed(mixed(ids, salt), 1) >> np.uint64(11)
    return words.astype(np.float64) * 2.0**-53
