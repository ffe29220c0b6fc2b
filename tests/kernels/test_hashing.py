"""Hashes of ids: the same everywhere, whatever stands beside them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.kernels.hashing import LONG, hash_texts

FIXED = [
    "e220a8397b1dcdaf",
    "db87c9c9a517a502",
    "8b8c06a23ac9e5d3",
    "5b7c0d84a8589c89",
    "d7386ff3f10285a5",
    "66efafc3cbbdfe1c",
]

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=3 * LONG)


@settings(deadline=None)
@given(texts, st.lists(texts, max_size=4), st.lists(texts, max_size=4))
def test_neighbours_do_not_matter(text: str, before: list[str], after: list[str]) -> None:
    """A text has one hash, alone or between others, long or short."""
    assert hash_texts([*before, text, *after])[len(before)] == hash_texts([text])[0] != 0


@settings(deadline=None)
@given(st.lists(texts, unique=True, min_size=2, max_size=20))
def test_different_texts_differ(different: list[str]) -> None:
    """Texts that differ have different hashes."""
    assert len(set(hash_texts(different).tolist())) == len(different)


def test_values_are_fixed() -> None:
    """Stored hashes stay valid: these values are the same on every machine and in every release."""
    found = hash_texts(["", "a", "17", "Ωmega", "x" * LONG, "x" * (LONG + 1)])
    assert [f"{value:016x}" for value in found.tolist()] == FIXED


def test_order_of_words_matters() -> None:
    """Swapping eight-byte words changes the hash, though they are added."""
    one, other = hash_texts(["aaaaaaaabbbbbbbb", "bbbbbbbbaaaaaaaa"])
    assert one != other


def test_bits_are_even() -> None:
    """Over many similar ids each bit is set half of the time, so that a threshold on hashes samples evenly."""
    hashes = hash_texts([f"request-{number:08d}" for number in range(20_000)])
    bits = np.unpackbits(hashes.view(np.uint8).reshape(-1, 8), axis=1).mean(axis=0)
    assert np.abs(bits - 0.5).max() < 5 * 0.5 / np.sqrt(20_000)
    assert len(np.unique(hashes)) == 20_000


def test_nothing() -> None:
    """No texts, no hashes."""
    assert hash_texts([]).shape == (0,)
