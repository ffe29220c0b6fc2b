"""One connection to Kafka with explicit assignment: what the rest of the source needs of kafka-python, and no more.

Used by one thread, except `abort`. Importing this file loads kafka-python, so it is imported when a source starts.
"""

import gc
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import (
    BrokerResponseError,
    KafkaTimeoutError,
    LogTruncationError,
    OffsetOutOfRangeError,
    RequestTimedOutError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.structs import OffsetAndMetadata

from driftwatch.errors import SourceError
from driftwatch.sources.kafka_guard import Refused, guard

Place = tuple[str, int]
"""A topic and the number of one of its partitions."""

_ASK_MS, _MARKS_MS, _FAREWELL_MS = 10_000, 3_000, 1_000
_REFRESH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where reading could not go on at `wanted`: it goes on at `found`."""

    place: Place
    wanted: int
    found: int


class Link:
    """One consumer. Every method may raise what kafka-python raises; the link is of no use after that."""

    def __init__(self, settings: Mapping[str, Any], *, max_batch_bytes: int) -> None:
        self._settings, self._max_batch_bytes = settings, max_batch_bytes
        self._client: Any = None
        self._consumer: Any = None
        self._aborted = False
        self._gaps: list[Gap] = []
        self._refused: list[Refused] = []

    def open(self) -> None:
        """Connect and ask the cluster what it is; SourceError with the last failure when no broker answers in time."""
        try:
            self._consumer = KafkaConsumer(**self._settings, kafka_client=self._keep_client)
        except KafkaTimeoutError as error:
            raise SourceError(f"no broker lets us in: {self.last_failure or error}") from error
        guard(self._consumer, self._max_batch_bytes, refuse=self._refused.append)

    @property
    def last_failure(self) -> str:
        """Why the last connection ended that ended badly, or nothing."""
        return str(self._client.last_failure) if self._client is not None else ""

    def abort(self) -> None:
        """Break off whatever the link's thread is waiting for; may be called from any thread."""
        self._aborted = True
        if self._client is not None:
            try:
                self._client.close()
            except RuntimeError as error:
                # The link's own thread has closed it in the meantime, which is all that was asked for.
                if "closed" not in str(error):
                    raise

    def close(self) -> None:
        """Let go of all connections, also after a failed `open`."""
        try:
            if self._consumer is not None and not self._aborted:
                self._consumer.close(autocommit=False, timeout_ms=_FAREWELL_MS)
        finally:
            if self._client is not None:
                self._client.close()
            self._consumer = None
            # kafka-python leaves the sockets of refused connections to the garbage collector, and an outage is long.
            gc.collect()

    def connected(self) -> bool:
        """Whether any broker is connected now."""
        return any(self._client.connected(broker.node_id) for broker in self._client.cluster.brokers())

    def partitions(self, topic: str) -> set[int]:
        """The topic's partitions, none when it does not exist. Asks the cluster only for topics that are not read."""
        return set(self._consumer.partitions_for_topic(topic))

    def topic_id(self, topic: str) -> int:
        """The topic's id of 128 bits as last heard of; 0 when it does not exist or the brokers are older than ids."""
        found = self._client.cluster.topic_id(topic)
        return found.int if found is not None else 0

    def refresh(self) -> None:
        """Hear anew which topics there are, and who leads them."""
        asked = self._client.cluster.request_update()
        end = time.monotonic() + _REFRESH_SECONDS
        while not asked.is_done:
            if self._aborted or time.monotonic() > end:
                raise SourceError("no broker says which topics there are")
            time.sleep(0.01)
        if asked.failed():
            raise SourceError(f"no broker says which topics there are: {asked.exception}")

    def assign(self, wanted: Mapping[Place, int | None], kept: Collection[Place]) -> None:
        """Read the kept places on, and these from their positions, or from the beginning where there is none."""
        self._consumer.assign([TopicPartition(*place) for place in (*kept, *wanted)])
        self._seek(wanted)

    def poll(self, *, timeout_ms: int) -> dict[Place, list[Any]]:
        """Records that have come, by place in order; nothing when a place had to be found again, see `take_gaps`."""
        found: dict[Place, list[Any]] | None = self._or_seek(lambda: self._consumer.poll(timeout_ms=timeout_ms))
        return found or {}

    def position(self, place: Place) -> int | None:
        """Where reading goes on, beyond control batches, aborted and compacted records; None while it is not known."""
        found: int | None = self._or_seek(lambda: self._consumer.position(TopicPartition(*place), timeout_ms=0))
        return found

    def take_gaps(self) -> list[Gap]:
        """The places where reading could not go on since this was last asked."""
        gaps, self._gaps = self._gaps, []
        return gaps

    def take_refused(self) -> list[Refused]:
        """The batches that were left out since this was last asked."""
        return [self._refused.pop(0) for _ in range(len(self._refused))]

    def ends(self, places: Collection[Place], *, ask: bool) -> dict[Place, int]:
        """The offset the next record written will have, where it is known: as last fetched, or asked for now."""
        partitions = [TopicPartition(*place) for place in places]
        if ask:
            return dict(self._consumer.end_offsets(partitions, timeout_ms=_ASK_MS))
        known = {(at.topic, at.partition): self._consumer.highwater(at) for at in partitions}
        return {place: offset for place, offset in known.items() if offset is not None}

    def pause(self) -> None:
        """Fetch nothing more; what has been fetched stays."""
        self._consumer.pause(*self._consumer.assignment())

    def resume(self) -> None:
        """Go on fetching."""
        self._consumer.resume(*self._consumer.assignment())

    def commit(self, offsets: Mapping[Place, int], mark: str, *, done: Callable[[Any, Any], None]) -> None:
        """Tell the group how far it is, without waiting; `done(offsets, answer or exception)` is called by `poll`."""
        self._consumer.commit_async(_metadata(offsets, mark), callback=done)

    def commit_now(self, offsets: Mapping[Place, int], mark: str) -> None:
        """Tell the group how far it is and wait a moment for the answer."""
        self._consumer.commit(_metadata(offsets, mark), timeout_ms=_FAREWELL_MS)

    def marks(self, places: Collection[Place]) -> dict[Place, str]:
        """What was written beside the group's positions by whoever committed them last."""
        partitions = [TopicPartition(*place) for place in places]
        coordinator = self._consumer._coordinator  # noqa: SLF001 - the consumer asks for one partition at a time
        found = coordinator.fetch_committed_offsets(partitions, timeout_ms=_MARKS_MS)
        return {(at.topic, at.partition): committed.metadata or "" for at, committed in found.items()}

    def _keep_client(self, **settings: Any) -> Any:
        # A consumer that fails to connect raises in its constructor and leaves its network thread behind.
        self._client = _Client(**settings)
        return self._client

    def _or_seek(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except OffsetOutOfRangeError as error:
            self.refresh()  # the topic may be another one by now: that is for the caller to see before the gap
            self._seek({(at.topic, at.partition): offset for at, offset in error.args[0].items()})
        except LogTruncationError as error:
            self._rewind(error.divergent_offsets)
        return None

    def _seek(self, wanted: Mapping[Place, int | None]) -> None:
        places = [TopicPartition(*place) for place in wanted]
        first = self._consumer.beginning_offsets(places, timeout_ms=_ASK_MS)
        last = self._consumer.end_offsets(places, timeout_ms=_ASK_MS)
        for place, position in wanted.items():
            at = TopicPartition(*place)
            found = first[at] if position is None else min(max(position, first[at]), last[at])
            self._consumer.seek(at, found)
            if position is not None and position != found:
                self._gaps.append(Gap(place, position, found))

    def _rewind(self, divergent: Mapping[TopicPartition, OffsetAndMetadata | None]) -> None:
        for at, safe in divergent.items():
            place, position = (at.topic, at.partition), self._consumer.position(at, timeout_ms=0)
            if safe is None:
                self._seek({place: position})
            else:
                self._consumer.seek(at, safe.offset)
                self._gaps.append(Gap(place, position, safe.offset))


class _Client(KafkaNetClient):  # type: ignore[misc]  # the library ships no types
    """A client that remembers why the last connection ended: a consumer that cannot connect says only that."""

    def __init__(self, **settings: Any) -> None:
        self.last_failure, self._refused = "", False
        net = NetworkSelector(**settings)
        super().__init__(net=net, manager=_Connections(self._note, net, **settings), **settings)

    def _note(self, error: BaseException) -> None:
        # After it has refused us a broker just hangs up for a while; its answer is what the operator has to know.
        refused = isinstance(error, BrokerResponseError) and not isinstance(error, RequestTimedOutError)
        if refused or not self._refused:
            self.last_failure, self._refused = " ".join(str(error).split()), refused


class _Connections(KafkaConnectionManager):  # type: ignore[misc]  # the library ships no types
    """Connections that tell why they ended."""

    def __init__(self, note: Callable[[BaseException], None], net: Any, **settings: Any) -> None:
        self._note, self._watched = note, WeakSet[Any]()
        super().__init__(net, **settings)

    def get_connection(self, node_id: Any, **options: Any) -> Any:
        """Give the node's connection, as the library does."""
        connection = super().get_connection(node_id, **options)
        if connection not in self._watched:
            self._watched.add(connection)
            connection.close_future.add_errback(self._note)
        return connection


def _metadata(offsets: Mapping[Place, int], mark: str) -> dict[TopicPartition, OffsetAndMetadata]:
    return {TopicPartition(*place): OffsetAndMetadata(offset, mark, -1) for place, offset in offsets.items()}
