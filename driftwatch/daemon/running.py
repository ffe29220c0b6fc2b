"""The service as a process: signals, and the exit code."""

import signal
import threading
from collections.abc import Callable
from types import FrameType

import structlog

from driftwatch.daemon.service import Service

_log = structlog.get_logger()


def run_until_stopped(service: Service) -> int:
    """Start, wait for SIGTERM, SIGINT or the engine's end, stop; 0 after a clean stop, 1 after a bug."""
    asked = threading.Event()

    def ask(number: int, _: FrameType | None) -> None:
        _log.info("stopping", signal=signal.Signals(number).name)
        asked.set()

    def stay(_number: int, _frame: FrameType | None) -> None:
        # Whoever sends it expects a new configuration; to end, as the system would have it, would be a surprise.
        _log.warning("reload_not_supported", what="this release reads its configuration at the start only; restart it")

    threads: list[threading.ExceptHookArgs] = []

    def fail(thrown: threading.ExceptHookArgs, /) -> None:
        threads.append(thrown)
        name = thrown.thread.name if thrown.thread else "?"
        _log.error("thread_failed", thread=name, exc_info=thrown.exc_value)
        asked.set()

    hook, threading.excepthook = threading.excepthook, fail  # a thread that dies of a bug ends the process
    handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {
        signal.SIGTERM: ask,
        signal.SIGINT: ask,
        signal.SIGHUP: stay,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        try:
            service.start()
            # Waiting in slices lets the main thread take signals on every platform.
            while not asked.wait(0.5) and not service.engine.ended.is_set():
                pass
        finally:
            clean = service.stop()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        threading.excepthook = hook
    return 0 if clean and not threads and service.engine.failure is None else 1
