"""Which groups a measure of fairness is between."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Between:
    """least, greatest: the members with the least and the greatest rate, "" where fewer than two could be compared.

    left_out: members that have too few rows to be compared.
    """

    least: str
    greatest: str
    left_out: tuple[str, ...] = ()
