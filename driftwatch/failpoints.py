"""Named instants at which a test may have the process die, to prove that none of them loses or doubles anything.

`DRIFTWATCH_CRASH_AT=checkpoint.committed:3` in the environment sends SIGKILL to the process when it comes to that point
for the third time. It is read once, when this is imported; without it a point costs one comparison, and points stand
only where something has just been or is about to be made durable, a few times a second. It lives in the product,
because a crash is only as real as the code that crashes: a double of the engine would prove the double. It gives nobody
a new power: whoever sets a process's environment may kill it anyway.
"""

import os
import signal
from enum import StrEnum

VARIABLE = "DRIFTWATCH_CRASH_AT"


class Point(StrEnum):
    """Where a process may be asked to die."""

    BEFORE_SNAPSHOT = "checkpoint.before_snapshot"
    SNAPSHOT_TAKEN = "checkpoint.snapshot_taken"
    HALF_WRITTEN = "checkpoint.half_written"
    BEFORE_COMMIT = "checkpoint.before_commit"
    COMMITTED = "checkpoint.committed"
    POSITIONS_TOLD = "checkpoint.positions_told"
    DELIVERIES_WOKEN = "checkpoint.deliveries_woken"
    BEFORE_POST = "delivery.before_post"
    POSTED = "delivery.posted"
    RECORDED = "delivery.recorded"
    REFERENCE_LEARNT = "learning.learnt"
    TAKEN_OVER = "learning.taken_over"


class _Fuse:
    def __init__(self, text: str) -> None:
        name, _, times = text.partition(":")
        self.point = Point(name) if name else None
        self.left = int(times or 1)


_fuse = _Fuse(os.environ.get(VARIABLE, ""))


def reached(point: Point) -> None:
    """Say that this point has been reached: the process ends here if it was asked to."""
    if point is _fuse.point:
        _fuse.left -= 1
        if _fuse.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
