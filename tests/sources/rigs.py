"""One rig for each implementation of Source: how a test writes records for it and makes one that reads them."""

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from driftwatch.ports.streams import Inbox, Source
from driftwatch.sources.files import FilesSource, FilesSpec
from driftwatch.sources.inbox import InboxSource
from driftwatch.sources.kafka import KafkaSource
from driftwatch.sources.kafka_spec import KafkaSpec
from driftwatch.stream.raw import EVENT_STREAMS, Stream
from tests.fakes import FakeInlet

if TYPE_CHECKING:
    from tests.servers.cluster import Cluster

RECEIVED_MS = 1_767_607_200_000


class Rig:
    """A place to write to, and sources that read it. `bulk` records are many, and still written in a second."""

    bulk = 9_000

    def partition(self, stream: Stream) -> str:
        """The name of the partition that `write` writes to."""
        raise NotImplementedError

    def write(self, stream: Stream, records: Sequence[bytes]) -> None:
        """Append records to the stream's partition."""
        raise NotImplementedError

    def source(self) -> Source:
        """A new source that reads both streams."""
        raise NotImplementedError

    def left(self, stream: Stream) -> int | None:
        """How many records the outside world believes are still to be done; None where it does not care."""
        raise NotImplementedError


class FilesRig(Rig):
    """Two files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for stream in EVENT_STREAMS:
            self._path(stream).touch()

    def partition(self, stream: Stream) -> str:
        return f"files/{stream}/{self._path(stream)}"

    def write(self, stream: Stream, records: Sequence[bytes]) -> None:
        with self._path(stream).open("ab") as file:
            file.write(b"".join(record + b"\n" for record in records))

    def source(self) -> Source:
        spec = FilesSpec(
            type="files", predictions=[f"{self._folder}/p*.jsonl"], labels=[f"{self._folder}/l*.jsonl"], poll="20ms"
        )
        return FilesSource(spec, clock=lambda: RECEIVED_MS)

    def left(self, stream: Stream) -> int | None:  # noqa: ARG002 - nobody else counts what a file holds
        return None

    def _path(self, stream: Stream) -> Path:
        return self._folder / f"{stream}.jsonl"


class InboxRig(Rig):
    """One inbox, whatever it is made of."""

    bulk = 300

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def partition(self, stream: Stream) -> str:
        return f"http/{stream}"

    def write(self, stream: Stream, records: Sequence[bytes]) -> None:
        for record in records:
            self._inbox.append(stream, record, received_ms=RECEIVED_MS)

    def source(self) -> Source:
        return InboxSource(self._inbox)

    def left(self, stream: Stream) -> int | None:
        return len(self._inbox.read(stream, 0, limit=1 << 20))


class KafkaRig(Rig):
    """Two topics of one partition each, and a group of its own."""

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster, self._group = cluster, uuid.uuid4().hex
        self._topics = {stream: cluster.topic() for stream in EVENT_STREAMS}
        self._written = dict.fromkeys(Stream, 0)

    def partition(self, stream: Stream) -> str:
        return f"kafka/{self._topics[stream]}/0"

    def write(self, stream: Stream, records: Sequence[bytes]) -> None:
        self._written[stream] = self._cluster.produce(self._topics[stream], records)[-1] + 1

    def source(self) -> Source:
        predictions, labels = ([self._topics[stream]] for stream in EVENT_STREAMS)
        brokers = [self._cluster.bootstrap]
        spec = KafkaSpec(type="kafka", brokers=brokers, group=self._group, predictions=predictions, labels=labels)
        return KafkaSource(spec, clock=lambda: RECEIVED_MS)

    def left(self, stream: Stream) -> int | None:
        committed = self._cluster.committed(self._group).get((self._topics[stream], 0), 0)
        return self._written[stream] - committed


def numbered(first: int, last: int) -> list[bytes]:
    """Records that say their place: first, …, last - 1."""
    return [b'{"id": "%d"}' % number for number in range(first, last)]


def offsets(inlet: FakeInlet) -> dict[str, int]:
    """The positions of partitions, without the numbers that stand for topics."""
    return {name: at for name, at in inlet.positions().items() if name.count("/") == 2}
