"""What an assessor has learnt from labels, and must not forget: lessons of windows, levels of the loss, contests."""

from collections.abc import Mapping

from driftwatch.quality.contest import Contests
from driftwatch.quality.lessons import Lessons
from driftwatch.quality.loss import LossWatch

LESSONS, LOSS, CONTESTS = "lessons/", "loss/", "contests/"


class Learnt:
    """All of it, as chunks by name. contests: of versions that are live at once, for whoever compares them."""

    def __init__(self, loss: LossWatch) -> None:
        self.lessons = Lessons()
        self.loss = loss
        self.contests: Contests | None = None

    def changes(self) -> dict[str, bytes | None]:
        """What changed, None for what is gone; the same until `saved`."""
        lessons = {LESSONS + name: chunk for name, chunk in self.lessons.changes().items()}
        contests = {} if self.contests is None else self.contests.changes()
        return (
            lessons
            | {LOSS + name: chunk for name, chunk in self.loss.changes().items()}
            | {CONTESTS + name: chunk for name, chunk in contests.items()}
        )

    def saved(self) -> None:
        """The changes have been written."""
        self.lessons.saved()
        self.loss.saved()
        if self.contests is not None:
            self.contests.saved()

    def resume(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from what was written; StateError when it cannot be read."""
        self.lessons.resume(under(LESSONS, chunks))
        self.loss.resume(under(LOSS, chunks))
        if self.contests is not None:
            self.contests.resume(under(CONTESTS, chunks))


def under(prefix: str, chunks: Mapping[str, bytes]) -> dict[str, bytes]:
    """The chunks whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): chunk for name, chunk in chunks.items() if name.startswith(prefix)}
