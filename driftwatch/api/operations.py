"""/api/v1/alerts/{id}/… and /api/v1/deliveries/…: what people decide about alerts and letters."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import structlog
from fastapi import APIRouter, Depends, Query

from driftwatch.api.faults import Fault, Json, documented
from driftwatch.api.spoken import Said, described, spoken
from driftwatch.evaluation.report import rfc3339
from driftwatch.ports.letters import Letter
from driftwatch.ports.operations import Acknowledgements, Decisions, Refused, Silences, Word
from driftwatch.ports.streams import Clock

_FAULTS = documented(
    s400="The body cannot be read.",
    s404="There is no such alert or delivery.",
    s409="It changes nothing, because of how things stand; the message says why.",
    s503="The state cannot be read or written now.",
)
_WORDS = {
    Refused.UNKNOWN: (404, "there is none of that id"),
    Refused.ENDED: (409, "the alert has ended"),
    Refused.NOTHING_WAITS: (409, "no request about this alert waits for approval"),
    Refused.EXPIRED: (409, "the request has waited for too long and has expired"),
    Refused.DECIDED: (409, "the opposite has been decided before"),
    Refused.UNDER_WAY: (409, "it is still to be delivered, or waits"),
    Refused.DROPPED: (409, "it was not to be sent"),
    Refused.OVERTAKEN: (409, "its target has heard meanwhile that the alerts have ended"),
}
_log = structlog.get_logger()
_Given = TypeVar("_Given")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where people's words are taken. wake: letters are to be delivered now. withheld: told of what was dropped."""

    silences: Silences
    acknowledgements: Acknowledgements
    decisions: Decisions
    clock: Clock
    wake: Callable[[], None]
    withheld: Callable[[Iterable[Letter]], None]


_Said = Annotated[Said, Depends(spoken(Said))]


def alert_routes(desk: Desk) -> APIRouter:
    """Make the doors for words about alerts."""
    router = APIRouter(prefix="/api/v1/alerts/{alert}", tags=["operate"])

    def post(path: str) -> Callable[[Callable[..., Json]], Callable[..., Json]]:
        return router.post(path, responses=_FAULTS, openapi_extra=described(Said))

    @post("/ack")
    def acknowledge(alert: str, said: _Said) -> Json:
        """Say that somebody takes care of an alert: it is not told again. The same again changes nothing."""
        given = desk.acknowledgements.acknowledge(alert, Word(said.author, said.comment), now_ms=desk.clock())
        known = _unless_refused(given)
        _log.info("alert_acknowledged", alert=alert, author=said.author, comment=said.comment)
        return Json(
            {"id": alert, "acknowledged": {"author": said.author, "comment": said.comment, "at": rfc3339(known.at_ms)}}
        )

    @post("/approve")
    def approve(alert: str, said: _Said) -> Json:
        """Send the requests about an alert that wait for approval; said again, it answers the same."""
        released = _unless_refused(desk.decisions.approve(alert, now_ms=desk.clock()))
        _log.info("request_approved", alert=alert, author=said.author, comment=said.comment,
                  webhook_ids=[letter.id for letter in released])  # fmt: skip
        desk.wake()
        return Json({"id": alert, "released": [_shown(letter) for letter in released]})

    @post("/reject")
    def reject(alert: str, said: _Said) -> Json:
        """Drop the requests about an alert that wait for approval; said again, it answers the same."""
        dropped = _unless_refused(desk.decisions.reject(alert, now_ms=desk.clock()))
        _log.info("request_rejected", alert=alert, author=said.author, comment=said.comment,
                  webhook_ids=[letter.id for letter in dropped])  # fmt: skip
        desk.withheld(dropped)
        return Json({"id": alert, "dropped": [_shown(letter) for letter in dropped]})

    return router


def delivery_routes(desk: Desk) -> APIRouter:
    """Make the doors for words about letters that were delivered or given up."""
    router = APIRouter(prefix="/api/v1/deliveries", tags=["operate"])
    target = Annotated[str, Query(description="Only those to this target.")]

    @router.post("/replay", responses=_FAULTS)
    def replay_dead(target: target = "", state: Literal["dead"] = "dead") -> Json:
        """Deliver all dead letters again, in their order; left out are those whose end the target has heard since."""
        replayed = desk.decisions.replay_dead(target, now_ms=desk.clock())
        _log.info("deliveries_replayed", target=target, state=state, count=len(replayed))
        desk.wake()
        return Json({"replayed": [_shown(letter) for letter in replayed]})

    @router.post("/{delivery}/replay", responses=_FAULTS)
    def replay(delivery: str) -> Json:
        """Deliver a dead or a delivered letter again, under the same webhook id and with all of its attempts."""
        letter = _unless_refused(desk.decisions.replay(delivery, now_ms=desk.clock()))
        _log.info("delivery_replayed", webhook_id=letter.id, target=letter.target)
        desk.wake()
        return Json({"replayed": [_shown(letter)]})

    @router.delete("", responses=_FAULTS)
    def purge(state: Literal["dead", "dropped"], target: target = "") -> Json:
        """Forget the dead, or the dropped, letters."""
        purged = desk.decisions.purge(state, target)
        _log.info("deliveries_purged", target=target, state=state, count=purged)
        return Json({"purged": purged})

    return router


def _unless_refused(given: _Given | Refused) -> _Given:
    if isinstance(given, Refused):
        status, words = _WORDS[given]
        raise Fault(status, given.value, words)
    return given


def _shown(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "target": letter.target,
        "type": letter.type,
        "state": letter.state,
        "hold": letter.hold,
        "alert": letter.alert_id,
        "alerts": letter.alerts,
        "incident": letter.incident,
        "repeats": letter.repeats,
    }
