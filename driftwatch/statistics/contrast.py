"""What a comparison of two versions of a model rests on, and which of them it says is the better one."""

from dataclasses import dataclass
from enum import StrEnum


class Ruling(StrEnum):
    """How a version does beside the champion, by one metric."""

    UNDECIDED = "undecided"
    BETTER = "better"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Contrast:
    """Beside which version a difference was taken, and how sure it is.

    rows, versus_rows: labelled rows of the version and of the champion, over the windows that had both.
    mde: the least true difference that would have been seen by now with 80 % probability; NaN where nothing is known.
    decided_rows, decided_versus_rows: of both as the ruling was made, which then stands; None while there is none.
    """

    versus: str
    ruling: Ruling
    rows: int
    versus_rows: int
    mde: float
    decided_rows: int | None = None
    decided_versus_rows: int | None = None
