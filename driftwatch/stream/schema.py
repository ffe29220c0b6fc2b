"""What a model's events look like: its task, its columns, and where in the JSON each of them stands."""

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from driftwatch.errors import ConfigError
from driftwatch.spec import Spec, announced, mistake
from driftwatch.stream.patterns import matcher

SCORE, PREDICTION = "score", "prediction"
"""The names under which a model's own outputs appear among its columns."""


class Kind(StrEnum):
    """How a column's values are counted."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"


class Task(StrEnum):
    """What the model does; decides how `score`, `prediction` and `label` are read."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    RANKING = "ranking"
    NONE = "none"


class FieldsSpec(Spec):
    """`[models.fields]`: dotted paths of the event's parts, for producers with other names."""

    id: str = "id"
    time: str = "time"
    version: str = "version"
    score: str = SCORE
    prediction: str = PREDICTION
    label: str = "label"
    value: str = "value"
    features: str = "features"

    @model_validator(mode="after")
    def _lead_somewhere(self) -> Self:
        for name in type(self).model_fields:
            path = getattr(self, name)
            # The features alone may stand at the top, beside the rest.
            if not all(path.split(".")) and not (name == "features" and not path):
                raise mistake(name, 'write a dotted path without empty parts, such as "request.id"')
        return self


class ShareSpec(Spec):
    """One of a column's `share`: of its rows with a value, so many are `value`."""

    value: str | bool | int | float
    min: float = Field(default=0.0, ge=0, le=1)
    max: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="after")
    def _a_range(self) -> Self:
        if self.min > self.max:
            raise mistake("min", f"is {self.min:g}, which is more than max, {self.max:g}")
        if not {"min", "max"} & self.model_fields_set:
            raise ValueError("write min or max, or both")
        return self


class ColumnSpec(Spec):
    """`[models.columns] NAME = { kind, … }`: what the reference would otherwise decide by itself, and constraints.

    coerce: take numbers that stand in strings (and "true", "false" for booleans). importance: beside that of others.
    min_effect: the smallest change that matters, in place of the one of [models.alerting].
    min, max: of numbers; what lies outside is out of range, and one row is too many. nullable: false when a value must
    always be there. allowed, pattern: all else is invalid, and one row is too many; see `patterns`. sentinels: values
    that stand for none, and are missing. share: how many of the rows have some category. unique: no value may come
    twice; a column of which nothing else is said is looked at for that alone.
    """

    later: ClassVar = ("size",)

    kind: Annotated[Kind | None, announced("vector", "text", instead="put the column into `ignore`")] = Field(
        default=None, strict=False
    )
    coerce: bool = False
    importance: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    min_effect: Annotated[float, Field(ge=0, allow_inf_nan=False)] | dict[str, float] | None = None
    min: float | None = Field(default=None, allow_inf_nan=False)
    max: float | None = Field(default=None, allow_inf_nan=False)
    nullable: bool = True
    allowed: list[str | bool | int | float] = Field(default_factory=list, max_length=10_000)
    pattern: str = ""
    sentinels: list[str | bool | int | float] = Field(default_factory=list, max_length=100)
    unique: bool = False
    share: Annotated[list[ShareSpec], BeforeValidator(lambda given: [given] if isinstance(given, dict) else given)] = (
        Field(default_factory=list)
    )

    @field_validator("pattern")
    @classmethod
    def _a_pattern(cls, pattern: str) -> str:
        if pattern:
            matcher(pattern)
        return pattern

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise mistake("min", f"is {self.min:g}, which is more than max, {self.max:g}")
        if self.allowed and self.pattern:
            raise mistake("pattern", "there is a list of allowed values already; write one or the other")
        return self

    @property
    def only_unique(self) -> bool:
        """Whether nothing else is said of the column, so that its values are not counted."""
        return self.unique and self.model_fields_set == {"unique"}

    def describe(self, column: "Column") -> "Column":
        """The column as this describes it; ConfigError when a column of its kind cannot be so."""
        numeric = column.kind is Kind.NUMERIC
        for key in sorted(_OF_OTHERS[column.kind] & self.model_fields_set):
            raise ConfigError(f"{key}: a {column.kind} column has none; leave it out")
        for key in ("allowed", "sentinels"):
            if numeric and any(isinstance(value, str | bool) for value in getattr(self, key)):
                raise ConfigError(f"{key}: this column holds numbers; write numbers")
        return replace(
            column,
            coerce=self.coerce or column.coerce,
            least=-math.inf if self.min is None else self.min,
            greatest=math.inf if self.max is None else self.max,
            nullable=self.nullable,
            allowed=tuple(map(_plain, self.allowed)) if not numeric else tuple(map(float, self.allowed)),
            pattern=self.pattern,
            sentinels=tuple(map(_plain, self.sentinels)) if not numeric else tuple(map(float, self.sentinels)),
            shares=tuple((_plain(each.value), each.min, each.max) for each in self.share),
        )


_OF_OTHERS = {
    Kind.NUMERIC: {"pattern", "share"},
    Kind.CATEGORICAL: {"min", "max"},
    Kind.BOOLEAN: {"min", "max", "allowed", "pattern", "sentinels", "unique"},
}
"""Keys that columns of a kind cannot have."""


def _plain(value: str | float) -> str:
    """A value as the text of a category."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Column:
    """One monitored column.

    `vocabulary` holds the known categories of a categorical column, in slot order; a boolean's is ("false", "true").
    A score outside [minimum, maximum] is invalid. The rest is declared: numbers outside [least, greatest] are out of
    range; sentinels stand for no value; what is not allowed, or not of the pattern, is invalid; shares: category, least
    and greatest share of the rows with a value.
    """

    name: str
    kind: Kind
    vocabulary: tuple[str, ...] = ()
    coerce: bool = False
    minimum: float = -float("inf")
    maximum: float = float("inf")
    least: float = -float("inf")
    greatest: float = float("inf")
    nullable: bool = True
    allowed: tuple[str, ...] | tuple[float, ...] = ()
    pattern: str = ""
    sentinels: tuple[str, ...] | tuple[float, ...] = ()
    shares: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """One model's event form: `numeric` and `categorical` columns in layout order, booleans among the categorical.

    segments: names of columns that are read from an event's `segment` where its features do not have them.
    unique: names of those whose values may not come twice, columns or not.
    """

    model: str
    task: Task
    numeric: tuple[Column, ...]
    categorical: tuple[Column, ...]
    fields: FieldsSpec = field(default_factory=FieldsSpec)
    ignore: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the unique ones those that are no columns."""
        counted = {column.name for column in (*self.numeric, *self.categorical)}
        return tuple(name for name in self.unique if name not in counted)
