"""POST /v1/hooks/mlflow: the webhooks of an MLflow registry, verified.

The signature is `v1,` and the base64 of HMAC-SHA256 over `delivery_id.timestamp.body` with the secret's UTF-8 bytes
(MLflow 3, `mlflow/webhooks/delivery.py`). A delivery that comes again is answered as the first time and does nothing.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, NamedTuple

import anyio.to_thread
import msgspec
import structlog
from fastapi import APIRouter, Request

from driftwatch.api.body import Room, read_body
from driftwatch.api.faults import Fault, Json, documented
from driftwatch.api.mlflow_spec import MlflowSpec
from driftwatch.errors import SinkError
from driftwatch.ports.operator import Operator
from driftwatch.ports.streams import Clock
from driftwatch.stream.operations import Deployed

_MAX_BODY, _SECONDS, _ARRIVING = 1 << 20, 10.0, 4 << 20
_MAX_ID = 200
_FAULTS = documented(
    s400="The body is not what MLflow sends.",
    s401="The signature does not fit, or is too old.",
    s404="No [hooks.mlflow] is configured.",
    s503="Nothing was taken; try again after Retry-After seconds.",
)
_log = structlog.get_logger()


class _Data(msgspec.Struct):
    name: str = ""
    alias: str = ""
    version: str = ""


class _Signed(NamedTuple):
    body: bytes
    delivery: str
    stamp: str
    signature: str


class _Event(msgspec.Struct):
    entity: str
    action: str
    data: _Data


def hook_routes(spec: MlflowSpec | None, operator: Operator, *, secret: Callable[[], str], clock: Clock) -> APIRouter:
    """Make the door. secret: reads it, at every request, so that it may be rotated."""
    router = APIRouter(tags=["hooks"])
    room = Room(_ARRIVING)

    @router.post("/v1/hooks/mlflow", responses=_FAULTS)
    async def mlflow(request: Request) -> Json:
        """Take a webhook of a registry; moving the configured alias deploys the version that it moves to."""
        if spec is None:
            raise Fault(404, "no_hook", "this service expects no webhooks of MLflow; configure [hooks.mlflow]")
        with room.share() as share:
            body = await read_body(request, share, limit=_MAX_BODY, seconds=_SECONDS)
        headers = request.headers
        said = _Signed(
            body,
            headers.get("x-mlflow-delivery-id", ""),
            headers.get("x-mlflow-timestamp", ""),
            headers.get("x-mlflow-signature", ""),
        )

        def take() -> dict[str, Any]:
            _verify(said, secret=secret(), tolerance_ms=spec.tolerance, now_ms=clock())
            return _heard(spec, operator, _read(body), delivery=said.delivery, now_ms=clock())

        try:
            return Json(await anyio.to_thread.run_sync(take))
        except SinkError as error:
            _log.error("hook_secret_unreadable", error=str(error))
            raise Fault(503, "no_secret", "the secret of this hook cannot be read; see the log") from None

    return router


def mlflow_signature(body: bytes, *, delivery: str, stamp: str, secret: str) -> str:
    """What MLflow signs a delivery with."""
    signed = b".".join((delivery.encode(), stamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def _verify(said: _Signed, *, secret: str, tolerance_ms: int, now_ms: int) -> None:
    if not said.delivery.isascii() or not 0 < len(said.delivery) <= _MAX_ID:
        raise Fault(401, "bad_signature", "X-MLflow-Delivery-Id is missing or too long")
    expected = mlflow_signature(said.body, delivery=said.delivery, stamp=said.stamp, secret=secret)
    if not hmac.compare_digest(expected.encode(), said.signature.encode()):
        raise Fault(401, "bad_signature", "X-MLflow-Signature does not fit; compare the secrets of both sides")
    if not said.stamp.isdecimal() or abs(now_ms - int(said.stamp) * 1000) > tolerance_ms:
        raise Fault(401, "too_old", "X-MLflow-Timestamp is too far from this machine's time")


def _read(body: bytes) -> _Event:
    try:
        return msgspec.json.decode(body, type=_Event, strict=False)
    except msgspec.DecodeError as error:
        raise Fault(400, "bad_request", f"the body is no webhook of MLflow: {error}") from None


def _heard(spec: MlflowSpec, operator: Operator, event: _Event, *, delivery: str, now_ms: int) -> dict[str, Any]:
    """Tell the operator of a deployment; everything else is acknowledged, so that MLflow does not send it again."""
    data, model = event.data, spec.models.get(event.data.name)
    moved = (event.entity, event.action) == ("model_version_alias", "created") and data.alias == spec.alias
    if not moved or model is None or not data.version:
        return {"heard": False}
    new = operator.tell(Deployed(model, data.version, now_ms, "", "mlflow"), key=f"mlflow {delivery}")
    _log.info("mlflow_alias_moved", model=model, version=data.version, alias=data.alias, new=new)
    return {"heard": True, "model": model, "version": data.version}
