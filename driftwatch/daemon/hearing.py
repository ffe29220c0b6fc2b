"""What the engine does with operations that the inbox brings; each is heard exactly once."""

from collections.abc import Iterable, Iterator, Mapping

import structlog

from driftwatch.errors import DataError
from driftwatch.evaluation.by_hand import resolved_by_hand
from driftwatch.evaluation.casebook import Casebook
from driftwatch.evaluation.outcome import Outcome
from driftwatch.monitor import Monitor
from driftwatch.ports.streams import Clock
from driftwatch.sinks.board import Board
from driftwatch.stream.operations import Closed, Deployed, Resolved, read_operation

_log = structlog.get_logger()


def heard(
    records: Iterable[bytes], monitors: Mapping[str, Monitor], casebook: Casebook, *, board: Board, clock: Clock
) -> Iterator[Outcome]:
    """Do what each of them says; what comes of it is to be published like the outcome of a step."""
    for record in records:
        try:
            operation = read_operation(record)
        except DataError as error:  # of a newer release that ran before this one
            _log.error("operation_unreadable", error=str(error))
            continue
        match operation:
            case Deployed():
                _log.info("version_deployed", model=operation.model, version=operation.version,
                          author=operation.author, via=operation.via)  # fmt: skip
                casebook.deployed(operation.model, operation.version, at_ms=operation.time_ms)
            case Closed():
                was_open = casebook.closed(operation.incident, now_ms=clock())
                _log.info("incident_closed", incident=operation.incident, author=operation.author,
                          comment=operation.comment, was_open=was_open)  # fmt: skip
            case Resolved():
                yield from _resolved(operation, monitors, board)


def _resolved(operation: Resolved, monitors: Mapping[str, Monitor], board: Board) -> Iterator[Outcome]:
    last = board.picture.alerts.get(operation.alert)
    monitor = None if last is None else monitors.get(last.model)
    if last is None or monitor is None:  # it has ended meanwhile
        return
    monitor.memory.alerts, outcome = resolved_by_hand(monitor.memory.alerts, last)
    _log.info("alert_resolved_by_hand", alert=operation.alert, author=operation.author, comment=operation.comment)
    yield outcome
