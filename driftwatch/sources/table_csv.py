"""CSV files in bounded blocks: a word among numbers costs one value, not the file."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from driftwatch.errors import DataError
from driftwatch.sources.table_arrow import convert, kind_of
from driftwatch.stream.schema import Kind
from driftwatch.stream.table import Chunk, Encoded, Form

_BLOCK_BYTES = 4 << 20
_NUMBERS = {Form.NUMBER, Form.NUMBER_OR_TEXT}


def read(
    path: Path, forms: Mapping[str, Form], *, first_row: int, progress: Callable[[int], None] = lambda _: None
) -> Iterator[Chunk]:
    """Read a file in chunks; forms: the wanted columns, among those of the file."""
    texts = {name for name, form in forms.items() if form not in _NUMBERS}
    done = 0
    while True:
        try:
            for chunk in _chunks(path, forms, texts=texts, progress=progress, skip=done):
                yield Chunk(chunk, _rows(chunk), first_row + done)
                done += _rows(chunk)
        except pa.ArrowInvalid as error:
            # A word among the numbers: the rest is read as text and parsed value by value.
            if texts >= forms.keys():
                raise DataError(f"{path}: not readable as CSV: {_one_line(error)}") from None
            texts = set(forms)
        else:
            progress(path.stat().st_size)
            return


def names(path: Path) -> list[str]:
    """Return the header's column names."""
    try:
        with _open(path, pa.csv.ConvertOptions(**_NULLS)) as reader:
            return list(reader.schema.names)
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: not readable as CSV: {_one_line(error)}") from None


def votes(path: Path) -> dict[str, Counter[Kind | None]]:
    """Count how often each column holds which kind of value, in the first block and on until each has spoken."""
    seen: dict[str, Counter[Kind | None]] = {}
    try:
        with _open(path, pa.csv.ConvertOptions(**_NULLS)) as reader:
            first = reader.read_next_batch()
    except StopIteration:
        return seen
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: not readable as CSV: {_one_line(error)}") from None
    for name, column in zip(first.schema.names, first.columns, strict=True):
        seen[name] = _votes(column)
    silent = {name: Form.CATEGORY for name, count in seen.items() if not count}
    for chunk in read(path, silent, first_row=0) if silent else ():
        for name, column in chunk.columns.items():
            assert isinstance(column, Encoded)
            seen[name] += _votes(pa.array(column.categories, type=pa.string()))
        if all(seen.values()):
            break
    return seen


_NULLS: dict[str, Any] = {"strings_can_be_null": True, "quoted_strings_can_be_null": False}


def _open(path: Path, options: Any) -> Any:
    blocks = pa.csv.ReadOptions(block_size=_BLOCK_BYTES)
    return pa.csv.open_csv(path, read_options=blocks, convert_options=options)


def _chunks(
    path: Path, forms: Mapping[str, Form], *, texts: set[str], progress: Callable[[int], None], skip: int
) -> Iterator[dict[str, Any]]:
    types = {name: pa.dictionary(pa.int32(), pa.string()) if name in texts else pa.float64() for name in forms}
    options = pa.csv.ConvertOptions(column_types=types, include_columns=list(forms), **_NULLS)
    read_bytes = 0
    with _open(path, options) as reader:
        for batch in reader:
            read_bytes += batch.nbytes
            progress(min(read_bytes, path.stat().st_size))
            if skip >= batch.num_rows:
                skip -= batch.num_rows
                continue
            rest = batch.slice(skip)
            skip = 0
            yield {name: convert(rest.column(name), form) for name, form in forms.items()}


def _rows(chunk: dict[str, Any]) -> int:
    column = next(iter(chunk.values()))
    return len(column.codes if isinstance(column, Encoded) else column)


def _votes(column: Any) -> Counter[Kind | None]:
    """In a column of texts each value votes: a file with words among numbers is typed by its majority."""
    kind = kind_of(column.type)
    count = len(column) - column.null_count
    if not count:
        return Counter()
    if kind is not Kind.CATEGORICAL:
        return Counter({kind: count})
    numbers = np.asarray(convert(column, Form.NUMBER))
    numeric = int(np.isfinite(numbers).sum())
    return Counter({Kind.NUMERIC: numeric, Kind.CATEGORICAL: count - numeric})


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
