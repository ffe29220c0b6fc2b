"""GET /api/v1/…: what was reported, alerted and sent, page by page."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from driftwatch.api.faults import Fault, Json, documented
from driftwatch.evaluation.alerts import State
from driftwatch.evaluation.incidents import Phase
from driftwatch.ports import answers
from driftwatch.ports.answers import History, Overview

_FAULTS = documented(s400="A filter is unknown or its value is not allowed.", s503="The state cannot be read now.")
_MAX_MS = 253_402_300_799_999


def moment_ms(text: str) -> int:
    """Read RFC 3339 with an offset, or a number of milliseconds since the epoch. Raises ValueError on anything else."""
    if text.isascii() and text.isdigit() and int(text) <= _MAX_MS:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError('write a time with its offset, such as "2026-01-05T10:00:00Z", or epoch milliseconds')
    return round(moment.timestamp() * 1000)


Moment = Annotated[str, AfterValidator(lambda text: str(moment_ms(text)))]


class Filters(BaseModel):
    """What a listing may be narrowed to; a name that is not here is refused, because it would narrow nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, Field(description="Only this model.")] = ""
    version: Annotated[str | None, Field(description="Only this model version; empty means events without one.")] = None
    segment: Annotated[str | None, Field(description="Only this segment; empty means the rows of all segments.")] = None
    since: Annotated[Moment | None, Field(description="From this time on: RFC 3339 or epoch milliseconds.")] = None
    until: Annotated[Moment | None, Field(description="Before this time: RFC 3339 or epoch milliseconds.")] = None
    limit: Annotated[int, Field(ge=1, le=1000, description="Items on a page.")] = 100
    cursor: Annotated[str, Field(max_length=200, description="`next` of the page before.")] = ""


class ReportFilters(Filters):
    """Filters of reports; a report has no state, so that one has no effect."""

    state: Annotated[State | None, Field(description="Has no effect on reports.")] = None


class AlertFilters(Filters):
    """Filters of alerts."""

    state: Annotated[State | None, Field(description="Only alerts in this state.")] = None


class DeliveryFilters(Filters):
    """Filters of deliveries."""

    state: Annotated[
        Literal["pending", "delivered", "dead", "held", "dropped"] | None,
        Field(description="Only deliveries in this state."),
    ] = None


class IncidentFilters(Filters):
    """Filters of incidents; they are of no segment, so that one has no effect."""

    state: Annotated[Phase | None, Field(description="Only incidents in this state.")] = None


class ModelFilters(BaseModel):
    """Filters of models."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, Field(description="Only this model.")] = ""


class Listing(BaseModel):
    """One page; `next` is the cursor of the page that follows, null at the end."""

    items: list[dict[str, Any]]
    next: str | None


def query_routes(*, history: History, overview: Overview) -> APIRouter:
    """Make the doors for reading."""
    router = APIRouter(prefix="/api/v1", tags=["query"])

    def get(path: str) -> Callable[[Callable[..., Json]], Callable[..., Json]]:
        return router.get(path, response_model=Listing, responses=_FAULTS)

    @get("/reports")
    def reports(filters: Annotated[ReportFilters, Query()]) -> Json:
        """List reports, newest window first; of each window and cell the highest revision."""
        return _page(history.reports(_query(filters)))

    @get("/alerts")
    def alerts(filters: Annotated[AlertFilters, Query()]) -> Json:
        """List alert episodes with their present state, the latest begun first."""
        return _page(history.alerts(_query(filters, state=filters.state)))

    @get("/deliveries")
    def deliveries(filters: Annotated[DeliveryFilters, Query()]) -> Json:
        """List webhooks and how they fared, newest first."""
        return _page(history.deliveries(_query(filters, state=filters.state)))

    @get("/incidents")
    def incidents(filters: Annotated[IncidentFilters, Query()]) -> Json:
        """List incidents as they stand, the latest begun first; `since` and `until` are about when they began."""
        return _page(history.incidents(_query(filters, state=filters.state)))

    @get("/models")
    def models(filters: Annotated[ModelFilters, Query()]) -> Json:
        """List the models that are watched."""
        every = overview.models()
        return _page(answers.Page([one for one in every if filters.model in ("", one["name"])], ""))

    @get("/status")
    def status() -> Json:
        """Give one item: the running service itself."""
        return _page(answers.Page([overview.status()], ""))

    return router


def _query(filters: Filters, *, state: str | None = None) -> answers.Query:
    since_ms = None if filters.since is None else int(filters.since)
    until_ms = None if filters.until is None else int(filters.until)
    if since_ms is not None and until_ms is not None and since_ms > until_ms:
        raise Fault(400, "bad_filter", 'filter "since" is later than "until"')
    return answers.Query(
        model=filters.model,
        version=filters.version,
        segment=filters.segment,
        state="" if state is None else str(state),
        since_ms=since_ms,
        until_ms=until_ms,
        limit=filters.limit,
        cursor=filters.cursor,
    )


def _page(page: answers.Page) -> Json:
    return Json({"items": page.items, "next": page.next or None})
