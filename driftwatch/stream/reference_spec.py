"""Where a model's reference comes from: a file, the first part of its own stream, what went before, or a season."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from driftwatch.spec import LocatedPath, PositiveDurationMs, Spec, duration_ms, mistake
from driftwatch.stream.season import MONTHS, YEAR_MS, Season

LEAST_ROWS = 500
"""Fewer rows say too little of a column's usual spread for a reference."""

_FORMS = 'name a file in quotes, or write a table such as { first = "7d" } or { first_rows = 50000 }'


def _season_ms(text: Any) -> int:
    """A duration, or "1y": the calendar's year, which is no fixed number of days."""
    milliseconds = YEAR_MS if text == "1y" else duration_ms(text)
    if not milliseconds:
        raise ValueError("must be longer than zero")
    return milliseconds


class ReferenceSpec(Spec):
    """`reference = "FILE"`, `{ first }`, `{ first_rows }`, `{ rolling, file }` or `{ season, slots, file }`.

    file: made by `driftwatch reference build`. first, first_rows: learn from the stream's first so long (event time),
    or from so many of its rows. min_rows: go on learning until there are so many, however long it takes.
    max_bytes: what the events to learn from may take on disk; beyond, the first of them are all that is learnt from.
    rolling: compare with the time of this length before each window; the file has the bins, and stands in until so much
    has been seen. season, slots: compare with the same part of the season, which is cut into so many, in UTC;
    "1y" is cut into the calendar's 12 months. The file has to be built with the season.
    """

    file: LocatedPath | None = None
    first: PositiveDurationMs | None = None
    first_rows: int | None = Field(default=None, ge=1, le=100_000_000)
    min_rows: int = Field(default=LEAST_ROWS, ge=1, le=100_000_000)
    max_bytes: int = Field(default=1 << 30, ge=1)
    rolling: PositiveDurationMs | None = None
    season: Annotated[int, BeforeValidator(_season_ms)] | None = None
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
            what = ", one made by `driftwatch reference build`" if key == "file" else ""
            raise mistake(key, f"this key is missing, {form} needs it{what}")
        if self.season is not None and self.slots is not None:
            if self.season == YEAR_MS and self.slots != MONTHS:
                raise mistake("slots", "a year is cut into its 12 months; write 12")
            if self.season % self.slots:
                raise mistake("slots", "does not cut the season into equal parts of whole milliseconds; write another")
        return self

    @property
    def seasons(self) -> Season | None:
        """The season whose slots the reference has to hold."""
        return None if self.season is None or self.slots is None else Season(self.season, self.slots)

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
_NEEDED = {"season": {"slots", "file"}, "rolling": {"file"}}
