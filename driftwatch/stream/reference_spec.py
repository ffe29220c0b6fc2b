"""Where a model's reference comes from: a file, the first part of its own stream, what went before, or a season."""

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from driftwatch.spec import LocatedPath, PositiveDurationMs, Spec, mistake

LEAST_ROWS = 500
"""Fewer rows say too little of a column's usual spread for a reference."""

_FORMS = 'name a file in quotes, or write a table such as { first = "7d" } or { first_rows = 50000 }'


class ReferenceSpec(Spec):
    """`reference = "FILE"`, `{ first }`, `{ first_rows }`, `{ rolling, file }` or `{ season, slots, file }`.

    file: made by `driftwatch reference build`. first, first_rows: learn from the stream's first so long (event time),
    or from so many of its rows. min_rows: go on learning until there are so many, however long it takes.
    max_bytes: what the events to learn from may take on disk; beyond, the first of them are all that is learnt from.
    rolling: compare with the time of this length before each window. season, slots: compare with the same part of the
    season, which is cut into so many.
    """

    later: ClassVar = ("rolling", "season", "slots")

    file: LocatedPath | None = None
    first: PositiveDurationMs | None = None
    first_rows: int | None = Field(default=None, ge=1, le=100_000_000)
    min_rows: int = Field(default=LEAST_ROWS, ge=1, le=100_000_000)
    max_bytes: int = Field(default=1 << 30, ge=1)
    rolling: PositiveDurationMs | None = None
    season: PositiveDurationMs | None = None
    slots: int | None = Field(default=None, ge=1, le=10_000)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"file": value}
        if not isinstance(value, dict | cls):
            raise PydanticCustomError("reference", _FORMS)
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        given = self.model_fields_set
        forms = [key for key in ("first", "first_rows", "rolling", "season") if key in given]
        if forms[1:]:
            raise mistake(forms[1], f"there is {forms[0]} already, and there is one kind of reference; leave one out")
        form = forms[0] if forms else "file"
        if not given & {form}:
            raise ValueError('write one of file, first or first_rows, such as { first = "7d" }')
        for key in sorted(given - _KEYS[form]):
            raise mistake(key, f"does not go with {form}; leave it out")
        for key in sorted(_NEEDED.get(form, set()) - given):
            raise mistake(key, f"this key is missing, {form} needs it")
        return self

    @property
    def learns(self) -> bool:
        """Whether the reference is learnt from the first part of the stream."""
        return self.first is not None or self.first_rows is not None

    @property
    def least_rows(self) -> int:
        """With fewer rows there is no reference yet."""
        return self.first_rows or self.min_rows


_KEYS = {
    "file": {"file"},
    "first": {"first", "min_rows", "max_bytes"},
    "first_rows": {"first_rows", "max_bytes"},
    "rolling": {"rolling", "file"},
    "season": {"season", "slots", "file"},
}
_NEEDED = {"season": {"slots", "file"}}
