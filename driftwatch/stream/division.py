"""How a person says by what a model's rows are divided: `segments` and `protected` of a model."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from driftwatch.errors import ConfigError
from driftwatch.spec import Spec, mistake
from driftwatch.stream.grammar import columns_of, parse

MOST_DIMENSIONS = 64
"""Of a list; a row that waits for its label carries a code of each."""
QUANTILES = 4
"""Ranges of a numeric column that is named without saying how many."""

_PAIR = 2
_FORMS = ("column", "where", "cross")


class SideSpec(Spec):
    """A column to divide by, "channel" or { column = "amount", quantiles = 4 }, such as one side of a crossing.

    One of categories is divided by its values, a numeric one at quantiles of the reference.
    """

    hints: ClassVar = dict.fromkeys(("name", "where", "cross"), "only columns can be crossed")

    column: str = Field(min_length=1)
    quantiles: int | None = Field(default=None, ge=2, le=100)

    @model_validator(mode="before")
    @classmethod
    def _a_column_alone(cls, value: Any) -> Any:
        return _table(value)


class SegmentSpec(Spec):
    """One way to divide: that of a `SideSpec`, { name, where } or { cross = [two columns] }.

    where: a condition, see `stream.conditions`.
    """

    column: str | None = Field(default=None, min_length=1)
    quantiles: int | None = Field(default=None, ge=2, le=100)
    name: str | None = Field(default=None, min_length=1)
    where: str | None = Field(default=None, min_length=1)
    cross: list[SideSpec] | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_column_alone(cls, value: Any) -> Any:
        return _table(value)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        said = [form for form in _FORMS if getattr(self, form) is not None]
        if not said:
            raise ValueError("write `column`, or `name` and `where`, or `cross`")
        if said[1:]:
            raise mistake(said[1], f"it cannot stand beside `{said[0]}`; write two segments")
        if self.quantiles is not None and self.column is None:
            raise mistake("quantiles", "only a column has them; leave it out")
        if self.where is not None and self.name is None:
            raise mistake("name", "this key is missing; reports call the rows by it")
        if self.name is not None and self.where is None:
            raise mistake("name", "only a condition has a name; leave it out")
        if self.name is not None and not _is_name(self.name):
            raise mistake("name", "write at most 100 printable characters, without space around them")
        if self.where is not None:
            _check_condition(self.where)
        if self.cross is not None:
            _check_crossing(self.cross)
        return self

    @property
    def sides(self) -> tuple[SideSpec, ...]:
        """The columns that it names as such: none of a condition, two of a crossing."""
        if self.cross is not None:
            return tuple(self.cross)
        return () if self.column is None else (SideSpec(column=self.column, quantiles=self.quantiles),)

    @property
    def title(self) -> str:
        """What the dimension is called."""
        return self.name or "&".join(side.column for side in self.sides)


def _table(value: Any) -> Any:
    if isinstance(value, str):
        return {"column": value}
    if not isinstance(value, dict):
        raise ValueError('write the name of a column, or a table such as { name = "big", where = "amount > 1000" }')  # noqa: TRY004 - pydantic words ValueErrors
    return value


def _is_name(text: str) -> bool:
    return len(text) <= 100 and text.isprintable() and text == text.strip()


def _check_condition(text: str) -> None:
    try:
        parse(text)
    except ConfigError as error:
        raise mistake("where", str(error)) from error


def _check_crossing(sides: Sequence[SideSpec]) -> None:
    if len(sides) != _PAIR:
        raise mistake("cross", 'write two columns, such as ["channel", "country"]')
    if sides[0].column == sides[1].column:
        raise mistake("cross", "both are one column; cross two")


def _told_apart(specs: list[SegmentSpec]) -> list[SegmentSpec]:
    if len(specs) > MOST_DIMENSIONS:
        raise ValueError(f"these are {len(specs)}; write at most {MOST_DIMENSIONS}")
    titles = [spec.title for spec in specs]
    for title in titles:
        if titles.count(title) > 1:
            raise ValueError(f'"{title}" stands there twice; leave one out')
    return specs


SegmentSpecs = Annotated[list[SegmentSpec], AfterValidator(_told_apart)]
"""A list of them, of which no two have one title."""


def named_columns(specs: Iterable[SegmentSpec]) -> tuple[str, ...]:
    """The columns that they look at, in order and once each."""
    return tuple(dict.fromkeys(name for spec in specs for name in _columns(spec)))


def _columns(spec: SegmentSpec) -> list[str]:
    return [side.column for side in spec.sides] if spec.where is None else list(columns_of(parse(spec.where)))
