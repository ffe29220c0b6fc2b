"""Columns that are there no more, or hold something else: a change that no share of nulls can express."""

from collections.abc import Sequence

import numpy as np

from driftwatch.statistics.checks import CHANCE, Checked, Flags
from driftwatch.summaries.layout import Floats, Ints

VANISHED, RETYPED = "vanished", "retyped"

_ALL_BUT = 0.01
"""A column of another type may still hold a few values that can be read, such as "7" where words have come."""


def schema_change(
    missing: Ints, invalid: Ints, rows: int, *, usual_missing: Floats, usual_invalid: Floats, chance: float = CHANCE
) -> Checked:
    """1 where a column has vanished or changed its type, else 0; `at` says which.

    missing, invalid: (columns,) rows of the window without a value, and with one of the wrong type. usual_…: (columns,)
    their shares in the reference. A column has vanished where every row lacks it, and it was not so empty before that
    this could be chance. chance: how unlikely that has to be.
    """
    vanished = _surely(missing == rows, usual_missing, rows, chance=chance)
    given = rows - missing
    retyped = _surely(
        (invalid >= (1 - _ALL_BUT) * given) & ~vanished & (given > 0), usual_invalid, given, chance=chance
    )
    changed: Flags = vanished | retyped
    value = changed.astype(np.float64)
    return Checked(value, value, value, value, np.zeros(missing.size), changed, _names(vanished, retyped))


def _surely(all_of_them: Flags, usual: Floats, rows: int | Ints, *, chance: float) -> Flags:
    """Whether rows that are all alike are not so by chance, at the share that is usual."""
    with np.errstate(divide="ignore", invalid="ignore"):
        unlikely: Flags = rows * np.log(usual) < np.log(chance)
    return all_of_them & unlikely


def _names(vanished: Flags, retyped: Flags) -> Sequence[str]:
    kinds = np.where(vanished, VANISHED, np.where(retyped, RETYPED, ""))
    return [str(kind) for kind in kinds]
