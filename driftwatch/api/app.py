"""The application: every route in one place, over ports only. It holds no state and decides nothing."""

from collections.abc import Callable

from fastapi import FastAPI

from driftwatch.api import faults
from driftwatch.api.health import health_routes
from driftwatch.api.hooks import hook_routes
from driftwatch.api.ingest import Limits, ingest_routes
from driftwatch.api.mlflow_spec import MlflowSpec
from driftwatch.api.operations import Desk, alert_routes, delivery_routes
from driftwatch.api.page import page_routes
from driftwatch.api.query import query_routes
from driftwatch.api.refusals import Refusals
from driftwatch.api.retrained import operator_routes
from driftwatch.api.silencing import silence_routes
from driftwatch.ports.answers import History, Ingest, Overview
from driftwatch.ports.operator import Operator
from driftwatch.ports.streams import Clock


def create_app(
    *,
    ingest: Ingest,
    history: History,
    overview: Overview,
    limits: Limits,
    version: str,
    refusals: Refusals | None = None,
) -> FastAPI:
    """Make the HTTP API. The ports are called in worker threads; only /-/healthy is answered on the loop itself.

    There is no page of documentation, because it would load scripts from elsewhere; /openapi.json describes all.
    """
    app = FastAPI(
        title="driftwatch",
        version=version,
        description="Watches machine-learning models in production: send events, read reports and alerts.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    faults.install(app, refusals or Refusals())
    app.include_router(ingest_routes(ingest, limits=limits))
    app.include_router(query_routes(history=history, overview=overview))
    app.include_router(health_routes(overview))
    app.include_router(page_routes(history=history, overview=overview))
    return app


def add_operations(app: FastAPI, desk: Desk) -> None:
    """Add the doors by which people operate the service."""
    app.include_router(alert_routes(desk))
    app.include_router(delivery_routes(desk))
    app.include_router(silence_routes(desk.silences, clock=desk.clock))


def add_operator(
    app: FastAPI, operator: Operator, *, clock: Clock, mlflow: MlflowSpec | None, secret: Callable[[], str]
) -> None:
    """Add the doors by which the engine is told of models. secret: reads that of MLflow's webhooks."""
    app.include_router(operator_routes(operator, clock=clock))
    app.include_router(hook_routes(mlflow, operator, secret=secret, clock=clock))
