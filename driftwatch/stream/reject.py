"""Why an event was not taken: closed, because each member is a metric label."""

from dataclasses import dataclass
from enum import StrEnum


class Reject(StrEnum):
    """The producer's fault, by kind."""

    NOT_JSON = "not_json"
    NOT_OBJECT = "not_object"
    MISSING_MODEL = "missing_model"
    UNKNOWN_MODEL = "unknown_model"
    MISSING_ID = "missing_id"
    BAD_ID = "bad_id"
    BAD_TIME = "bad_time"
    FUTURE = "future"
    BAD_VERSION = "bad_version"
    BAD_COLUMNS = "bad_columns"
    MISSING_LABEL = "missing_label"
    BAD_LABEL = "bad_label"
    TOO_MANY_EVENTS = "too_many_events"
    """A whole record, of which nothing is read."""
    TOO_MANY_VALUES = "too_many_values"


NAMELESS = frozenset(
    {
        Reject.NOT_JSON,
        Reject.NOT_OBJECT,
        Reject.MISSING_MODEL,
        Reject.UNKNOWN_MODEL,
        Reject.TOO_MANY_EVENTS,
        Reject.TOO_MANY_VALUES,
    }
)
"""Reasons for which an event belongs to no model that we know."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One refused event: its place among the events of its `Raw`, the reason, and the model where one was named."""

    index: int
    reason: Reject
    model: str = ""
