"""The container of stored state: what is packed comes back, and damage is never taken for content."""

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from driftwatch.errors import StateError
from driftwatch.summaries.codec import MAGIC, VERSION, pack, profile_bytes, unpack
from driftwatch.summaries.numeric import Numeric
from driftwatch.summaries.profile import Profile
from tests.strategies import layouts

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
DTYPES = st.sampled_from(["<i8", "<i4", "<i2", "<u8", "<f8", "<f4", "|b1", ">i8", ">f8"])
ARRAYS = DTYPES.flatmap(
    lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))
)


@settings(deadline=None)
@given(meta=st.dictionaries(st.text(), JSON, max_size=4), arrays=st.dictionaries(st.text(), ARRAYS, max_size=4))
def test_what_is_packed_comes_back(meta, arrays):
    """Every value and shape; the byte order becomes little-endian, the type stays."""
    found_meta, found = unpack(pack(meta, arrays))
    assert found_meta == meta
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype.newbyteorder("<")
        assert found[name].shape == array.shape


SAMPLE = pack({"kind": "test"}, {"counts": np.arange(200) // 50, "sums": np.linspace(0, 1, 9)})


@settings(deadline=None)
@given(place=st.integers(0, len(SAMPLE) - 1), bits=st.integers(1, 255))
def test_any_flipped_byte_is_noticed(place, bits):
    """Whatever byte is changed, in whatever bits."""
    damaged = bytearray(SAMPLE)
    damaged[place] ^= bits
    with pytest.raises(StateError):
        unpack(bytes(damaged))


@settings(deadline=None)
@given(length=st.integers(0, len(SAMPLE) - 1))
def test_any_truncation_is_noticed(length):
    """However much of the end is missing."""
    with pytest.raises(StateError, match="cut off"):
        unpack(SAMPLE[:length])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PAR1" + bytes(80), "not written by driftwatch"),
        (b"\x80\x04\x95" + bytes(80), "not written by driftwatch"),
        (b"", "cut off after 0 bytes"),
        (SAMPLE + b"x", "damaged or cut off: the checksum"),
    ],
)
def test_foreign_bytes_are_refused_in_one_clear_line(data, words):
    """A Parquet file, a pickle, an empty file, a file with something appended."""
    with pytest.raises(StateError, match=words) as caught:
        unpack(data)
    assert "\n" not in str(caught.value)


def test_a_newer_version_is_refused_and_says_so():
    """An old driftwatch must not guess at a new format."""
    body = MAGIC + struct.pack("<H", VERSION + 1) + SAMPLE[len(MAGIC) + 2 : -32]
    with pytest.raises(StateError, match=f"version {VERSION + 1} is newer than {VERSION}.*upgrade"):
        unpack(body + hashlib.sha256(body).digest())


def test_numbers_that_json_does_not_know_are_a_bug_of_the_caller():
    """NaN in the head would be written as something no other reader takes."""
    with pytest.raises(ValueError, match="JSON"):
        pack({"value": float("nan")}, {})


@settings(deadline=None)
@given(layouts(), st.integers(0, 2**32))
def test_a_small_window_makes_few_bytes(layout, seed):
    """A profile of few rows is far smaller than its arrays."""
    empty = Profile.empty(layout)
    rng = np.random.default_rng(seed)
    counts = (rng.random(empty.numeric.counts.shape) < 0.05).astype(np.int64)
    numeric = Numeric(
        counts, counts[:, :-2] * rng.normal(size=empty.numeric.sums.shape), empty.numeric.squares,
        empty.numeric.minima, empty.numeric.maxima,
    )  # fmt: skip
    profile = Profile(layout.fingerprint, 7, 0, 1, numeric, empty.categories)
    whole = sum(array.nbytes for array in profile.arrays().values())
    assert len(profile_bytes(profile)) < 700 + whole / 4
