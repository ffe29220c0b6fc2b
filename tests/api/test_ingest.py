"""POST /v1/predictions and /v1/labels."""

import asyncio
import gzip
import os
import threading
import zlib

import httpx
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.api.body import unpack
from driftwatch.api.faults import Fault
from driftwatch.errors import StateError
from driftwatch.ports.answers import Busy, Receipt
from driftwatch.stream.raw import Stream
from tests.api.fakes import LIMITS, Service

EVENT = b'{"model": "fraud", "id": "a1"}'
PACK = {"gzip": gzip.compress, "zstd": zstandard.compress}


@pytest.mark.parametrize(
    ("path", "stream"),
    [("/v1/predictions", Stream.PREDICTIONS), ("/v1/labels", Stream.LABELS)],
    ids=["predictions", "labels"],
)
def test_a_body_is_handed_over_as_it_came(service, path, stream):
    """What the bytes say is not the HTTP door's business; the receipt is."""
    service.ingest.receipt = Receipt(2, ((1, "bad_time"), (3, "missing_model")))

    answer = service.post(path, content=b"\x00 not even JSON", headers={"Content-Type": "text/plain"})

    assert answer.status_code == 200
    assert answer.json() == {
        "accepted": 2,
        "rejected": [{"index": 1, "reason": "bad_time"}, {"index": 3, "reason": "missing_model"}],
    }
    assert service.ingest.taken == [(stream, b"\x00 not even JSON")]


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("", EVENT),
        ("identity", EVENT),
        ("gzip", gzip.compress(EVENT)),
        ("GZIP", gzip.compress(EVENT)),
        ("x-gzip", gzip.compress(EVENT)),
        ("gzip", gzip.compress(EVENT[:9]) + gzip.compress(b"") + gzip.compress(EVENT[9:])),
        ("zstd", zstandard.compress(EVENT)),
        ("zstd", zstandard.compress(EVENT[:9]) + zstandard.compress(EVENT[9:])),
        ("zstd", zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compress(EVENT)),
    ],
    ids=["none", "identity", "gzip", "GZIP", "x-gzip", "gzip members", "zstd", "zstd frames", "zstd without size"],
)
def test_a_packed_body_is_unpacked(service, encoding, packed):
    """Also one of several members, as log shippers send them."""
    answer = service.post("/v1/predictions", content=packed, headers={"Content-Encoding": encoding} if encoding else {})

    assert answer.status_code == 200
    assert service.ingest.taken == [(Stream.PREDICTIONS, EVENT)]


BROKEN = {
    "no body": ("", b"", 400, "empty_body"),
    "a packed nothing": ("gzip", gzip.compress(b""), 400, "empty_body"),
    "not gzip": ("gzip", EVENT, 400, "malformed_encoding"),
    "not zstd": ("zstd", EVENT, 400, "malformed_encoding"),
    "gzip cut short": ("gzip", gzip.compress(EVENT)[:-1], 400, "malformed_encoding"),
    "zstd cut short": ("zstd", zstandard.compress(EVENT)[:-1], 400, "malformed_encoding"),
    "gzip with a tail": ("gzip", gzip.compress(EVENT) + b"tail", 400, "malformed_encoding"),
    "gzip with a wrong checksum": ("gzip", gzip.compress(EVENT)[:-8] + bytes(8), 400, "malformed_encoding"),
    "zlib instead of gzip": ("gzip", zlib.compress(EVENT), 400, "malformed_encoding"),
    "another coding": ("br", EVENT, 415, "unsupported_encoding"),
    "two codings": ("gzip, gzip", gzip.compress(gzip.compress(EVENT)), 415, "unsupported_encoding"),
    "too large": ("", b"x" * (LIMITS.max_body + 1), 413, "too_large"),
    "a gzip bomb": ("gzip", gzip.compress(bytes(LIMITS.max_body_decompressed + 1)), 413, "too_large"),
    "a zstd bomb": ("zstd", zstandard.compress(bytes(LIMITS.max_body_decompressed + 1)), 413, "too_large"),
}


@pytest.mark.parametrize(("encoding", "body", "status", "code"), BROKEN.values(), ids=BROKEN)
def test_a_body_that_cannot_be_used_is_refused(service, encoding, body, status, code):
    """With a status, a word and a line; nothing of it is handed over."""
    answer = service.post("/v1/labels", content=body, headers={"Content-Encoding": encoding} if encoding else {})

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert set(answer.json()["error"]) == {"code", "message"}
    assert "\n" not in answer.json()["error"]["message"]
    assert service.ingest.taken == []


def test_the_largest_allowed_bodies_are_taken(service):
    """The bounds belong to the allowed side."""
    plain, packed = b"x" * LIMITS.max_body, gzip.compress(bytes(LIMITS.max_body_decompressed))

    assert service.post("/v1/labels", content=plain).status_code == 200
    assert service.post("/v1/labels", content=packed, headers={"Content-Encoding": "gzip"}).status_code == 200
    assert [len(body) for _, body in service.ingest.taken] == [LIMITS.max_body, LIMITS.max_body_decompressed]


def test_a_large_body_is_refused_by_its_declared_length(service):
    """Not one byte of it is read."""
    read = []

    async def body():
        read.append(1)
        yield b"x"

    answer = service.post("/v1/labels", content=body(), headers={"Content-Length": str(LIMITS.max_body + 1)})

    assert answer.status_code == 413
    assert read == []


def test_a_large_body_without_a_length_is_refused_while_it_streams(service):
    """A chunked body is cut off at the bound, not read to its end."""
    chunks = []

    async def body():
        for _ in range(100):
            chunks.append(1)
            yield b"x" * 500

    answer = asyncio.run(_post_stream(service, body))

    assert answer == 413
    assert len(chunks) < 10


def test_a_body_that_never_ends_is_given_up(service):
    """A sender that stops half-way does not hold its share of the memory for ever."""

    async def body():
        yield EVENT
        await asyncio.Event().wait()

    assert asyncio.run(_post_stream(service, body)) == 408
    assert service.post("/v1/labels", content=b"x" * LIMITS.max_body).status_code == 200


def test_a_client_that_goes_away_leaves_nothing(service):
    """Half a body is not handed over, and the disconnection is no bug of ours."""

    async def receive():
        return {"type": "http.disconnect"}

    assert asyncio.run(_drive(service, receive)) == 400
    assert service.ingest.taken == []


async def _post_stream(service: Service, body) -> int:
    """Send chunk by chunk, as a server would, which httpx's transport does not do."""
    chunks = body()

    async def receive():
        chunk = await anext(chunks, b"")
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    status = await _drive(service, receive)
    await chunks.aclose()
    return status


async def _drive(service: Service, receive) -> int:
    """Post to /v1/labels over bare ASGI and give the status of the answer."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/v1/labels", "raw_path": b"/v1/labels", "query_string": b"", "root_path": "", "headers": [],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip
    await service.app(scope, receive, send)
    return sent[0]["status"]


def test_a_busy_service_asks_to_wait(service):
    """503 with Retry-After, and nothing was taken."""
    service.ingest.error = Busy(7)

    answer = service.post("/v1/predictions", content=EVENT)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "7"
    assert answer.json()["error"]["code"] == "busy"


def test_a_broken_disk_is_said(service):
    """503 with the one line that the store gives."""
    service.ingest.error = StateError("state.path: no space left on the device")

    answer = service.post("/v1/predictions", content=EVENT)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json() == {
        "error": {"code": "state_unavailable", "message": "state.path: no space left on the device"}
    }


def test_a_bug_is_answered_without_its_text(service):
    """500, and the log is where the details are."""
    service.ingest.error = RuntimeError("secret detail")

    answer = service.post("/v1/predictions", content=EVENT)

    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "secret" not in answer.text


def test_bodies_together_have_a_bound(service):
    """While two bodies wait for a slow disk a third is asked to come again; afterwards there is room."""
    entered, release = threading.Semaphore(0), threading.Event()

    def accept(stream: Stream, body: bytes, *, key: str) -> Receipt:
        entered.release()
        assert release.wait(10)
        return Receipt(1, ())

    service.ingest.accept = accept
    body = b"x" * (LIMITS.max_arriving // 2)

    async def run():
        transport = httpx.ASGITransport(service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://driftwatch") as client:
            first = [asyncio.create_task(client.post("/v1/labels", content=body)) for _ in range(2)]
            for _ in first:
                assert await asyncio.to_thread(entered.acquire, timeout=10)
            refused = await client.post("/v1/labels", content=body)
            healthy = await client.get("/-/healthy")
            release.set()
            taken = await asyncio.gather(*first)
            after = await client.post("/v1/labels", content=body)
        return [answer.status_code for answer in (*taken, refused, healthy, after)]

    assert asyncio.run(run()) == [200, 200, 503, 200, 200]


@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=20), coding=st.sampled_from(sorted(PACK)))
def test_members_add_up(parts, coding):
    """Any number of members, empty ones too, unpack to their concatenation."""
    plain = b"".join(parts)
    packed = b"".join(map(PACK[coding], parts))

    if plain:
        assert unpack(packed, coding, limit=len(plain)) == plain
        with pytest.raises(Fault, match="once it is unpacked"):
            unpack(packed, coding, limit=len(plain) - 1)


@given(
    data=st.binary(min_size=1, max_size=2_000),
    coding=st.sampled_from(sorted(PACK)),
    cut=st.floats(0, 1, exclude_max=True),
)
def test_a_cut_body_is_never_taken_for_a_whole_one(data, coding, cut):
    """A sender that dies must not make half a body look like all of it."""
    packed = PACK[coding](data)
    short = packed[: max(1, int(len(packed) * cut))]

    with pytest.raises(Fault, match="cut short"):
        unpack(short, coding, limit=10_000)


@pytest.mark.parametrize("coding", sorted(PACK))
def test_a_body_of_empty_members_is_refused(coding):
    """Each member costs a decoder: a megabyte of empty ones must not buy seconds."""
    with pytest.raises(Fault) as refused:
        unpack(PACK[coding](b"") * 10_001, coding, limit=1_000)

    assert refused.value.status == 400


@pytest.mark.parametrize("coding", sorted(PACK))
def test_large_bodies_survive_the_pieces(coding):
    """Data that does not compress passes through in many pieces unchanged."""
    data = os.urandom(300_000)

    assert unpack(PACK[coding](data), coding, limit=len(data)) == data
