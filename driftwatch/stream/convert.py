"""From columns of clean Python values to arrays: no loop touches a value here but the interpreter's own `map`."""

import math
from collections.abc import Sequence
from itertools import repeat
from typing import Any, Final

import numpy as np

from driftwatch.stream.batch import INVALID, MISSING, Codes, Floats
from driftwatch.stream.patterns import matcher
from driftwatch.stream.schema import SCORE, Column, Kind

WRONG: Final = ("driftwatch: a value of the wrong type",)
"""Stands in a categorical column for a value that is no category."""

_EXACT = 2**53
"""Below it a float64 holds every whole number."""


def numbers(values: Sequence[Any], column: Column) -> Floats:
    """A numeric column, (rows,): None becomes MISSING, what is no finite number INVALID."""
    if column.coerce:
        values = [_coerced(value) for value in values]
    try:
        array = np.fromiter(values, np.float64, len(values))
    except TypeError:  # only None is left to cause it, and np.array reads None as NaN at a third of the speed
        array = np.array(values, dtype=np.float64)
    return bounded(array, column)


def finite(value: Any) -> float:
    """A JSON value as a number: INVALID when it is of another type, no finite number or beyond float64."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return INVALID
    try:
        number = float(value)
    except OverflowError:
        return INVALID
    return number if math.isfinite(number) else INVALID


def bounded(array: Floats, column: Column) -> Floats:
    """The column with infinities, what is not allowed and scores outside their range turned into INVALID.

    Values that are declared to stand for none turn into MISSING.
    """
    if column.sentinels:
        array = np.where(np.isin(array, column.sentinels), MISSING, array)
    bad = np.isinf(array)
    if column.allowed:
        bad |= ~(np.isin(array, column.allowed) | np.isnan(array))
    if column.name == SCORE:
        bad |= (array < column.minimum) | (array > column.maximum)
    return np.where(bad, INVALID, array) if bad.any() else array


def codes(values: Sequence[Any], lookup: "Lookup") -> Codes:
    """A categorical column as slot codes, (rows,)."""
    found = np.fromiter(map(lookup.codes.get, values, repeat(lookup.unseen)), np.int32, len(values))
    if lookup.fits is not None:
        for place in np.flatnonzero(found == lookup.other).tolist():
            found[place] = lookup.unknown(values[place])
    return found


class Lookup:
    """Which slot a value is counted in: K known categories, then other, missing, invalid.

    A category that reads as a number is met by the number too, and "true" and "false" by the booleans, so that a
    reference from a CSV file fits events in JSON. A boolean column takes true, false, 1 and 0; all else is invalid.
    Declared sentinels are missing. Where values are allowed by name all others are invalid, and where there is a
    pattern those that are not of it, in the vocabulary or not.
    """

    def __init__(self, column: Column) -> None:
        known = len(column.vocabulary)
        self.other, self.missing, self.invalid = known, known + 1, known + 2
        self.boolean = boolean = column.kind is Kind.BOOLEAN
        self.unseen = self.invalid if boolean or column.allowed else self.other
        self.fits = matcher(column.pattern) if column.pattern else None
        self.codes: dict[Any, int] = {None: self.missing, WRONG: self.invalid}
        if boolean:
            self.codes |= {False: 0, True: 1}
            if column.coerce:
                self.codes |= {"false": 0, "true": 1, "0": 0, "1": 1}
            return
        texts = {str(text): self.other for text in column.allowed}
        texts |= {text: self._known(text, code, column) for code, text in enumerate(column.vocabulary)}
        texts |= {str(text): self.missing for text in column.sentinels}
        self.codes |= texts
        self.codes |= {number: code for text, code in texts.items() if (number := _number(text)) is not None}
        for flag in (False, True):  # True equals 1: where "1" is a category, true has met it already
            if str(flag).lower() in self.codes:
                self.codes.setdefault(flag, self.codes[str(flag).lower()])

    def _known(self, text: str, code: int, column: Column) -> int:
        allowed = (not column.allowed or text in column.allowed) and (self.fits is None or self.fits(text))
        return code if allowed else self.invalid

    def unknown(self, value: Any) -> int:
        """The slot of a value that has none of its own, where there is a pattern."""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return self.other if self.fits is None or self.fits(text) else self.invalid

    def remap(self, categories: Sequence[str]) -> Codes:
        """Codes of a table's own dictionary, (categories,), for a gather; texts only."""
        if self.boolean:
            flags = {"false": 0, "true": 1, "0": 0, "1": 1}
            return np.array([flags.get(text, self.invalid) for text in categories], dtype=np.int32)
        found = [self.codes.get(text, self.unseen) for text in categories]
        if self.fits is not None:
            pairs = zip(found, categories, strict=True)
            found = [self.unknown(text) if code == self.other else code for code, text in pairs]
        return np.array(found, dtype=np.int32)


def _number(text: str) -> int | float | None:
    try:
        number = float(text)
        whole = int(number) if abs(number) < _EXACT else int(text)
    except (ValueError, OverflowError):  # no number, or one that only a float64 of another value could stand for
        return None
    if str(whole) == text:
        return whole
    return number if repr(number) == text else None


def _coerced(value: Any) -> float | None:
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]  # decode has left only floats and None
    try:
        number = float(value) if "_" not in value else INVALID  # Python reads 1_000, nobody else does
    except ValueError:
        return INVALID
    return INVALID if math.isnan(number) else number
