"""Bodies and requests that mean no good: what each is, and what it must come to."""

import gzip
import json
import zlib
from typing import NamedTuple

import zstandard

from tests.hostile.wire import head, request

GZIP, ZSTD = b"Content-Encoding: gzip", b"Content-Encoding: zstd"
DEEP = 100_000
MEBIBYTE = 1 << 20

EVENT = {"model": "fraud", "id": "h", "time": "2026-01-05T00:00:00Z", "features": {"amount": 1.5}}
_GOOD = json.dumps(EVENT).encode()


class Case(NamedTuple):
    """A body, its headers, the status it is answered with, and for 200 the reasons of its refused events."""

    body: bytes
    headers: tuple[bytes, ...] = ()
    status: int = 200
    reasons: tuple[str, ...] = ()


def _with(text: bytes) -> bytes:
    """The good event with something else for its amount."""
    return _GOOD.replace(b"1.5", text)


NOT_JSON, NOT_OBJECT = ("not_json",), ("not_object",)
_DEEP_LIST, _DEEP_DICT = b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP
_BOMB = zlib.compressobj(9, wbits=31)
_GZIP_BOMB = b"".join([*(_BOMB.compress(bytes(MEBIBYTE)) for _ in range(256)), _BOMB.flush()])

NESTED: dict[str, Case] = {
    "a nested list": Case(_DEEP_LIST, reasons=NOT_JSON),
    "a nested list without an end": Case(b"[" * DEEP, reasons=NOT_JSON),
    "a nested object": Case(_DEEP_DICT, reasons=NOT_JSON),
    "a nested object without an end": Case(b'{"a":' * DEEP, reasons=NOT_JSON),
    "a nested model": Case(b'{"model":' * DEEP + b"1" + b"}" * DEEP, reasons=NOT_JSON),
    "a nested unknown key": Case(b'{"model": "fraud", "id": "d", "x": ' + _DEEP_LIST + b"}", reasons=NOT_JSON),
    "a nested feature": Case(_with(_DEEP_LIST), reasons=NOT_JSON),
    "a nested feature, as an object": Case(_with(_DEEP_DICT), reasons=NOT_JSON),
    "a nested event of an array": Case(b"[" + _DEEP_DICT + b"," + _GOOD + b"]", reasons=NOT_JSON),
    "a nested line among others": Case(_GOOD + b"\n" + _DEEP_DICT + b"\n" + _GOOD, reasons=NOT_JSON),
    "nested lines": Case(_DEEP_LIST + b"\n" + _DEEP_LIST, reasons=NOT_JSON),
    "a nested column": Case(b'{"model": "fraud", "columns": {"id": ' + _DEEP_LIST + b"}}", reasons=NOT_JSON),
    "nested columns": Case(b'{"model": "fraud", "columns": ' + _DEEP_DICT + b"}", reasons=NOT_JSON),
    "deep, and no number at the end": Case(_with(b"[" * DEEP + b"NaN" + b"]" * DEEP), reasons=NOT_JSON),
}

BODIES: dict[str, Case] = {
    "nothing": Case(b"", status=400),
    "a NUL": Case(b"\x00", reasons=NOT_JSON),
    "no UTF-8": Case(_with(b'"\xff\xfe"'), reasons=NOT_JSON),
    "UTF-16": Case(_GOOD.decode().encode("utf-16"), reasons=NOT_JSON),
    "overlong UTF-8": Case(_with(b'"\xc0\xae"'), reasons=NOT_JSON),
    "a number": Case(b"1", reasons=NOT_OBJECT),
    "an array of everything": Case(b'[1, "a", null, true, [], {}]', reasons=(*NOT_OBJECT * 5, "missing_model")),
    "NaN": Case(_with(b"NaN")),
    "beyond a float": Case(_with(b"1e999")),
    "a number of 5 000 digits": Case(_with(b"9" * 5_000)),
    "a time of 5 000 digits": Case(_GOOD.replace(b'"2026-01-05T00:00:00Z"', b"9" * 5_000), reasons=("bad_time",)),
    "an id of 5 000 digits": Case(_GOOD.replace(b'"h"', b"9" * 5_000), reasons=("bad_id",)),
    "a million digits": Case(_with(b"9" * 1_000_000)),
    "a fraction of a million digits": Case(_with(b"0." + b"9" * 1_000_000)),
    "an endless exponent": Case(_with(b"1e" + b"9" * 100_000)),
    "a key twice": Case(b'{"model": "nobody", ' + _GOOD[1:]),
    "a key a hundred thousand times": Case(b"{" + b'"id": 1, ' * 100_000 + _GOOD[1:]),
    "a hundred thousand unknown keys": Case(b"{" + b"".join(b'"k%d": 1, ' % key for key in range(100_000)) + _GOOD[1:]),
    "a string of three megabytes": Case(_with(b'"' + b"x" * 3 * MEBIBYTE + b'"')),
    "an id of three megabytes": Case(_GOOD.replace(b'"h"', b'"' + b"x" * 3 * MEBIBYTE + b'"')),
    "a version of three megabytes": Case(
        _GOOD.replace(b'"h"', b'"h", "version": "' + b"x" * 3 * MEBIBYTE + b'"'), reasons=("bad_version",)
    ),
    "a lone surrogate": Case(_with(b'"\\ud800"')),
    "a string without an end": Case(_GOOD[:30] + b"x" * MEBIBYTE, reasons=NOT_JSON),
    "escapes only": Case(_with(b'"' + b"\\u0000" * 500_000 + b'"')),
    "columns of two lengths": Case(
        b'{"model": "fraud", "columns": {"id": [1, 2], "features.amount": [1]}}', reasons=("bad_columns",)
    ),
    "blank lines": Case(b"\n" * 400_000, reasons=NOT_JSON),
    "too many lines": Case(b"1\n" * 60_000, status=413),
    "too many elements": Case(b"[" + b"1," * 60_000 + b"1]", status=413),
    "too many rows": Case(b'{"model": "fraud", "columns": {"id": [' + b"1," * 60_000 + b"1]}}", status=413),
    "too many values": Case(b"[" + b"1," * 600_000 + b"1]", status=413),
    "another content type": Case(_GOOD, (b"Content-Type: image/png",)),
    "an unknown coding": Case(_GOOD, (b"Content-Encoding: br",), 415),
    "not gzip": Case(_GOOD, (GZIP,), 400),
    "gzip in gzip": Case(gzip.compress(gzip.compress(_GOOD)), (GZIP,), reasons=NOT_JSON),
    "two codings": Case(gzip.compress(gzip.compress(_GOOD)), (b"Content-Encoding: gzip, gzip",), 415),
    "gzip without an end": Case(gzip.compress(_GOOD)[:-9], (GZIP,), 400),
    "a gzip bomb of 256 MiB": Case(_GZIP_BOMB, (GZIP,), 413),
    "a gzip bomb in a gzip bomb": Case(gzip.compress(_GZIP_BOMB), (GZIP,), reasons=NOT_JSON),
    "a zstd bomb of 256 MiB": Case(zstandard.compress(bytes(256 * MEBIBYTE), 19), (ZSTD,), 413),
    "a zstd frame that claims an exabyte": Case(
        bytes.fromhex("28b52ffd") + bytes([0xE0]) + (1 << 60).to_bytes(8, "little") + b"\x01\x00\x00", (ZSTD,), 400
    ),
    "a zstd frame with a huge window": Case(bytes.fromhex("28b52ffd00ff010000"), (ZSTD,), 400),
    "a hundred thousand empty members": Case(gzip.compress(b"") * 100_000, (GZIP,), 400),
}

_TRAILING = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
WIRE: dict[str, tuple[bytes, set[int]]] = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500, {400}),
    "garbage lines": (b"hello\r\n\r\n", {400}),
    "a line without an end": (b"GET /" + b"x" * 100_000, {431}),
    "a header without an end": (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 100_000, {431}),
    "a flood of headers": (head(*(b"h%d: 1" % number for number in range(20_000))), {431}),
    "more headers than allowed": (head(*(b"h%d: 1" % number for number in range(101)), b"Content-Length: 0"), {431}),
    "two lengths": (head(b"Content-Length: 5", b"Content-Length: 6") + b"{}" + _TRAILING, {400}),
    "lengths in a list": (head(b"Content-Length: 5, 6") + b"{}" + _TRAILING, {400}),
    "a negative length": (head(b"Content-Length: -1") + b"{}", {400}),
    "a length that is no number": (head(b"Content-Length: 0x10") + b"{}" * 8, {400}),
    "a length with a sign": (head(b"Content-Length: +2") + b"{}", {400}),
    "a length beyond all": (head(b"Content-Length: " + b"9" * 30) + b"{}", {400, 413}),
    "length and chunks": (
        head(b"Content-Length: 4", b"Transfer-Encoding: chunked") + b"0\r\n\r\n" + _TRAILING, {400},
    ),
    "chunks in an obscure coding": (head(b"Transfer-Encoding: xchunked") + b"0\r\n\r\n" + _TRAILING, {400, 501}),
    "two transfer codings": (head(b"Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n" + _TRAILING, {400, 501}),
    "a space before the colon": (head(b"Transfer-Encoding : chunked", b"Content-Length: 2") + b"{}", {400}),
    "a folded header": (head(b"Content-Length:", b" 2") + b"{}", {200, 400}),
    "a line feed in a header": (head(b"A: b\nTransfer-Encoding: chunked", b"Content-Length: 2") + b"{}", {400}),
    "a carriage return in a header": (head(b"A: b\rc", b"Content-Length: 2") + b"{}", {400}),
    "a NUL in a header": (head(b"A: b\0c", b"Content-Length: 2") + b"{}", {400}),
    "a chunk size that is no number": (head(b"Transfer-Encoding: chunked") + b"zz\r\n{}\r\n0\r\n\r\n", {400}),
    "a negative chunk": (head(b"Transfer-Encoding: chunked") + b"-1\r\n{}\r\n0\r\n\r\n", {400}),
    "a chunk beyond 64 bits": (head(b"Transfer-Encoding: chunked") + b"f" * 17 + b"\r\n{}", {408}),
    "a chunk extension without an end": (head(b"Transfer-Encoding: chunked") + b"1;" + b"x" * 100_000, {400, 431}),
    "no host": (b"POST /v1/predictions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", {400}),
    "another version": (b"POST /v1/predictions HTTP/3.0\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", {505}),
    "HTTP/2 with prior knowledge": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 9, {505}),
    "an upgrade": (head(b"Connection: Upgrade", b"Upgrade: websocket", request=b"GET /-/healthy HTTP/1.1"), {200, 426}),
    "a way out of the root": (head(request=b"GET /../../../../etc/passwd HTTP/1.1"), {404}),
    "no such door": (request(_GOOD).replace(b"/v1/predictions", b"/v1/%00%0a%2e%2e"), {404}),
    "the wrong method": (head(request=b"DELETE /v1/predictions HTTP/1.1"), {405}),
    "a chunked body beyond the limit": (
        head(b"Transfer-Encoding: chunked") + b"500000\r\n" + b" " * 0x500000 + b"\r\n", {413},
    ),
    "a declared body beyond the limit": (head(b"Content-Length: 5000000"), {413}),
}  # fmt: skip
