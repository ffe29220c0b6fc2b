"""What went wrong with a request, and its one form on the wire: {"error": {"code", "message"}}."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from driftwatch.api.refusals import Refusals
from driftwatch.errors import DataError, StateError
from driftwatch.ports.answers import Busy

RETRY_STATE_SECONDS = 5
"""A disk that is full or fails is rarely well again sooner."""


class Json(Response):
    """A JSON answer; what is not a number becomes null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the content."""
        return msgspec.json.encode(content)


class Fault(Exception):  # noqa: N818 - an answer, not an error of ours
    """An answer other than success. code: a word for programs; message: one line for people."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


class ErrorBody(BaseModel):
    """What went wrong: a word for programs and a line for people."""

    code: str
    message: str


class ErrorDocument(BaseModel):
    """The form of every error."""

    error: ErrorBody


def answer(fault: Fault) -> Json:
    """Write a fault as every error is written."""
    document = {"error": {"code": fault.code, "message": fault.message}}
    return Json(document, status_code=fault.status, headers=dict(fault.headers or {}))


def documented(**faults: str) -> dict[int | str, dict[str, Any]]:
    """Describe a route's errors for OpenAPI: status, such as `s404`, and when it comes."""
    described: dict[int | str, dict[str, Any]] = {
        int(status.removeprefix("s")): {"model": ErrorDocument, "description": text} for status, text in faults.items()
    }
    # A declared "4XX" keeps the framework from declaring a 422 of a form that is never sent.
    return {**described, "4XX": {"model": ErrorDocument, "description": "Any other fault of the request."}}


def fault_of(error: Exception) -> Fault:
    """Decide how an exception is answered. One that is not listed is a bug: 500, without a word of its text."""
    fault = Fault(500, "internal", "this is a bug in driftwatch; its log has the details")
    match error:
        case Fault():
            fault = error
        case Busy():
            text = f"too much is waiting to be read; try again in {error.retry_after_seconds} s"
            fault = Fault(503, "busy", text, headers={"Retry-After": str(error.retry_after_seconds)})
        case HTTPException():
            code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
            fault = Fault(error.status_code, code, error.detail, headers=error.headers)
        case RequestValidationError():
            first = error.errors()[0]
            fault = Fault(400, "bad_filter", f'filter "{first["loc"][-1]}": {first["msg"]}')
        case DataError():
            fault = Fault(400, "bad_request", str(error))
        case StateError():
            fault = Fault(503, "state_unavailable", str(error), headers={"Retry-After": str(RETRY_STATE_SECONDS)})
        case ClientDisconnect():
            fault = Fault(400, "disconnected", "the client went away before its request was read")
    return fault


_ANSWERED = (Fault, Busy, HTTPException, RequestValidationError, DataError, StateError, ClientDisconnect)


def install(app: FastAPI, refusals: Refusals) -> None:
    """Answer every exception that leaves a route, and count what bounds refused.

    One that is no fault is answered, and raised again for the log.
    """

    async def handle(_: Request, error: Exception) -> Response:
        fault = fault_of(error)
        refusals.add_code(fault.code)
        return answer(fault)

    for kind in (*_ANSWERED, Exception):
        app.add_exception_handler(kind, handle)
