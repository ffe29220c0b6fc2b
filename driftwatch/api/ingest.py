"""POST /v1/predictions and /v1/labels: bytes in, a receipt out once they are durable.

A sender that got no answer posts again: with the same `Idempotency-Key` it gets the receipt of the first time, and
nothing is stored twice (the header is that of draft-ietf-httpapi-idempotency-key-header-07).
"""

import re
from dataclasses import dataclass
from itertools import islice

import anyio
import anyio.to_thread
import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from driftwatch.api.body import Room, check_encoding, read_body, unpack
from driftwatch.api.faults import Fault, Json, documented
from driftwatch.ports.answers import Ingest, Receipt
from driftwatch.stream.raw import Stream

_THREADS = 2
"""Bodies that are unpacked and stored at once; more wait, so that memory and the queries' threads stay free."""

_REFUSALS = 1_000
"""Refusals of a receipt that are objects at a time: a body may have tens of thousands, each six times its text."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")

_FORMS = (
    "One JSON object, a JSON array of objects, newline-delimited objects, or one columnar batch "
    '`{"model": …, "columns": {"id": […], "time": […], "features.amount": […]}}`. '
    "`Content-Encoding` may be gzip or zstd."
)
_BODY = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "description": "The same key with the same body gives the same receipt, and stores nothing again.",
        }
    ],
    "requestBody": {
        "required": True,
        "description": _FORMS,
        "content": {"application/json": {"schema": {}}, "application/x-ndjson": {"schema": {"type": "string"}}},
    },
}
_FAULTS = documented(
    s400="The body is empty, or is not packed as Content-Encoding says; or the Idempotency-Key cannot be read.",
    s408="The body did not arrive in time.",
    s413="The body is too large, as sent or once unpacked, or holds too many events or values.",
    s415="The Content-Encoding is not supported.",
    s422="The Idempotency-Key was used before, with another body.",
    s503="Nothing was taken; try again after Retry-After seconds.",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes: of one request as sent and as unpacked, and of all requests together while they arrive.

    body_seconds: for a body to arrive.
    """

    max_body: int
    max_body_decompressed: int
    max_arriving: int
    body_seconds: float = 60.0


class RejectedEvent(BaseModel):
    """One event that was refused: its place among the body's events, and why."""

    index: int
    reason: str


class Accepted(BaseModel):
    """What became of a body's events. The accepted ones are durable."""

    accepted: int
    rejected: list[RejectedEvent]


def ingest_routes(ingest: Ingest, *, limits: Limits) -> APIRouter:
    """Make the two doors for events."""
    router = APIRouter(tags=["ingest"])
    room = Room(limits.max_arriving)
    limiter = anyio.CapacityLimiter(_THREADS)

    async def take(stream: Stream, request: Request) -> Response:
        encoding = check_encoding(request.headers.get("content-encoding", ""))
        key = _key(request.headers.getlist("idempotency-key"))
        with room.share() as share:
            body = await read_body(request, share, limit=limits.max_body, seconds=limits.body_seconds)

            def accept() -> bytes:
                plain = unpack(body, encoding, limit=limits.max_body_decompressed)
                return _document(ingest.accept(stream, plain, key=key))

            document = await anyio.to_thread.run_sync(accept, limiter=limiter)
        return Response(document, media_type=Json.media_type)

    @router.post("/v1/predictions", response_model=Accepted, responses=_FAULTS, openapi_extra=_BODY)
    async def post_predictions(request: Request) -> Response:
        """Take prediction events; 200 means that the accepted ones are on disk."""
        return await take(Stream.PREDICTIONS, request)

    @router.post("/v1/labels", response_model=Accepted, responses=_FAULTS, openapi_extra=_BODY)
    async def post_labels(request: Request) -> Response:
        """Take label events; 200 means that the accepted ones are on disk."""
        return await take(Stream.LABELS, request)

    return router


def _key(given: list[str]) -> str:
    """Read the Idempotency-Key, "" for none; quotes around it, as structured headers have them, are no part of it."""
    if not given:
        return ""
    key = given[0].strip()
    key = key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
    if len(given) > 1 or not _KEY.fullmatch(key):
        text = "Idempotency-Key: send one, of 1 to 255 visible ASCII characters"
        raise Fault(400, "bad_idempotency_key", text)
    return key


def _document(receipt: Receipt) -> bytes:
    """Write a receipt as JSON."""
    refusals = iter(receipt.rejected)
    texts = []
    while some := list(islice(refusals, _REFUSALS)):
        listed = [{"index": index, "reason": reason} for index, reason in some]
        texts.append(msgspec.json.encode(listed).removeprefix(b"[").removesuffix(b"]"))
    return b'{"accepted":%d,"rejected":[%b]}' % (receipt.accepted, b",".join(texts))
