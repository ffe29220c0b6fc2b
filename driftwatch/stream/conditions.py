"""Which rows meet a condition: a tree bound to the columns of a layout, over arrays.

A condition is true, false or unknown of a row, as in SQL. A comparison with a value that is missing or invalid is
unknown, and so is its contrary; `and`, `or` and `not` carry it on; a row meets a condition that is true. So neither
`amount > 1000` nor `not amount > 1000` is met by a row without an amount, which only `amount is missing` finds. What is
invalid is not missing. A category that the reference does not know is counted as `other`: whether a row of `other`
equals it is unknown, and nothing ever does surely.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Codes, Floats
from driftwatch.stream.convert import Lookup
from driftwatch.stream.dimensions import NOBODY, Members
from driftwatch.stream.grammar import (
    Comparison,
    Every,
    Literal,
    Membership,
    Missing,
    Name,
    Not,
    Order,
    Some,
    Tree,
    parse,
)
from driftwatch.stream.schema import Column, Kind
from driftwatch.stream.tokens import fail, shown

Mask = NDArray[np.bool_]
Truth = tuple[Mask, Mask]
"""(rows,) where it is true, and where it is false; elsewhere it is unknown."""
Test = Callable[[Floats, Codes], Truth]

_NUMERIC: Mapping[Order, Callable[[Floats, float], Mask]] = {
    Order.EQUAL: np.equal,
    Order.UNEQUAL: np.not_equal,
    Order.LESS: np.less,
    Order.LESS_EQUAL: np.less_equal,
    Order.MORE: np.greater,
    Order.MORE_EQUAL: np.greater_equal,
}
_FLAGS = {"false": 0, "true": 1, False: 0, True: 1}


@dataclass(frozen=True)
class Condition:
    """A condition on columns: numeric (columns, rows) and categorical (columns, rows) as in `Batch`.

    unmet: what it compares with that the reference does not know, as (column, value), and that is never surely met.
    """

    text: str
    unmet: tuple[tuple[str, str], ...]
    _test: Test = field(repr=False, compare=False)

    @classmethod
    def of(cls, text: str, numeric: Sequence[Column], categorical: Sequence[Column]) -> "Condition":
        """Read a condition on these columns; ConfigError when it is none, or not one on them."""
        binder = _Binder(numeric, categorical)
        test = binder.bind(parse(text))
        return cls(text, tuple(dict.fromkeys(binder.unmet)), test)

    def judge(self, numeric: Floats, categorical: Codes) -> Truth:
        """Where it is true, and where it is false, each (rows,)."""
        return self._test(numeric, categorical)


@dataclass(frozen=True)
class ByCondition:
    """Rows that meet a condition; with `contrary` also those that surely do not, as a member of its own."""

    name: str
    condition: Condition
    contrary: bool = False

    @property
    def members(self) -> tuple[str, ...]:
        """The condition's name, and its contrary's."""
        return (self.name, f"not {self.name}") if self.contrary else (self.name,)

    def codes(self, numeric: Floats, categorical: Codes) -> Members:
        """Which member each row is in."""
        true, false = self.condition.judge(numeric, categorical)
        members: Members = np.where(true, 0, np.where(false & self.contrary, 1, NOBODY)).astype(np.int16)
        return members


class _Binder:
    """Finds the columns of a tree and checks that its values are such as they hold."""

    def __init__(self, numeric: Sequence[Column], categorical: Sequence[Column]) -> None:
        self._numeric = {column.name: place for place, column in enumerate(numeric)}
        self._categorical = {column.name: (place, column) for place, column in enumerate(categorical)}
        self.unmet: list[tuple[str, str]] = []

    def bind(self, tree: Tree) -> Test:
        if isinstance(tree, Every | Some):
            tests = [self.bind(part) for part in tree.parts]
            return _both(tests) if isinstance(tree, Every) else _contrary(_both([_contrary(test) for test in tests]))
        if isinstance(tree, Not):
            return _contrary(self.bind(tree.inner))
        name = tree.column
        if name.name in self._numeric:
            return self._number(tree, self._numeric[name.name])
        if name.name in self._categorical:
            return self._category(tree, *self._categorical[name.name])
        return self._unknown(name)

    def _unknown(self, name: Name) -> Test:
        known = {each.casefold(): each for each in (*self._numeric, *self._categorical)}
        near = get_close_matches(name.name[:100].casefold(), list(known), n=3, cutoff=0.65)
        meant = ", ".join(f'"{known[each]}"' for each in near)
        hint = f"did you mean {meant}?" if meant else "`driftwatch reference show` lists its columns"
        fail(name.place, f"the reference has no column {shown(name.name)}; {hint}")

    def _number(self, tree: Comparison | Membership | Missing, place: int) -> Test:
        if isinstance(tree, Missing):
            return lambda numeric, _: _certain(np.isnan(numeric[place]))
        literals = tree.literals if isinstance(tree, Membership) else (tree.literal,)
        for literal in literals:
            if isinstance(literal.value, str | bool):
                fail(literal.place, f"{shown(tree.column.name)} is a number; compare it with one, without quotes")
        values = np.array([literal.value for literal in literals], dtype=np.float64)
        order = tree.order if isinstance(tree, Comparison) else None

        def test(numeric: Floats, _: Codes) -> Truth:
            line = numeric[place]
            met = np.isin(line, values) if order is None else _NUMERIC[order](line, values[0])
            known = np.isfinite(line)
            return met & known, ~met & known

        return test

    def _category(self, tree: Comparison | Membership | Missing, place: int, column: Column) -> Test:
        lookup = Lookup(column)
        true, false = np.zeros(lookup.invalid + 1, np.bool_), np.zeros(lookup.invalid + 1, np.bool_)
        if isinstance(tree, Missing):
            true[lookup.missing] = True
            return _looked_up(place, true, ~true)
        literals = tree.literals if isinstance(tree, Membership) else (tree.literal,)
        codes = [self._code(literal, lookup, column) for literal in literals]
        known = [code for code in codes if code is not None]
        true[known] = True
        false[: lookup.other] = ~true[: lookup.other]
        false[lookup.other] = len(known) == len(codes)
        if isinstance(tree, Comparison) and tree.order is Order.UNEQUAL:
            true, false = false, true
        elif isinstance(tree, Comparison) and tree.order is not Order.EQUAL:
            fail(tree.place, f"{shown(column.name)} is no number and has no order; use == != or in")
        return _looked_up(place, true, false)

    def _code(self, literal: Literal, lookup: Lookup, column: Column) -> int | None:
        """The slot of a value, or None where the reference does not know it."""
        value = literal.value
        if column.kind is Kind.BOOLEAN:
            if value not in _FLAGS:
                fail(literal.place, f"{shown(column.name)} is true or false; compare it with one of these")
            return _FLAGS[value]
        code = lookup.codes.get(value)
        if code is None:
            self.unmet.append((column.name, str(value)))
        return code


def _looked_up(place: int, true: Mask, false: Mask) -> Test:
    return lambda _, categorical: (true.take(categorical[place]), false.take(categorical[place]))


def _certain(met: Mask) -> Truth:
    return met, ~met


def _contrary(test: Test) -> Test:
    def swapped(numeric: Floats, categorical: Codes) -> Truth:
        true, false = test(numeric, categorical)
        return false, true

    return swapped


def _both(tests: Sequence[Test]) -> Test:
    def every(numeric: Floats, categorical: Codes) -> Truth:
        true, false = tests[0](numeric, categorical)
        for test in tests[1:]:
            also, never = test(numeric, categorical)
            true, false = true & also, false | never
        return true, false

    return every
