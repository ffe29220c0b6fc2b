"""Event files: JSON objects, one a line, read into chunks of columns named by their dotted paths."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from driftwatch.errors import DataError
from driftwatch.sources.table_arrow import parsed, plain, time_ms
from driftwatch.stream.batch import MISSING
from driftwatch.stream.convert import finite
from driftwatch.stream.schema import Kind
from driftwatch.stream.table import NULL, WRONG, Chunk, Encoded, Form
from driftwatch.stream.times import BAD_TIME, EARLIEST_MS, LATEST_MS

_ROWS = 8192


def read(
    path: Path, forms: Mapping[str, Form], *, first_row: int, progress: Callable[[int], None] = lambda _: None
) -> Iterator[Chunk]:
    """Read a file in chunks; a column that no event of the chunk has is left out. DataError names the bad line."""
    rows = _rows(path, progress)
    while batch := list(islice(rows, _ROWS)):
        columns = {
            name: _convert([row.get(name) for row in batch], form)
            for name, form in forms.items()
            if any(name in row for row in batch)
        }
        yield Chunk(columns, len(batch), first_row)
        first_row += len(batch)


def votes(path: Path) -> dict[str, Counter[Kind | None]]:
    """Count how often each column holds which kind of value, over the first events and on until each has spoken."""
    seen: dict[str, Counter[Kind | None]] = {}
    rows = _rows(path, lambda _: None)
    while batch := list(islice(rows, _ROWS)):
        for row in batch:
            for name, value in row.items():
                count = seen.setdefault(name, Counter())
                if value is not None:
                    count[_kind(value)] += 1
        if all(seen.values()):
            break
    return seen


def _rows(path: Path, progress: Callable[[int], None]) -> Iterator[dict[str, Any]]:
    read_bytes = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            read_bytes += len(line)
            if number % _ROWS == 0:
                progress(read_bytes)
            if line.strip():
                yield from _events(line, path, number)
    progress(read_bytes)


def _events(line: bytes, path: Path, number: int) -> Iterator[dict[str, Any]]:
    try:
        document = msgspec.json.decode(line)
    except msgspec.DecodeError:
        # NaN and Infinity, which some writers emit, are no JSON but their rows are welcome.
        try:
            document = json.loads(line)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path}:{number}: not JSON ({error}); write one JSON object a line") from None
    for event in document if isinstance(document, list) else [document]:
        if not isinstance(event, dict):
            raise DataError(f"{path}:{number}: an event is a JSON object; write one a line")
        columns = event.get("columns")
        if isinstance(columns, dict) and columns and all(isinstance(values, list) for values in columns.values()):
            shared = {name: value for name, value in event.items() if name != "columns"}
            if len({len(values) for values in columns.values()}) != 1:
                raise DataError(f"{path}:{number}: the columns have different lengths")
            yield from (
                {**shared, **dict(zip(columns, row, strict=True))} for row in zip(*columns.values(), strict=True)
            )
        else:
            yield _flat(event)


def _flat(event: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in event.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _kind(value: Any) -> Kind | None:
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int | float):
        return Kind.NUMERIC
    return Kind.CATEGORICAL if isinstance(value, str) else None


def _convert(values: list[Any], form: Form) -> Any:
    if form is Form.TIME:
        return np.array([_time(value) for value in values], dtype=np.int64)
    if form in {Form.NUMBER, Form.NUMBER_OR_TEXT}:
        return np.array([_number(value, coerce=form is Form.NUMBER_OR_TEXT) for value in values], dtype=np.float64)
    texts = [_text(value) for value in values]
    places: dict[str | int, int] = {NULL: NULL, WRONG: WRONG}
    codes = [places.setdefault(text, len(places) - 2) for text in texts]
    return Encoded(np.array(codes, dtype=np.int32), tuple(name for name in places if isinstance(name, str)))


def _number(value: Any, *, coerce: bool) -> float:
    if value is None:
        return MISSING
    if isinstance(value, str) and coerce:
        return parsed(value)
    return finite(value)  # a NaN token is a value that is no number; only null is missing


def _text(value: Any) -> str | int:
    if value is None:
        return NULL
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    return plain(value) if isinstance(value, float) and math.isfinite(value) else WRONG


def _time(value: Any) -> int:
    if isinstance(value, str):
        return time_ms(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and EARLIEST_MS <= value <= LATEST_MS:
        return math.floor(value)
    return BAD_TIME
