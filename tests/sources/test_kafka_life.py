"""What a long life brings: a process that stood still, logs that were compacted, transactions in packed batches."""

import os
import signal
import subprocess
import sys
import time

import pytest
from structlog.testing import capture_logs

from tests.fakes import FakeInlet
from tests.scenarios.process import ROOT
from tests.servers.broker import wait_until
from tests.sources.frozen_reader import TIMEOUT_MS
from tests.sources.rigs import numbered, offsets

pytestmark = pytest.mark.kafka

FROZEN_SECONDS, WAIT_SECONDS = 5 * TIMEOUT_MS / 1000, 30.0
COMPACTED = {
    "cleanup.policy": "compact", "segment.ms": "50", "min.cleanable.dirty.ratio": "0.001", "min.compaction.lag.ms": "0",
    "delete.retention.ms": "0", "file.delete.delay.ms": "0",
}  # fmt: skip


def test_a_process_that_stood_still_goes_on(own_broker, tmp_path):
    """Stopped for longer than every time-out of its own and of its broker, it then reads on: all of it, once."""
    from tests.servers.cluster import Cluster  # noqa: PLC0415 - loads kafka-python

    own_broker.configure({"connections.max.idle.ms": str(2 * TIMEOUT_MS)})
    own_broker.start()
    cluster = Cluster(own_broker.bootstrap)
    cluster.topic(name="t", partitions=2)
    out, log = tmp_path / "records", tmp_path / "log"
    command = [sys.executable, "-m", "tests.sources.frozen_reader", own_broker.bootstrap, "t"]
    with out.open("wb") as records, log.open("wb") as words:
        process = subprocess.Popen(command, stdout=records, stderr=words, cwd=ROOT)

    def lines() -> list[bytes]:
        # The log goes to the same place as the records.
        return [line for line in out.read_bytes().splitlines() if line.startswith(b'{"id"')]

    try:
        cluster.produce("t", numbered(0, 100))
        wait_until(lambda: len(lines()) >= 100, seconds=WAIT_SECONDS, what="the first records")
        os.kill(process.pid, signal.SIGSTOP)
        cluster.produce("t", numbered(100, 300), partition=1)
        # It is the time that does the harm: there is nothing to wait for but time.
        time.sleep(FROZEN_SECONDS)
        cluster.close()
        cluster = Cluster(own_broker.bootstrap)
        cluster.produce("t", numbered(300, 400))
        os.kill(process.pid, signal.SIGCONT)
        wait_until(lambda: len(lines()) >= 400, seconds=WAIT_SECONDS, what="the rest")
        cluster.produce("t", numbered(400, 401))
        wait_until(lambda: lines()[-1:] == numbered(400, 401), seconds=WAIT_SECONDS, what="what came later")
    finally:
        process.kill()
        process.wait()
        cluster.close()
    assert sorted(lines()) == sorted(numbered(0, 401))


def test_compacted_records_leave_no_trace(own_broker, start):
    """Where a log has holes all that is left comes, no gap is counted, and the end is reached."""
    from tests.servers.cluster import Cluster  # noqa: PLC0415 - loads kafka-python

    own_broker.configure({
        "log.cleaner.enable": "true", "log.cleaner.threads": "1", "log.cleaner.backoff.ms": "100",
        "log.cleaner.dedupe.buffer.size": str(2 << 20), "log.initial.task.delay.ms": "100",
    })  # fmt: skip
    own_broker.start()
    cluster = Cluster(own_broker.bootstrap)
    try:
        cluster.topic(name="t", configs=COMPACTED)
        for number in range(30):
            cluster.produce("t", numbered(number, number + 1), key=b"even" if number % 2 == 0 else b"odd")
        time.sleep(0.1)
        end = cluster.produce("t", [b"end"], key=b"end")[-1] + 1
        wait_until(lambda: cluster.count("t", end) < 10, seconds=WAIT_SECONDS, what="the log to be compacted")
        inlet = FakeInlet()
        with capture_logs() as logs:
            source = start(own_broker.bootstrap, inlet, {"kafka/t/0": 3}, predictions=["t"])
            inlet.wait(lambda: offsets(inlet) == {"kafka/t/0": end}, "the end of the log")
        assert inlet.records()[-1] == b"end"
        assert numbered(28, 30) == sorted(record for record in inlet.records() if record in numbered(28, 30))
        assert source.status().gap_records == 0
        assert [entry for entry in logs if entry["log_level"] == "error"] == []
    finally:
        cluster.close()


@pytest.mark.parametrize("codec", ["gzip", "zstd", "lz4", "snappy"])
def test_aborted_records_in_packed_batches(kafka, start, codec):
    """Aborted transactions are skipped without being unpacked, whatever the codec."""
    topic, inlet = kafka.topic(configs={"compression.type": codec}), FakeInlet()
    kafka.transaction(topic, [b"no" * 500], commit=False)
    kafka.transaction(topic, numbered(0, 50), commit=True)
    kafka.transaction(topic, [b"never" * 500], commit=False)
    start(kafka.bootstrap, inlet, predictions=[topic])
    inlet.wait(lambda: offsets(inlet) == {f"kafka/{topic}/0": 55}, "the end of the log")
    assert inlet.records() == numbered(0, 50)
