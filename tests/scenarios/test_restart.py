"""A service that is stopped and started again goes on as if nothing had been."""

import itertools
from contextlib import contextmanager

import pytest

from tests.receiver import Receiver
from tests.scenarios import events, world
from tests.scenarios.journal import assert_same
from tests.scenarios.probe import WAIT_SECONDS, Metrics, post_all, running

# In order, so that no late row has changed the last window since its report; an alert is firing at their end.
IN_ORDER = events.calm_then_drifted(hours=5, drifted=range(2, 5))
SHOWN = (
    "drift_value", "drift_threshold", "drift_effect_lower", "drift_effect_upper", "drift_p_value", "drift_state",
    "window_rows", "window_end_timestamp_seconds", "watermark_timestamp_seconds", "alerts", "distribution_ratio",
)  # fmt: skip


@pytest.fixture
def targets(tmp_path):
    """A target that takes everything, and whoever listens there."""
    secret = tmp_path / "secret"
    secret.write_text("whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0", encoding="utf-8")
    with Receiver() as receiver:
        yield world.webhook(receiver.url, secret, actions=["retrain", "notify"]), receiver


@contextmanager
def delivered(path):
    """A service that is given the time to send what it has to send."""
    with running(path) as (service, probe):
        yield service, probe
        probe.wait(lambda: service.letters_waiting() == 0, "the last webhook")


def shown(metrics: Metrics) -> dict[str, list[tuple[dict[str, str], float]]]:
    """What dashboards show of the last window."""
    return {name: metrics.values(name) for name in SHOWN}


def test_a_clean_restart_changes_nothing(stream, configure, journal, targets):
    """Stopped twice in mid-stream: the same reports, alert steps and webhooks in the same order, each webhook once."""
    target, receiver = targets
    bodies = events.portions(stream.lines)
    with delivered(configure(targets=target, state="whole")) as (service, probe):
        post_all(probe, bodies)
        whole_metrics = probe.wait_counted(len(stream.lines))
        service.finish(timeout_seconds=WAIT_SECONDS)
    whole, whole_ids = journal.cut(), [request.headers["webhook-id"] for request in receiver.received]

    path, third = configure(targets=target, state="parts"), len(bodies) // 3
    for part in (bodies[:third], bodies[third : 2 * third], bodies[2 * third :]):
        with delivered(path) as (_, probe):
            post_all(probe, part)
    with delivered(path) as (service, probe):
        metrics = probe.wait_counted(len(stream.lines))
        service.finish(timeout_seconds=WAIT_SECONDS)
    ids = [request.headers["webhook-id"] for request in receiver.received[len(whole_ids) :]]

    assert_same(journal.documents(), whole.documents())
    assert [step.identity for step in journal.transitions] == [step.identity for step in whole.transitions]
    assert [letter.id for letter in journal.letters] == [letter.id for letter in whole.letters]
    assert len(whole_ids) == len(set(whole_ids)) == len(whole.letters) >= 8
    assert sorted(ids) == sorted(whole_ids)
    assert metrics.results() == whole_metrics.results() == stream.results()
    assert metrics.reasons() == whole_metrics.reasons()


def test_metrics_show_the_last_window_right_after_a_restart(configure):
    """A dashboard has no hole: readings, alerts, watermark and counters stand as they stood, before any event."""
    path = configure()
    with running(path) as (_, probe):
        post_all(probe, events.portions(IN_ORDER))
        before = probe.wait_counted(len(IN_ORDER))
    with running(path) as (_, probe):
        after = probe.metrics()
    assert shown(after) == shown(before)
    assert any(value == 2 for _, value in before.values("drift_state"))
    assert after.results() == before.results()
    assert after.reasons() == before.reasons()


def test_events_taken_before_a_stop_are_counted_after_it(stream, configure):
    """200 is a promise: whatever was not worked off yet waits on the disk."""
    path, lines = configure(), stream.lines[:300]
    with running(path) as (_, probe):
        post_all(probe, events.portions(lines, most=9))
    with running(path) as (_, probe):
        metrics = probe.wait_counted(len(lines))
    assert sum(metrics.results().values()) == len(lines)


def test_a_followed_file_goes_on_where_it_was(stream, expected, configure, journal, tmp_path):
    """Stopped and started while the file grows: every line is counted once."""
    data = tmp_path / "live.jsonl"
    path = configure(sources=world.files(data))
    cuts = [0, 900, 2_000, len(stream.lines)]
    for start, stop in itertools.pairwise(cuts):
        with data.open("ab") as file:
            file.write(b"\n".join(stream.lines[start:stop]) + b"\n")
        with running(path) as (service, probe):
            metrics = probe.wait_counted(stop)
            if stop == len(stream.lines):
                service.finish(timeout_seconds=WAIT_SECONDS)
    assert_same(journal.documents(), [report.document() for report in expected[0]])
    assert metrics.results() == stream.results()
