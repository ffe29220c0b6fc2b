"""What the bounds of the HTTP door have cost: a closed list of reasons, and how often each refused something."""

import threading
from collections.abc import Mapping
from enum import StrEnum


class Refusal(StrEnum):
    """Why a request or a connection was turned away: the label `reason`, and the `code` of the answer if one came."""

    TOO_LARGE = "too_large"
    TOO_MANY_VALUES = "too_many_values"
    TOO_MANY_EVENTS = "too_many_events"
    ARRIVING_FULL = "arriving_full"
    BUSY = "busy"
    """The inbox is full."""
    STATE_UNAVAILABLE = "state_unavailable"
    HEAD_TOO_LARGE = "head_too_large"
    TOO_MANY_HEADERS = "too_many_headers"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    SLOW_HEAD = "slow_head"
    SLOW_BODY = "slow_body"
    SLOW_READER = "slow_reader"
    LEAVING_FULL = "leaving_full"
    INVALID_REQUEST = "invalid_request"
    MALFORMED_ENCODING = "malformed_encoding"
    KEY_REUSED = "key_reused"


class Refusals:
    """Counts them; any thread may add and read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(Refusal, 0)

    def add(self, refusal: Refusal) -> None:
        """Count one."""
        with self._lock:
            self._counts[refusal] += 1

    def add_code(self, code: str) -> None:
        """Count an answer by its code, when it is one of ours."""
        if code in _CODES:
            self.add(Refusal(code))

    def counts(self) -> Mapping[Refusal, int]:
        """Copy the counts; each reason is there from the beginning."""
        with self._lock:
            return dict(self._counts)


_CODES = frozenset(Refusal)
