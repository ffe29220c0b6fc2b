"""Secrets of targets: named by a file or a variable, read at every attempt, so that they can be rotated."""

import os
from pathlib import Path

from driftwatch.errors import SinkError


def read_secret(*, target: str, key: str, file: str | Path | None, variable: str | None) -> str:
    """Read the text of a secret, without the white space around it; `key` is what the table calls it, such as "token".

    Exactly one of file and variable is there. Raises SinkError, which never shows it, when it cannot be read or is
    empty.
    """
    if variable is not None:
        if variable not in os.environ:
            raise SinkError(f"target {target}: environment {variable}: it is not set")
        where, text = f"environment {variable}", os.environ[variable]
    else:
        where = f"{key}_file {file}"
        try:
            text = Path(file or "").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise SinkError(f"target {target}: {where}: {reason}") from error
    if not text.strip():
        raise SinkError(f"target {target}: {where}: the {key} is empty")
    return text.strip()
