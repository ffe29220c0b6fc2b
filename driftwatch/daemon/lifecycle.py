"""What was started is stopped in reverse order, each step by its name, one failure never hiding the next."""

from collections.abc import Callable

import structlog

_log = structlog.get_logger()


class Lifecycle:
    """A stack of named things to stop."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Callable[[], object]]] = []

    def push(self, name: str, stop: Callable[[], object]) -> None:
        """Remember how to stop what has just been started."""
        self._steps.append((name, stop))

    def stop(self) -> bool:
        """Stop everything, last first; whether all of it went well. A second time does nothing."""
        well = True
        while self._steps:
            name, stop = self._steps.pop()
            try:
                if stop() is False:  # what a step says when it took too long; nothing is lost by that
                    _log.warning("stop_timed_out", what=name)
            except Exception:  # noqa: BLE001 - whatever went wrong, the rest must still be stopped; it is logged whole
                well = False
                _log.exception("stop_failed", what=name)
        return well
