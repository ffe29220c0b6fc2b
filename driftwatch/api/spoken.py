"""What a person says over HTTP: a small JSON body, read within bounds and checked."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from driftwatch.api.body import Room, read_body
from driftwatch.api.faults import Fault

MAX_BODY, _SECONDS = 64 << 10, 10.0
_ARRIVING = 4 << 20

Author = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]


class Said(BaseModel):
    """Who says it, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    author: Author
    comment: Comment = ""


Form = TypeVar("Form", bound=BaseModel)


def spoken(form: type[Form]) -> Callable[[Request], Awaitable[Form]]:
    """Make a dependency that reads a body of this form. It raises Fault 400, 408, 413 or 415.

    A page of another site cannot send it, because browsers ask before they send JSON elsewhere: so the type is
    insisted upon.
    """
    room = Room(_ARRIVING)

    async def read(request: Request) -> Form:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Fault(415, "unsupported_type", "send JSON, with Content-Type: application/json")
        with room.share() as share:
            body = await read_body(request, share, limit=MAX_BODY, seconds=_SECONDS)
        try:
            return form.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            words = first["msg"].removeprefix("Value error, ")
            raise Fault(400, "bad_request", f'"{where}": {words}' if where else words) from None

    return read


def described(form: type[BaseModel]) -> dict[str, Any]:
    """Describe a body for OpenAPI."""
    schema = form.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
