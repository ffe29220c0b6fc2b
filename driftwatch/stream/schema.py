"""What a model's events look like: its task, its columns, and where in the JSON each of them stands."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from driftwatch.spec import Spec, announced, mistake

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


class ColumnSpec(Spec):
    """`[models.columns] NAME = { kind, coerce, importance }`: what the reference would otherwise decide by itself.

    coerce: take numbers that stand in strings (and "true", "false" for booleans). importance: beside that of others.
    """

    later: ClassVar = ("min", "max", "nullable", "size")

    kind: Annotated[Kind | None, announced("vector", "text", instead="put the column into `ignore`")] = Field(
        default=None, strict=False
    )
    coerce: bool = False
    importance: float | None = Field(default=None, ge=0, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Column:
    """One monitored column.

    `vocabulary` holds the known categories of a categorical column, in slot order; a boolean's is ("false", "true").
    Numbers outside [minimum, maximum] are out of range, which for a score means `invalid`.
    """

    name: str
    kind: Kind
    vocabulary: tuple[str, ...] = ()
    coerce: bool = False
    minimum: float = -float("inf")
    maximum: float = float("inf")


@dataclass(frozen=True, slots=True)
class Schema:
    """One model's event form: `numeric` and `categorical` columns in layout order, booleans among the categorical.

    segments: names of columns that are read from an event's `segment` where its features do not have them.
    """

    model: str
    task: Task
    numeric: tuple[Column, ...]
    categorical: tuple[Column, ...]
    fields: FieldsSpec = field(default_factory=FieldsSpec)
    ignore: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
