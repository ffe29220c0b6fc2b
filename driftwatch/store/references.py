"""Reference files: read whole, written so that a crash leaves the old file or the new one, never half of one."""

import os
import tempfile
from pathlib import Path

from driftwatch.errors import DataError, StateError
from driftwatch.summaries.reference import Reference


def load(path: Path) -> Reference:
    """Read a reference; DataError when there is no such file, StateError when it cannot be trusted."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such reference: make one with `driftwatch reference build`") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return Reference.from_bytes(data)
    except StateError as error:
        raise StateError(f"{path}: {error}") from None


def save(reference: Reference, path: Path) -> None:
    """Write a reference, durable when this returns; DataError when the place cannot be written."""
    try:
        _replace(path, reference.to_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None


def _replace(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
