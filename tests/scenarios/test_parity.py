"""The same events give the same reports, whichever way they come; and every one of them is accounted for."""

import itertools
import json
from collections.abc import Callable
from dataclasses import asdict

import pytest

from driftwatch.cli.app import app
from driftwatch.daemon.service import Service
from driftwatch.evaluation.alerts import State
from tests.scenarios import events, world
from tests.scenarios.events import Flow
from tests.scenarios.journal import assert_same, last_words
from tests.scenarios.probe import WAIT_SECONDS, Metrics, Probe, post_all, running


def drive(path, feed: Callable[[Service, Probe], None], count: int):
    """Run a service, feed it, let it count so many events and close every window; what it shows in the end."""
    with running(path) as (service, probe):
        feed(service, probe)
        metrics = probe.wait_counted(count)
        assert service.finish(timeout_seconds=WAIT_SECONDS)
        return metrics, probe.listing("reports"), probe.listing("alerts")


def check(stream: Flow, expected, journal, outcome, *, source: str) -> None:
    """The whole sequence of reports, the highest revisions over the API, the alerts, and the law of conservation."""
    reports, summary = expected
    metrics, listed, alerts = outcome
    documents = [report.document() for report in reports]
    assert_same(journal.documents(), documents)
    assert_same(last_words(listed), last_words(documents))
    assert_same(map(asdict, journal.transitions), map(asdict, summary.transitions))
    assert {alert["id"] for alert in alerts} == {step.alert_id for step in summary.transitions}
    check_conservation(stream, metrics, source=source)


def check_conservation(stream: Flow, metrics: Metrics, *, source: str) -> None:
    assert metrics.results(source=source) == stream.results()
    assert metrics.results() == stream.results()
    assert metrics.reasons() == stream.rejected


def test_the_stream_has_everything_in_it(stream, expected):
    """Late rows raise revisions, others come too late, drift fires and clears in both versions, values are missing."""
    reports, summary = expected
    assert {report.version for report in reports} == {"1", "2"}
    assert max(report.revision for report in reports) >= 2
    assert stream.late >= 5
    assert set(stream.rejected) == {reason for _, reason in events.MALFORMED}
    states = {(step.rule, step.version, step.state) for step in summary.transitions}
    assert {("shift", version, state) for version in "12" for state in (State.FIRING, State.RESOLVED)} <= states
    assert (summary.accepted, summary.late, summary.duplicate) == (stream.accepted, stream.late, stream.duplicate)
    assert summary.rejected == stream.rejected


def test_files_give_the_reports_of_a_replay(stream, expected, configure, journal, tmp_path):
    """A file that grows while it is followed, even in the middle of a line."""
    data = tmp_path / "live.jsonl"
    whole = b"\n".join(stream.lines) + b"\n"
    cuts = [0, len(whole) // 3, len(whole) // 2, len(whole)]

    def feed(_: Service, probe: Probe) -> None:
        for start, stop in itertools.pairwise(cuts):
            with data.open("ab") as file:
                file.write(whole[start:stop])
            probe.wait_counted(whole[:stop].count(b"\n"))

    outcome = drive(configure(sources=world.files(data)), feed, len(stream.lines))
    check(stream, expected, journal, outcome, source="files")


def test_http_gives_the_reports_of_a_replay(stream, expected, configure, journal):
    """Bodies of all sizes, from one event to hundreds; the receipts say the same as the counters do later."""
    accepted, reasons = [], []

    def feed(_: Service, probe: Probe) -> None:
        for body in events.portions(stream.lines):
            receipt = probe.post(body)
            accepted.append(receipt["accepted"])
            reasons.extend(refused["reason"] for refused in receipt["rejected"])

    outcome = drive(configure(), feed, len(stream.lines))
    check(stream, expected, journal, outcome, source="http")
    assert sum(accepted) == stream.accepted + stream.late + stream.duplicate
    assert sorted(reasons) == sorted(stream.rejected.elements())


@pytest.mark.kafka
def test_kafka_gives_the_reports_of_a_replay(stream, expected, configure, journal, kafka):
    """One record an event, in one partition."""
    topic = kafka.topic()

    def feed(_: Service, __: Probe) -> None:
        kafka.produce(topic, stream.lines)

    outcome = drive(configure(sources=world.kafka(kafka.bootstrap, topic, topic)), feed, len(stream.lines))
    check(stream, expected, journal, outcome, source="kafka")


def test_events_of_two_sources_are_counted_by_source(stream, configure, tmp_path):
    """Files and HTTP at once: each source's counts add up to what was sent to it."""
    data = tmp_path / "half.jsonl"
    half = len(stream.lines) // 2
    data.write_bytes(b"\n".join(stream.lines[:half]) + b"\n")
    with running(configure(sources=world.files(data) + world.HTTP)) as (_, probe):
        post_all(probe, events.portions(stream.lines[half:]))
        metrics = probe.wait_counted(len(stream.lines))
    assert sum(metrics.results(source="files").values()) == half
    assert sum(metrics.results(source="http").values()) == len(stream.lines) - half
    assert metrics.reasons() == stream.rejected


def test_the_replay_command_writes_the_same_reports(stream, expected, configure, tmp_path, capsys):
    """`driftwatch replay --report` writes one line a window: its last revision."""
    data, out = tmp_path / "events.jsonl", tmp_path / "reports.jsonl"
    data.write_bytes(b"\n".join(stream.lines) + b"\n")
    app(
        ["replay", "--config", str(configure()), "--predictions", str(data), "--report", str(out)],
        standalone_mode=False,
    )
    written = [json.loads(line) for line in out.read_bytes().splitlines()]
    # A last word names the alerts that any of its window's revisions moved.
    last = last_words(report.document() | {"alerts": []} for report in expected[0])
    assert len(written) == len(last)
    assert last_words(document | {"alerts": []} for document in written) == last
    told = " ".join(capsys.readouterr().out.split())
    assert f"{stream.accepted} accepted, {stream.late} late, {stream.duplicate} duplicate" in told
    assert f"{stream.rejected.total()} rejected" in told
