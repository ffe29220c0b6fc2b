"""Data files of every format as one table of chunks: what the offline commands read."""

import glob
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from driftwatch.errors import DataError
from driftwatch.sources import table_csv, table_events, table_parquet
from driftwatch.stream.schema import Kind
from driftwatch.stream.table import Chunk, Form

_READERS: dict[str, ModuleType] = {
    ".csv": table_csv,
    ".parquet": table_parquet,
    ".pq": table_parquet,
    ".jsonl": table_events,
    ".ndjson": table_events,
    ".json": table_events,
}


def find(patterns: Sequence[str]) -> tuple[Path, ...]:
    """Expand files and globs, in the given order and by name within a glob; DataError when there is nothing to read."""
    found: list[Path] = []
    for pattern in patterns:
        matches = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))] or [Path(pattern)]  # noqa: PTH207 - the pattern may be absolute
        for path in matches:
            _check(path)
            found.append(path)
    if not found:
        raise DataError("no data files given: name CSV, Parquet or JSONL files")
    return tuple(dict.fromkeys(found))


def kinds(files: Sequence[Path]) -> dict[str, Kind | None]:
    """Infer the kind of every column of the table by the majority of its values; DataError when there are no rows.

    None stands for columns of times, lists and other values that are neither numbers nor categories. A column without
    any value is numeric.
    """
    votes: dict[str, Counter[Kind | None]] = {}
    for path in files:
        for name, count in _READERS[path.suffix.lower()].votes(path).items():
            votes.setdefault(name, Counter()).update(count)
    if not votes:
        raise DataError(f"{files[0]}: no rows: give files that hold data")
    return {name: count.most_common(1)[0][0] if count else Kind.NUMERIC for name, count in votes.items()}


def read(
    files: Sequence[Path], forms: Mapping[str, Form], *, progress: Callable[[int], None] = lambda _: None
) -> Iterator[Chunk]:
    """Read the wanted columns of all files, in order, in chunks of bounded size.

    A column that a file does not have is left out of its chunks. progress: told the bytes read so far.
    """
    rows = done_bytes = 0
    for path in files:
        reader = _READERS[path.suffix.lower()]
        present = forms if reader is table_events else _present(reader, path, forms)
        for chunk in reader.read(path, present, first_row=rows, progress=_shifted(progress, done_bytes)):
            yield chunk
            rows = chunk.first_row + chunk.rows
        done_bytes += path.stat().st_size


def size_bytes(files: Sequence[Path]) -> int:
    """Return the size of all files together."""
    return sum(path.stat().st_size for path in files)


def digest(files: Sequence[Path]) -> str:
    """Hash the bytes of all files, in order: hex SHA-256 over each file's SHA-256."""
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def _present(reader: ModuleType, path: Path, forms: Mapping[str, Form]) -> dict[str, Form]:
    names = reader.names(path)
    present = {name: form for name, form in forms.items() if name in names}
    if not present:
        raise DataError(
            f"{path}: has none of the columns {', '.join(sorted(forms))}; check the file or [models.fields]"
        )
    return present


def _shifted(progress: Callable[[int], None], offset: int) -> Callable[[int], None]:
    return lambda read_bytes: progress(offset + read_bytes)


def _check(path: Path) -> None:
    if path.suffix.lower() not in _READERS:
        raise DataError(f"{path}: unknown kind of file: name it .csv, .parquet or .jsonl according to what it holds")
    if not path.is_file():
        raise DataError(f"{path}: no such file: check the path")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: empty file: give a file that holds data")
