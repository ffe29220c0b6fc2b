"""What a consumer group is told and by whom: positions for lag tools, with the name of the deployment they are of.

Two deployments with one group would overwrite each other's positions, and operators would watch the wrong lag. Neither
miscounts: positions are never read back.
"""

import threading
import time
from collections.abc import Collection, Mapping
from typing import Any

import structlog
from kafka.errors import KafkaError

from driftwatch.sources.kafka_link import Link, Place

_log = structlog.get_logger()

CHECK_SECONDS = 60.0
_CLEAN_CHECKS = 5
"""Whoever commits last is seen, and that may well be us: only so many clean checks in a row end the warning."""


class Commits:
    """The group's positions, as one deployment sets them. Only `want` may be called from any thread."""

    def __init__(self, group: str, owner: str, *, saved: Mapping[Place, int]) -> None:
        self.warning = ""
        self._group, self._mark = group, f"driftwatch {owner}"
        self._wanted, self._sent = dict(saved), dict[Place, int]()
        self._next_check, self._clean = 0.0, _CLEAN_CHECKS
        self._lock = threading.Lock()

    def want(self, offsets: Mapping[Place, int]) -> None:
        """Leave saved positions to be sent soon."""
        with self._lock:
            self._wanted |= offsets

    def send(self, link: Link, places: Collection[Place]) -> None:
        """Send what is new of these places without waiting; look first who was here, once a minute."""
        if places and time.monotonic() >= self._next_check:
            self._check(link, places)
        offsets = self._new(places)
        if offsets:
            link.commit(offsets, self._mark, done=_log_failure)
            self._sent |= offsets

    def send_last(self, link: Link, places: Collection[Place]) -> None:
        """Send what is new and wait a moment for the answer."""
        offsets = self._new(places)
        if offsets:
            try:
                link.commit_now(offsets, self._mark)
            except KafkaError as error:
                _log_failure(offsets, error)

    def forget(self, places: Collection[Place]) -> None:
        """These places are no longer what they were."""
        with self._lock:
            for place in places:
                self._wanted.pop(place, None)
                self._sent.pop(place, None)

    def _new(self, places: Collection[Place]) -> dict[Place, int]:
        with self._lock:
            wanted = dict(self._wanted)
        return {place: at for place, at in wanted.items() if place in places and self._sent.get(place) != at}

    def _check(self, link: Link, places: Collection[Place]) -> None:
        self._next_check = time.monotonic() + CHECK_SECONDS
        try:
            marks = link.marks(places)
        except KafkaError as error:
            _log.warning("kafka_group_unknown", group=self._group, error=str(error))
            return
        foreign = {place: mark for place, mark in marks.items() if mark and mark != self._mark}
        self._clean = 0 if foreign else self._clean + 1
        if foreign:
            owners = ", ".join(sorted(set(foreign.values())))
            warning = f"the group {self._group} is also used by {owners}: give each deployment a group of its own"
            if warning != self.warning:
                partitions = [f"{topic}/{number}" for topic, number in sorted(foreign)]
                _log.error("kafka_group_shared", group=self._group, foreign_owner=owners, partitions=partitions)
            self.warning = warning
        elif self.warning and self._clean >= _CLEAN_CHECKS:
            self.warning = ""
            _log.info("kafka_group_no_longer_shared", group=self._group)


def _log_failure(_offsets: Any, answer: Any) -> None:
    if isinstance(answer, Exception):
        _log.warning("kafka_commit_failed", error=str(answer))
