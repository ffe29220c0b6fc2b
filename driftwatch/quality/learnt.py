"""What an assessor has learnt from labels, and must not forget: lessons of past windows, levels of the loss."""

from collections.abc import Mapping

from driftwatch.quality.lessons import Lessons
from driftwatch.quality.loss import LossWatch

LESSONS, LOSS = "lessons/", "loss/"


class Learnt:
    """Both, as chunks by name."""

    def __init__(self, loss: LossWatch) -> None:
        self.lessons = Lessons()
        self.loss = loss

    def changes(self) -> dict[str, bytes | None]:
        """What changed, None for what is gone; the same until `saved`."""
        lessons = {LESSONS + name: chunk for name, chunk in self.lessons.changes().items()}
        return lessons | {LOSS + name: chunk for name, chunk in self.loss.changes().items()}

    def saved(self) -> None:
        """The changes have been written."""
        self.lessons.saved()
        self.loss.saved()

    def resume(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from what was written; StateError when it cannot be read."""
        self.lessons.resume(under(LESSONS, chunks))
        self.loss.resume(under(LOSS, chunks))


def under(prefix: str, chunks: Mapping[str, bytes]) -> dict[str, bytes]:
    """The chunks whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): chunk for name, chunk in chunks.items() if name.startswith(prefix)}
