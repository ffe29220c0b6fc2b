"""POST /v1/predictions and /v1/labels: bytes in, a receipt out once they are durable."""

from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel

from driftwatch.api.body import Room, check_encoding, read_body, unpack
from driftwatch.api.faults import Json, documented
from driftwatch.ports import Ingest, Receipt
from driftwatch.stream.raw import Stream

_THREADS = 4
"""Bodies that are unpacked and stored at once; more wait, so that memory and the queries' threads stay free."""

_FORMS = (
    "One JSON object, a JSON array of objects, newline-delimited objects, or one columnar batch "
    '`{"model": …, "columns": {"id": […], "time": […], "features.amount": […]}}`. '
    "`Content-Encoding` may be gzip or zstd."
)
_BODY = {
    "requestBody": {
        "required": True,
        "description": _FORMS,
        "content": {"application/json": {"schema": {}}, "application/x-ndjson": {"schema": {"type": "string"}}},
    }
}
_FAULTS = documented(
    s400="The body is empty, or is not packed as Content-Encoding says.",
    s413="The body is too large, as sent or once unpacked.",
    s415="The Content-Encoding is not supported.",
    s503="Nothing was taken; try again after Retry-After seconds.",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes: of one request as sent and as unpacked, and of all requests together while they arrive."""

    max_body: int
    max_body_decompressed: int
    max_arriving: int


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

    async def take(stream: Stream, request: Request) -> Json:
        encoding = check_encoding(request.headers.get("content-encoding", ""))
        with room.share() as share:
            body = await read_body(request, share, limit=limits.max_body)

            def accept() -> Receipt:
                return ingest.accept(stream, unpack(body, encoding, limit=limits.max_body_decompressed))

            return Json(_document(await anyio.to_thread.run_sync(accept, limiter=limiter)))

    @router.post("/v1/predictions", response_model=Accepted, responses=_FAULTS, openapi_extra=_BODY)
    async def post_predictions(request: Request) -> Json:
        """Take prediction events; 200 means that the accepted ones are on disk."""
        return await take(Stream.PREDICTIONS, request)

    @router.post("/v1/labels", response_model=Accepted, responses=_FAULTS, openapi_extra=_BODY)
    async def post_labels(request: Request) -> Json:
        """Take label events; 200 means that the accepted ones are on disk."""
        return await take(Stream.LABELS, request)

    return router


def _document(receipt: Receipt) -> dict[str, Any]:
    rejected = [{"index": index, "reason": reason} for index, reason in receipt.rejected]
    return {"accepted": receipt.accepted, "rejected": rejected}
