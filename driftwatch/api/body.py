"""A request's body: read and unpacked within bounds, whatever its sender claims.

Content-Encoding follows RFC 9110 §8.4 (gzip, identity) and RFC 8878 (zstd; window of at most 8 MiB as RFC 9659 asks).
"""

import asyncio
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import zstandard
from fastapi import Request

from driftwatch.api.faults import Fault
from driftwatch.api.refusals import Refusal

_CLOSE = {"Connection": "close"}
"""For a body without a known end: the server would otherwise go on to read it, to the sender's advantage only."""

_WINDOW = 8 * 2**20
_MEMBERS = 10_000
"""Frames in one body: each costs a new decoder, so a body of empty ones would buy seconds for a few bytes."""


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class _Coding:
    """One way to pack: how to begin, and how many packed bytes to take at a time.

    A piece grows at most to its greatest ratio (gzip 1 032, zstd 32 768) beyond the limit: by 4 and 8 MiB.
    """

    def __init__(self, begin: Callable[[], _Decoder], *, piece: int) -> None:
        self.begin, self.piece = begin, piece


def _zstd() -> _Decoder:
    return zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()


_GZIP = _Coding(lambda: zlib.decompressobj(wbits=31), piece=4096)
_CODINGS = {"gzip": _GZIP, "x-gzip": _GZIP, "zstd": _Coding(_zstd, piece=256)}


class Room:
    """Memory for all bodies that are under way together. Used on the event loop only, so it needs no lock."""

    def __init__(self, size: int) -> None:
        self._left = size

    @contextmanager
    def share(self) -> Iterator["Share"]:
        """Open a share for one request; it is given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self._left += share.taken

    def reserve(self, size: int) -> None:
        """Take so many bytes. Raises Fault 503 when they are not there: better than to be killed for want of memory."""
        if size > self._left:
            text = "too many bodies are arriving together; try again in 1 s"
            raise Fault(503, Refusal.ARRIVING_FULL, text, headers={"Retry-After": "1", **_CLOSE})
        self._left -= size


class Share:
    """What one request has taken of the room, in bytes."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.taken = 0

    def take(self, size: int) -> None:
        """Take so many bytes more; raises as `Room.reserve`."""
        self._room.reserve(size)
        self.taken += size


async def read_body(request: Request, share: Share, *, limit: int, seconds: float) -> bytes:
    """Read a body of at most `limit` bytes as sent, in at most so many seconds: a slow one holds memory for nothing.

    Raises Fault: 400 empty, 408 too slow, 413 too large, by the declared length already or while it streams in, 503
    when too much is under way already.
    """
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                if len(body) + len(chunk) > limit:
                    raise _too_large(limit, headers=_CLOSE)
                share.take(len(chunk))
                body += chunk
    except TimeoutError as error:
        text = f"the body did not arrive within {seconds:g} s"
        raise Fault(408, Refusal.SLOW_BODY, text, headers=_CLOSE) from error
    if not body:
        raise Fault(400, "empty_body", "the body is empty: send one JSON object, an array, JSON lines or columns")
    return bytes(body)


def check_encoding(encoding: str) -> str:
    """Return the one coding of a Content-Encoding header, "" for none. Raises Fault 415 on any other."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return ""
    if name not in _CODINGS:
        text = f'Content-Encoding "{encoding}" is not supported: use gzip, zstd or none'
        raise Fault(415, "unsupported_encoding", text, headers={"Accept-Encoding": "gzip, zstd, identity"})
    return name


def unpack(body: bytes, encoding: str, *, limit: int) -> bytes:
    """Unpack a body to at most `limit` bytes; encoding: from `check_encoding`.

    Raises Fault: 400 when it is damaged, cut short, or not packed at all; 413 when it holds more.
    """
    if not encoding:
        return body
    try:
        plain = _unpack(body, _CODINGS[encoding], limit=limit)
    except (zlib.error, zstandard.ZstdError) as error:
        raise _malformed(encoding) from error
    if plain is None:
        raise _malformed(encoding)
    if not plain:
        raise Fault(400, "empty_body", "the body is empty once it is unpacked")
    return plain


def _unpack(body: bytes, coding: _Coding, *, limit: int) -> bytes | None:
    """Unpack all members of a body; None when the last one is not complete or there are too many."""
    plain, decoder, members, place = bytearray(), coding.begin(), 0, 0
    open_member = True
    while place < len(body):
        if not open_member:
            decoder, open_member = coding.begin(), True
        piece = body[place : place + coding.piece]
        plain += decoder.decompress(piece)
        place += len(piece)
        if len(plain) > limit:
            raise Fault(413, Refusal.TOO_LARGE, f"the body holds more than {limit} bytes once it is unpacked")
        if decoder.eof:
            place -= len(decoder.unused_data)
            members, open_member = members + 1, False
            if members > _MEMBERS:
                return None
    return None if open_member else bytes(plain)


def _too_large(limit: int, *, headers: Mapping[str, str] | None = None) -> Fault:
    return Fault(
        413, Refusal.TOO_LARGE, f"the body has more than {limit} bytes: send fewer events at a time", headers=headers
    )


def _malformed(encoding: str) -> Fault:
    return Fault(400, Refusal.MALFORMED_ENCODING, f"the body is not {encoding}, or is damaged or cut short")
