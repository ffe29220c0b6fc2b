"""Stopping in reverse order, whatever goes wrong."""

import structlog

from driftwatch.daemon.lifecycle import Lifecycle


def fail():
    raise OSError("the disk is gone")


def test_what_was_started_last_is_stopped_first():
    """Whoever gives is stopped before whoever takes; a second stop does nothing."""
    lifecycle, stopped = Lifecycle(), []
    for name in ("state", "engine", "source"):
        lifecycle.push(name, lambda name=name: stopped.append(name))
    assert lifecycle.stop()
    assert lifecycle.stop()
    assert stopped == ["source", "engine", "state"]


def test_one_failure_keeps_nothing_from_being_stopped():
    """It is logged by its name, and the answer says that not all went well."""
    lifecycle, stopped = Lifecycle(), []
    lifecycle.push("state", lambda: stopped.append("state"))
    lifecycle.push("source", fail)
    lifecycle.push("http", lambda: stopped.append("http"))
    with structlog.testing.capture_logs() as logs:
        assert not lifecycle.stop()
    assert stopped == ["http", "state"]
    assert [(log["event"], log["what"], log["log_level"]) for log in logs] == [("stop_failed", "source", "error")]


def test_a_step_that_took_too_long_is_named():
    """It is no failure: what was not worked off waits where it came from."""
    lifecycle = Lifecycle()
    lifecycle.push("engine", lambda: False)
    lifecycle.push("http", lambda: None)
    with structlog.testing.capture_logs() as logs:
        assert lifecycle.stop()
    assert [(log["event"], log["what"]) for log in logs] == [("stop_timed_out", "engine")]
