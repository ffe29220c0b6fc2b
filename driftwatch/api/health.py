"""GET /-/healthy, /-/ready and /metrics: what machines ask."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from driftwatch.api.faults import documented
from driftwatch.ports.answers import Overview

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def health_routes(overview: Overview) -> APIRouter:
    """Make the doors for probes and scrapes."""
    router = APIRouter(tags=["health"], default_response_class=PlainTextResponse)

    @router.head("/-/healthy", include_in_schema=False)
    @router.get("/-/healthy")
    async def healthy() -> PlainTextResponse:
        """Say that the process serves; needs no thread, no disk, no Kafka and no target."""
        return PlainTextResponse("driftwatch is healthy\n")

    @router.head("/-/ready", include_in_schema=False)
    @router.get("/-/ready", responses={503: {"description": "Not ready, and why."}})
    def ready() -> PlainTextResponse:
        """Say whether events are taken and judged, and why not."""
        serves, reason = overview.ready()
        if serves:
            return PlainTextResponse("driftwatch is ready\n")
        return PlainTextResponse(f"driftwatch is not ready: {reason}\n", status_code=503)

    @router.get("/metrics", responses=documented(s500="The metrics could not be written."))
    def metrics(request: Request) -> Response:
        """Give all metrics, as OpenMetrics where the Accept header asks for it and as Prometheus text otherwise."""
        openmetrics = wants_openmetrics(request.headers.get("accept", ""))
        body = overview.metrics(openmetrics=openmetrics)
        return Response(body, headers={"Content-Type": OPENMETRICS_TYPE if openmetrics else TEXT_TYPE})

    return router


def wants_openmetrics(accept: str) -> bool:
    """Decide by an Accept header (RFC 9110 §12.5.1): OpenMetrics must be named, and not be liked less than text."""
    liking = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for entry in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        if kind in liking:
            liking[kind] = max(liking[kind], _quality(parameters))
    return liking["application/openmetrics-text"] > 0 and liking["application/openmetrics-text"] >= liking["text/plain"]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
