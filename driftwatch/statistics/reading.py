"""What a statistic says of one column, and why it sometimes says nothing."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Whether a value could be computed; a value is NaN exactly when this is not OK."""

    OK = "ok"
    TOO_FEW = "too_few"
    NO_REFERENCE = "no_reference"
    DEGENERATE = "degenerate"
    NO_LABELS = "no_labels"


@dataclass(frozen=True, slots=True)
class Reading:
    """One statistic of one column in one window; NaN stands for "not defined for this statistic".

    value: the plug-in estimate by the standard formula. adjusted: the same, corrected for sampling bias.
    lower, upper: bounds of the true value. p_value: probability of a value as far out if nothing had changed.
    """

    column: str
    family: str
    statistic: str
    value: float
    adjusted: float
    lower: float
    upper: float
    p_value: float
    status: Status
