"""What the engine is told over HTTP: a version was deployed, an alert is over, an incident is to be closed."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from driftwatch.api.faults import Fault, Json, documented
from driftwatch.api.query import moment_ms
from driftwatch.api.spoken import Author, Said, described, spoken
from driftwatch.evaluation.report import rfc3339
from driftwatch.ports.operator import Operator
from driftwatch.ports.streams import Clock
from driftwatch.stream.operations import Closed, Deployed, Resolved

_FAULTS = documented(
    s400="The body cannot be read.",
    s404="There is no such model, or no such alert or incident that is open.",
    s503="Nothing was taken; try again after Retry-After seconds.",
)
_Version = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Retrained(BaseModel):
    """Which version serves now, as events call it, since when, and who says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: _Version
    time: Annotated[str, AfterValidator(lambda text: str(moment_ms(text)))] | None = None
    author: Author | None = None


_Retrained = Annotated[Retrained, Depends(spoken(Retrained))]
_Said = Annotated[Said, Depends(spoken(Said))]


def operator_routes(operator: Operator, *, clock: Clock) -> APIRouter:
    """Make the doors. 200 means that it is durable; the engine hears it within moments."""
    router = APIRouter(prefix="/api/v1", tags=["operate"])

    @router.post("/models/{model:path}/retrained", responses=_FAULTS, openapi_extra=described(Retrained))
    def retrained(model: str, said: _Retrained) -> Json:
        """Say that a version has been deployed: the model's open incident goes on with it."""
        if not operator.knows_model(model):
            raise Fault(404, "unknown_model", f'no model is called "{model}"')
        now_ms = clock()
        time_ms = now_ms if said.time is None else min(int(said.time), now_ms)
        operator.tell(Deployed(model, said.version, time_ms, said.author or "", "api"))
        return Json({"model": model, "version": said.version, "time": rfc3339(time_ms)})

    @router.post("/alerts/{alert}/resolve", responses=_FAULTS, openapi_extra=described(Said))
    def resolve(alert: str, said: _Said) -> Json:
        """End an alert that is pending or firing; another one begins should its rule be broken again."""
        if not operator.alert_stands(alert):
            raise Fault(404, "unknown_alert", f'no alert of the id "{alert}" is pending or firing')
        operator.tell(Resolved(alert, said.author, said.comment))
        return Json({"id": alert, "resolved": {"author": said.author, "comment": said.comment}})

    @router.post("/incidents/{incident}/close", responses=_FAULTS, openapi_extra=described(Said))
    def close(incident: str, said: _Said) -> Json:
        """Follow an incident no more: the next alert begins a new one, and may ask for retraining again."""
        if not operator.incident_is_open(incident):
            raise Fault(404, "unknown_incident", f'no incident of the id "{incident}" is open')
        operator.tell(Closed(incident, said.author, said.comment))
        return Json({"id": incident, "closed": {"author": said.author, "comment": said.comment}})

    return router
