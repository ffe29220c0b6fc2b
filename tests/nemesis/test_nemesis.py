"""Each committed event is counted once, whatever happens to brokers, leaders, partitions and to the service itself."""

import json
import os
import time

import pytest

from tests.nemesis.memory import WriterProcess
from tests.scenarios.journal import last_words
from tests.scenarios.probe import Probe, running
from tests.servers.broker import Unavailable, wait_until

pytestmark = pytest.mark.kafka

TOPIC, PARTITIONS, COUNTED_SECONDS = "events", 3, 120.0
SECONDS, SOAK_SECONDS = 30.0, 600.0

GAPS = ("kafka_position_out_of_range", "kafka_batch_refused", "kafka_topic_recreated")

CONFIG = """\
[server]
listen = "127.0.0.1:0"
[state]
path = "state"
checkpoint = "500ms"
[[sources]]
type = "kafka"
brokers = {brokers}
group = "nemesis"
predictions = ["{topic}"]
discover = "2s"
[[models]]
name = "fraud"
task = "binary"
reference = "{reference}"
window = {{ size = "1m", lateness = "5s", idle_after = "1h", keep = "10h" }}
"""


@pytest.fixture
def ensemble(tmp_path):
    from tests.nemesis.ensemble import Ensemble  # noqa: PLC0415 - loads kafka-python

    if os.environ.get("DRIFTWATCH_TEST_KAFKA"):
        pytest.skip("a cluster whose brokers die has to be our own")
    try:
        ensemble = Ensemble(tmp_path)
    except Unavailable as reason:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    ensemble.start()
    yield ensemble
    ensemble.stop()


@pytest.mark.parametrize("seconds", [SECONDS, pytest.param(SOAK_SECONDS, marks=pytest.mark.soak)])
def test_each_event_is_counted_once(ensemble, tmp_path, reference, seconds):
    """The log, read again at leisure, the writer's memory, the counters and the reports agree to the last event."""
    from tests.nemesis.nemesis import Nemesis  # noqa: PLC0415 - loads kafka-python
    from tests.nemesis.writer import committed_ids  # noqa: PLC0415

    seed = int(os.environ.get("DRIFTWATCH_TEST_SEED", time.time_ns() % 100_000))
    path = tmp_path / "service.toml"
    path.write_text(CONFIG.format(brokers=json.dumps(ensemble.bootstrap), topic=TOPIC, reference=reference))
    admin = ensemble.admin()
    admin.create_topics({TOPIC: {"num_partitions": PARTITIONS, "replication_factor": 3}})
    admin.close()
    nemesis = Nemesis(ensemble, TOPIC, path, seed=seed, partitions=PARTITIONS)
    try:
        process = WriterProcess(ensemble.bootstrap, TOPIC, seed=seed, log=tmp_path / "writer.log")
        try:
            nemesis.play(seconds)
        finally:
            writer = process.stop()
        log = committed_ids(ensemble.bootstrap, TOPIC)
        with Probe(nemesis.process.port()) as probe:
            wait_until(
                lambda: sum(probe.metrics().results().values()) >= len(log),
                seconds=COUNTED_SECONDS,
                what=f"{len(log)} events to be counted",
            )
            counted = probe.metrics().results()
        assert nemesis.process.terminate() == 0
    finally:
        nemesis.process.__exit__(None, None, None)
    with running(path) as (service, probe):
        assert service.finish(timeout_seconds=COUNTED_SECONDS)
        reports = last_words(probe.listing("reports"))
    written = set(log)
    figures = dict(nemesis.figures) | {
        "seed": seed, "acknowledged": len(writer.acknowledged), "aborted": len(writer.aborted),
        "unknown": len(writer.unknown), "producers failed": writer.failures, "producers hung": writer.hung,
        "in the log": len(log), "twice in the log": len(log) - len(written), "counted": counted,
        "in reports": sum(report["window"]["rows"] for report in reports),
    }  # fmt: skip
    print("\n" + json.dumps(figures))
    lost = {name: writer.places[name] for name in writer.acknowledged - written}
    assert not lost, figures
    assert written <= writer.acknowledged | writer.unknown, figures
    assert not writer.aborted & written, figures
    assert counted == {
        "accepted": len(written), "late": 0, "duplicate": len(log) - len(written), "rejected": 0,
    }, figures  # fmt: skip
    assert figures["in reports"] == len(written), figures
    assert not [word for process in nemesis.processes for word in GAPS if word in process.log()]
