"""/api/v1/silences: what people do not want to hear of, for how long, and why."""

from typing import Annotated, Any, Literal, Self

import structlog
from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from driftwatch.api.faults import Fault, Json, documented
from driftwatch.api.query import Listing, moment_ms
from driftwatch.api.spoken import Author, Comment, described, spoken
from driftwatch.evaluation.report import rfc3339
from driftwatch.evaluation.silences import (
    Matcher,
    Operator,
    Silence,
    SilenceState,
    check_matchers,
    read_matcher,
)
from driftwatch.ports.operations import Silences
from driftwatch.ports.streams import Clock
from driftwatch.spec import duration_ms

_FAULTS = documented(
    s400="The body cannot be read, or is no silence.",
    s404="There is no such silence.",
    s503="The state cannot be read or written now.",
)
_log = structlog.get_logger()


class MatcherForm(BaseModel):
    """One condition on one label of an alert."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    operator: Literal["=", "!=", "=~", "!~"] = "="
    value: str


class SilenceForm(BaseModel):
    """A silence that is wanted; from now on where `starts` is left out, until `ends` or for `duration`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    matchers: Annotated[list[str | MatcherForm], Field(description='All of them must fit; also as `rule="drift"`.')]
    author: Author
    comment: Comment = ""
    starts: Annotated[str | None, AfterValidator(lambda text: text and str(moment_ms(text)))] = None
    ends: Annotated[str | None, AfterValidator(lambda text: text and str(moment_ms(text)))] = None
    duration: Annotated[str | None, AfterValidator(lambda text: text and str(duration_ms(text)))] = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.ends is None) == (self.duration is None):
            raise ValueError("say when it ends: ends or duration")
        check_matchers(self.read())
        return self

    def read(self) -> tuple[Matcher, ...]:
        """Give the matchers; ValueError when one is none."""
        return tuple(
            read_matcher(each) if isinstance(each, str) else Matcher(each.name, Operator(each.operator), each.value)
            for each in self.matchers
        )

    def silence(self, now_ms: int) -> Silence:
        """Give the silence, without a name. Raises Fault 400 when it would never be active."""
        starts_ms = int(self.starts or now_ms)
        ends_ms = int(self.ends) if self.ends else starts_ms + int(self.duration or 0)
        if ends_ms <= max(starts_ms, now_ms):
            raise Fault(400, "bad_request", "it would end before it begins, or has ended already")
        return Silence("", self.read(), self.author, self.comment, starts_ms, ends_ms, now_ms)


class SilenceFilters(BaseModel):
    """Filters of silences."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Annotated[SilenceState | None, Field(description="Only silences in this state.")] = None


def silence_routes(silences: Silences, *, clock: Clock) -> APIRouter:
    """Make the doors for silences."""
    router = APIRouter(prefix="/api/v1/silences", tags=["operate"])

    @router.get("", response_model=Listing, responses=_FAULTS)
    def silences_listed(filters: Annotated[SilenceFilters, Query()]) -> Json:
        """List silences with their present state, the newest first."""
        now_ms = clock()
        shown = [silence_document(each, now_ms=now_ms) for each in silences.every()]
        return Json({"items": [each for each in shown if filters.state in {None, each["state"]}], "next": None})

    @router.post("", responses=_FAULTS, openapi_extra=described(SilenceForm))
    def silence_added(form: Annotated[SilenceForm, Depends(spoken(SilenceForm))]) -> Json:
        """Silence what all of the matchers fit; 200 means that it is durable, and holds for what comes from now on."""
        now_ms = clock()
        silence = silences.add(form.silence(now_ms))
        _log.info("silence_added", silence=silence.id, matchers=[str(each) for each in silence.matchers],
                  author=silence.author, comment=silence.comment, ends=rfc3339(silence.ends_ms))  # fmt: skip
        return Json(silence_document(silence, now_ms=now_ms))

    @router.delete("/{silence}", responses=_FAULTS)
    def silence_expired(silence: str) -> Json:
        """End a silence now; what waits for its end is looked at again."""
        now_ms = clock()
        ended = silences.expire(silence, now_ms=now_ms)
        if ended is None:
            raise Fault(404, "unknown_silence", f'there is no silence "{silence[:100]}"')
        _log.info("silence_expired", silence=ended.id)
        return Json(silence_document(ended, now_ms=now_ms))

    return router


def silence_document(silence: Silence, *, now_ms: int) -> dict[str, Any]:
    """Write a silence as it is listed."""
    return {
        "id": silence.id,
        "state": silence.state(now_ms).value,
        "matchers": [
            {"name": each.name, "operator": each.operator.value, "value": each.value} for each in silence.matchers
        ],
        "author": silence.author,
        "comment": silence.comment,
        "starts": rfc3339(silence.starts_ms),
        "ends": rfc3339(silence.ends_ms),
        "created": rfc3339(silence.created_ms),
    }
