"""Parquet files in batches of rows."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from driftwatch.errors import DataError
from driftwatch.sources.table_arrow import convert, kind_of
from driftwatch.stream.schema import Kind
from driftwatch.stream.table import Chunk, Form

_ROWS = 65_536
_BUFFER_BYTES = 1 << 20


def read(
    path: Path, forms: Mapping[str, Form], *, first_row: int, progress: Callable[[int], None] = lambda _: None
) -> Iterator[Chunk]:
    """Read a file in chunks; forms: the wanted columns, among those of the file."""
    size, done = path.stat().st_size, 0
    with _open(path) as file:
        total = max(1, file.metadata.num_rows)
        try:
            for batch in file.iter_batches(batch_size=_ROWS, columns=list(forms)):
                columns = {name: convert(batch.column(name), form) for name, form in forms.items()}
                yield Chunk(columns, batch.num_rows, first_row + done)
                done += batch.num_rows
                progress(size * done // total)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: damaged Parquet after row {done}: {' '.join(str(error).split())}") from None


def names(path: Path) -> list[str]:
    """Return the names of the file's columns."""
    with _open(path) as file:
        return list(file.schema_arrow.names)


def votes(path: Path) -> dict[str, Counter[Kind | None]]:
    """Each column votes with all the rows of the file: its type is declared."""
    with _open(path) as file:
        rows = file.metadata.num_rows
        return {
            field.name: Counter() if pa.types.is_null(field.type) else Counter({kind_of(field.type): rows})
            for field in file.schema_arrow
        }


def _open(path: Path) -> Any:
    try:
        # Pages are read one by one: a row group may be larger than memory.
        return pa.parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not readable as Parquet: {' '.join(str(error).split())}") from None
