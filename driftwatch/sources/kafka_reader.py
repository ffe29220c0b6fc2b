"""The thread of a Kafka source: take records, hand them over, find new partitions, come back after every failure."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from kafka.errors import KafkaError

from driftwatch.errors import DriftwatchError, SourceError
from driftwatch.ports.streams import Clock, Inlet, SourceStatus
from driftwatch.sources import kafka_topics
from driftwatch.sources.kafka_commits import Commits
from driftwatch.sources.kafka_guard import Refused
from driftwatch.sources.kafka_link import Gap, Link, Place
from driftwatch.sources.kafka_spec import KafkaSpec
from driftwatch.sources.portions import portions
from driftwatch.stream.raw import EVENT_STREAMS, Raw

_log = structlog.get_logger()

_POLL_MS, _OFFER_SECONDS = 200, 0.2
_SWEEP_SECONDS, _MISSING_SECONDS, _LOST_SECONDS = 1.0, 2.0, 30.0
_BACKOFF_SECONDS, _MAX_BACKOFF_SECONDS, _STOP_SECONDS = 0.5, 10.0, 2.0


class Reader:
    """What one source knows between polls. Only its thread changes it, except `commit` and `stop`.

    `_taken` is the position behind the last record taken of each place, whether it has been handed over or is held;
    after a failure reading goes on there, so nothing is lost or taken twice. `_handed` is the position handed over.
    """

    def __init__(
        self, spec: KafkaSpec, inlet: Inlet, *, positions: Mapping[str, int], clock: Clock, owner: str
    ) -> None:
        self._spec, self._inlet, self._clock = spec, inlet, clock
        self._streams = spec.streams()
        self._saved = self._offsets(positions)
        self._topics = kafka_topics.Topics(self._streams, positions)
        self._commits = Commits(spec.group, owner, saved=self._saved)
        self._link = Link({}, max_batch_bytes=spec.max_batch_bytes)
        self._assigned: set[Place] = set()
        self._held: deque[tuple[Place | None, Raw]] = deque()
        self._taken: dict[Place, int] = {}
        self._handed: dict[Place, int] = {}
        self._missing: list[str] = []
        self._shortened: set[str] = set()
        self._paused = self._connected = False
        self._next_discovery = self._next_sweep = self._lost_since = 0.0
        self._connections = self._failures = self._gap_records = self._refused_batches = 0
        self._stopping = threading.Event()
        self.status = SourceStatus(ready=False, error=f"connecting to {', '.join(spec.brokers)}")

    def commit(self, positions: Mapping[str, int]) -> None:
        """Leave saved positions for the thread to commit; for any thread."""
        self._commits.want(self._offsets(positions))

    def stop(self, thread: threading.Thread) -> None:
        """End the thread; a call to a broker that does not answer is broken off. For any other thread."""
        self._stopping.set()
        thread.join(_STOP_SECONDS)
        if thread.is_alive():
            self._link.abort()
            thread.join(_STOP_SECONDS)
        if thread.is_alive():
            _log.error("kafka_thread_stuck", brokers=self._spec.brokers)
        self.status = replace(self.status, ready=False, error="stopped")

    def run(self) -> None:
        """Read until stopped; whatever goes wrong is shown, waited out and tried again."""
        while not self._stopping.is_set():
            try:
                self._read()
            except Exception as error:  # noqa: BLE001 - kafka-python raises more than KafkaError; a thread must not just end
                if not self._stopping.is_set():
                    self._fail(error)

    def _read(self) -> None:
        self._link = Link(self._spec.settings(), max_batch_bytes=self._spec.max_batch_bytes)
        self._assigned, self._paused, self._connected = set(), False, False
        self._next_discovery, self._lost_since = 0.0, time.monotonic()
        try:
            self._link.open()
            while not self._stopping.is_set():
                self._step()
            if self._connected:
                self._commits.send_last(self._link, self._assigned)
        finally:
            self._link.close()

    def _step(self) -> None:
        self._hand_over()
        if not self._held and time.monotonic() >= self._next_discovery:
            self._discover()
        if self._connected:
            self._commits.send(self._link, self._assigned)
        records = self._link.poll(timeout_ms=0 if self._held else _POLL_MS)
        gaps, refused = self._link.take_gaps(), self._link.take_refused()
        places = [*records, *(gap.place for gap in gaps), *(batch.place for batch in refused)]
        self._topics.check({topic for topic, _ in places}, self._link)
        self._note_gaps(gaps)
        self._take(records)
        self._note_refused(refused)
        self._watch()
        if time.monotonic() >= self._next_sweep:
            self._sweep()

    def _hand_over(self) -> None:
        while self._held and not self._stopping.is_set():
            place, raw = self._held[0]
            if not self._inlet.offer(raw, timeout_seconds=_OFFER_SECONDS):
                break
            if place is not None:
                self._handed[place] = raw.position
            self._held.popleft()
        if bool(self._held) != self._paused:
            self._paused = bool(self._held)
            _log.info("kafka_paused" if self._paused else "kafka_resumed", partitions=len(self._assigned))
            (self._link.pause if self._paused else self._link.resume)()
            self._show(self.status.lag_records)

    def _discover(self) -> None:
        numbers = {topic: self._link.partitions(topic) for topic in self._streams}
        missing = [topic for topic in numbers if not numbers[topic]]
        if missing and missing != self._missing:
            _log.warning("kafka_topics_missing", topics=missing)
        self._missing = missing
        for topic in numbers:
            self._recognise(topic)
        found = sorted({(topic, number) for topic in numbers for number in numbers[topic]} - self._assigned)
        if found:
            for stream in EVENT_STREAMS:
                # After a reconnection they are known already.
                new = [place for place in found if place not in self._taken]
                places = [_name(place) for place in new if self._streams[place[0]] is stream]
                if places:
                    self._inlet.announce(stream, places)
            wanted = {place: self._taken.get(place, self._saved.get(place)) for place in found}
            self._link.assign(wanted, self._assigned)
            self._assigned.update(found)
            for place in found:
                position = self._link.position(place) or 0
                self._taken.setdefault(place, self._saved.get(place, position))
                self._handed.setdefault(place, position)
            _log.info("kafka_assigned", partitions=[_name(place) for place in found], group=self._spec.group)
        delay = min(self._spec.discover / 1000, _MISSING_SECONDS if missing else float("inf"))
        self._next_discovery = time.monotonic() + delay

    def _recognise(self, topic: str) -> None:
        if self._topics.changed(topic, self._link):
            # What a link has fetched and remembers of the old one is best left behind with the link.
            self._topics.check([topic] if any(place[0] == topic for place in self._assigned) else [], self._link)
            void = sorted({place for place in (*self._saved, *self._taken) if place[0] == topic})
            given_up = {_name(place): self._taken.get(place, self._saved.get(place)) for place in void}
            _log.error("kafka_topic_recreated", topic=topic, given_up=given_up)
            self._commits.forget(void)
            for place in void:
                self._hold(place, (), position=0)
                for positions in (self._saved, self._taken, self._handed):
                    positions.pop(place, None)
        number = self._topics.learn(topic, self._link)
        if number is not None:
            raw = Raw(self._streams[topic], "kafka", kafka_topics.name(topic), (), self._clock(), number, ())
            self._held.append((None, raw))

    def _take(self, records: Mapping[Place, Sequence[Any]]) -> None:
        for place, found in records.items():
            cuts = [found[portion] for portion in portions([record.value or b"" for record in found])]
            ends = [cut[-1].offset + 1 for cut in cuts]
            # Behind the last record there may be nothing but the marks of transactions: they are done as well.
            ends[-1] = max(ends[-1], self._link.position(place) or 0)
            for cut, end in zip(cuts, ends, strict=True):
                self._hold(place, cut, position=end)

    def _hold(self, place: Place, records: Sequence[Any], *, position: int) -> None:
        received_ms = self._clock()
        kept = [record for record in records if record.value is not None]
        raw = Raw(
            stream=self._streams[place[0]],
            source="kafka",
            partition=_name(place),
            records=tuple(record.value for record in kept),
            received_ms=received_ms,
            position=position,
            timestamps_ms=tuple(record.timestamp if record.timestamp >= 0 else received_ms for record in kept),
        )
        self._taken[place] = position
        self._held.append((place, raw))

    def _note_gaps(self, gaps: Sequence[Gap]) -> None:
        for gap in gaps:
            self._gap_records += max(gap.found - gap.wanted, 0)
            if gap.found < gap.wanted:
                self._shortened.add(_name(gap.place))
            _log.error("kafka_position_out_of_range", partition=_name(gap.place), wanted=gap.wanted, found=gap.found)
            self._hold(gap.place, (), position=gap.found)
        if gaps:
            self._show(self.status.lag_records)

    def _note_refused(self, refused: Sequence[Refused]) -> None:
        for batch in refused:
            self._refused_batches += 1
            self._gap_records += batch.end - batch.first
            _log.error(
                "kafka_batch_refused",
                partition=_name(batch.place),
                first=batch.first,
                end=batch.end,
                packed_bytes=batch.packed_bytes,
                max_batch_bytes=self._spec.max_batch_bytes,
            )
        if refused:
            self._sweep()  # where it was the last, nothing else would take the position behind it

    def _watch(self) -> None:
        connected, now = self._link.connected(), time.monotonic()
        if connected != self._connected:
            self._connected, self._lost_since = connected, now
            self._connections += connected
            self._failures = 0
            say = _log.info if connected else _log.warning
            say("kafka_connected" if connected else "kafka_lost", brokers=self._spec.brokers)
            self._show(self.status.lag_records)
        elif not connected and not self._paused and now - self._lost_since > _LOST_SECONDS:
            # The cluster may have moved: begin again with the brokers of the configuration.
            raise SourceError(self._error())

    def _sweep(self) -> None:
        for place in sorted(self._assigned):
            position = self._link.position(place)
            if position is not None and position > self._taken[place]:
                self._hold(place, (), position=position)
        ends = self._link.ends(self._assigned, ask=self._paused and self._connected)
        self._show({place: max(end - self._handed[place], 0) for place, end in ends.items()})
        self._next_sweep = time.monotonic() + _SWEEP_SECONDS

    def _error(self) -> str:
        if not self._connected:
            return f"no broker of {', '.join(self._spec.brokers)} is connected: {self._link.last_failure or 'not yet'}"
        return f"no such topic: {', '.join(self._missing)}" if self._missing else ""

    def _warnings(self) -> Iterator[str]:
        if self._commits.warning:
            yield self._commits.warning
        if self._shortened:
            yield f"the log ended before our position: {', '.join(sorted(self._shortened))}"
        if self._topics.recreated:
            yield f"deleted and made again, so read from the beginning: {', '.join(sorted(self._topics.recreated))}"

    def _show(self, lag_records: Mapping[Place, int], error: str = "") -> None:
        error = error or self._error()
        self.status = SourceStatus(
            ready=not error,
            error=error,
            lag_records=dict(lag_records),
            paused=dict.fromkeys(self._assigned, self._paused),
            reconnects=max(self._connections - 1, 0),
            gap_records=self._gap_records,
            refused_batches=self._refused_batches,
            warning="; ".join(self._warnings()),
        )

    def _fail(self, error: Exception) -> None:
        text = " ".join(str(error).split()) or type(error).__name__
        _log.warning(
            "kafka_failed",
            error=text,
            brokers=self._spec.brokers,
            exc_info=not isinstance(error, KafkaError | DriftwatchError),
        )
        self._show(self.status.lag_records, error=f"{', '.join(self._spec.brokers)}: {text}")
        self._stopping.wait(min(_BACKOFF_SECONDS * 2**self._failures, _MAX_BACKOFF_SECONDS))
        self._failures += 1

    def _offsets(self, positions: Mapping[str, int]) -> dict[Place, int]:
        return {place: at for name, at in positions.items() if (place := self._place(name))}

    def _place(self, name: str) -> Place | None:
        source, _, rest = name.partition("/")
        topic, _, number = rest.rpartition("/")
        return (topic, int(number)) if source == "kafka" and topic in self._streams and number.isdecimal() else None


def _name(place: Place) -> str:
    return f"kafka/{place[0]}/{place[1]}"
