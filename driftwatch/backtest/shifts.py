"""The closed list of changes that are put into a history, each with a size and the check that ought to name it."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What happens to a column, or to the labels."""

    MEAN = "mean"
    """Numbers move by so many standard deviations."""
    SCALE = "scale"
    """Numbers move away from their mean by this factor."""
    SHARE = "share"
    """So many points of the rows go from the largest category to another one."""
    NULLS = "nulls"
    """So many points of the rows lose their value."""
    UNIT = "unit"
    """Numbers are written in another unit."""
    FROZEN = "frozen"
    """Every row has the same value."""
    FLIP = "label_flip"
    """So many points of the labels say something else."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One change. size: in standard deviations, as a factor, or a share in [0, 1]; 0 where it has none."""

    kind: Kind
    size: float = 0.0

    @property
    def name(self) -> str:
        """What a person calls it."""
        points = f"{100 * self.size:g}"
        return {
            Kind.MEAN: f"mean +{self.size:g} sd",
            Kind.SCALE: f"scale ×{self.size:g}",
            Kind.SHARE: f"share {points} points",
            Kind.NULLS: f"nulls {points} points",
            Kind.UNIT: f"unit ×{self.size:g}",
            Kind.FROZEN: "frozen value",
            Kind.FLIP: f"labels flipped {points} %",
        }[self.kind]

    @property
    def expected(self) -> str:
        """The check that calls it by its name, "" where it is a drift like any other."""
        return {Kind.NULLS: "missing", Kind.UNIT: "unit_change", Kind.FROZEN: "constant"}.get(self.kind, "")

    @property
    def numeric(self) -> bool:
        """Whether columns of numbers can have it."""
        return self.kind not in {Kind.SHARE, Kind.FLIP}

    @property
    def categorical(self) -> bool:
        """Whether columns of categories can have it."""
        return self.kind in {Kind.SHARE, Kind.NULLS, Kind.FROZEN}


SHIFTS = (
    *(Shift(Kind.MEAN, size) for size in (0.1, 0.25, 0.5, 1.0)),
    *(Shift(Kind.SCALE, size) for size in (1.2, 1.5)),
    *(Shift(Kind.SHARE, size) for size in (0.02, 0.05, 0.10, 0.20)),
    *(Shift(Kind.NULLS, size) for size in (0.05, 0.20)),
    Shift(Kind.UNIT, 100.0),
    Shift(Kind.FROZEN),
    *(Shift(Kind.FLIP, size) for size in (0.05, 0.20)),
)
