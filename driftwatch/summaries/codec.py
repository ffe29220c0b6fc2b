r"""Named arrays and a JSON head in bytes that a later version can still read and damage cannot fool.

    magic "DRIFTW\r\n" · format version (u16) · head length (u32) · head (JSON) · arrays · SHA-256 of all before it

Numbers are little-endian. The head names each array's type, its type in the file, shape and place. Whole numbers are
written in the narrowest type that holds them and compressed; floats are compressed where that helps.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.errors import StateError
from driftwatch.summaries.layout import Floats, Ints, Layout
from driftwatch.summaries.profile import Profile

MAGIC = b"DRIFTW\r\n"
VERSION = 1

_HEAD = struct.Struct("<HI")
_DIGEST_BYTES = hashlib.sha256().digest_size
_NARROW = ("<u1", "<i2", "<i4", "<i8")
_LEVEL = 1


def pack(meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Write `meta` (JSON, finite numbers only) and arrays of integers, floats or booleans as bytes."""
    entries, parts = [], []
    for name, array in arrays.items():
        stored = _narrowed(array)
        raw = stored.tobytes()
        body, packing = _squeezed(raw, sparse=_is_sparse(stored))
        shape = list(array.shape)
        entries.append([name, _portable(array.dtype), stored.dtype.str, shape, packing, len(body)])
        parts.append(body)
    head = json.dumps({"meta": meta, "arrays": entries}, allow_nan=False, separators=(",", ":")).encode()
    data = b"".join([MAGIC, _HEAD.pack(VERSION, len(head)), head, *parts])
    return data + hashlib.sha256(data).digest()


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what was packed; StateError when the bytes are foreign, newer than this version, cut off or changed."""
    start = len(MAGIC) + _HEAD.size
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise StateError("not written by driftwatch: the first bytes are not its mark")
    if len(data) < start + _DIGEST_BYTES:
        raise StateError(f"cut off after {len(data)} bytes")
    version, head_bytes = _HEAD.unpack_from(data, len(MAGIC))
    if version > VERSION:
        raise StateError(f"format version {version} is newer than {VERSION}, the newest this driftwatch reads: upgrade")
    if hashlib.sha256(memoryview(data)[:-_DIGEST_BYTES]).digest() != data[-_DIGEST_BYTES:]:
        raise StateError("damaged or cut off: the checksum does not fit the content")
    head = json.loads(data[start : start + head_bytes])
    arrays, place = {}, start + head_bytes
    for name, dtype, stored, shape, packing, size in head["arrays"]:
        body = data[place : place + size]
        raw = zlib.decompress(body) if packing == "zlib" else body
        arrays[name] = np.frombuffer(raw, dtype=stored).reshape(shape).astype(dtype)
        place += size
    return head["meta"], arrays


def profile_bytes(profile: Profile) -> bytes:
    """Write a profile, without its layout: only the fingerprint goes along."""
    return pack({"kind": "profile", "fingerprint": profile.fingerprint}, profile.arrays())


def profile_from_bytes(layout: Layout, data: bytes) -> Profile:
    """Read a profile; StateError when it is damaged, no profile, or was counted over another layout."""
    meta, arrays = unpack(data)
    if meta.get("kind") != "profile":
        raise StateError(f"holds a {meta.get('kind')}, not a profile")
    if meta["fingerprint"] != layout.fingerprint:
        raise StateError(f"a profile of layout {meta['fingerprint']} does not fit layout {layout.fingerprint}")
    return Profile.from_arrays(layout, arrays)


def _portable(dtype: np.dtype[Any]) -> str:
    return dtype.newbyteorder("<").str


def _narrowed(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind != "i":
        return array.astype(_portable(array.dtype), copy=False)
    least, greatest = (int(array.min()), int(array.max())) if array.size else (0, 0)
    fitting = (name for name in _NARROW if np.iinfo(name).min <= least and greatest <= np.iinfo(name).max)
    return array.astype(next(fitting))


def _is_sparse(array: Ints | Floats | NDArray[Any]) -> bool:
    """Say whether compressing pays: floats do not compress unless most of them are zero."""
    return array.dtype.kind != "f" or 2 * int(np.count_nonzero(array)) < array.size


def _squeezed(raw: bytes, *, sparse: bool) -> tuple[bytes, str]:
    if sparse and raw:
        squeezed = zlib.compress(raw, _LEVEL)
        if len(squeezed) < len(raw):
            return squeezed, "zlib"
    return raw, "raw"
