"""What people and other systems say of a running model, as it waits in the inbox: one JSON object each.

It comes the way that events come, so that each of them is heard exactly once, whenever the process dies.
"""

import msgspec

from driftwatch.errors import DataError


class Deployed(msgspec.Struct, tag="deployed", frozen=True):
    """A version serves now. via: "api" or "mlflow"."""

    model: str
    version: str
    time_ms: int
    author: str = ""
    via: str = "api"


class Resolved(msgspec.Struct, tag="resolved", frozen=True):
    """An alert is over, whatever its rule says."""

    alert: str
    author: str = ""
    comment: str = ""


class Closed(msgspec.Struct, tag="closed", frozen=True):
    """An incident is followed no more."""

    incident: str
    author: str = ""
    comment: str = ""


Operation = Deployed | Resolved | Closed


def write_operation(operation: Operation) -> bytes:
    """Write one."""
    return msgspec.json.encode(operation)


def read_operation(record: bytes) -> Operation:
    """Read one; DataError when it is none that this release knows."""
    try:
        read: Operation = msgspec.json.decode(record, type=Operation)
    except msgspec.DecodeError as error:
        raise DataError(f"an operation cannot be read: {error}") from error
    return read
