"""Secrets of targets: named by a file or a variable, read at every attempt, so that they can be rotated."""

import os
from pathlib import Path

from driftwatch.errors import SinkError

MAX_SECRETS = 4
"""So many may be valid at once while they are rotated."""


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


def read_secrets(*, target: str, key: str, file: str | Path | None, variable: str | None) -> tuple[str, ...]:
    """Read several secrets, separated by white space: the newest first. Raises SinkError as `read_secret` does."""
    secrets = tuple(read_secret(target=target, key=key, file=file, variable=variable).split())
    if len(secrets) > MAX_SECRETS:
        raise SinkError(f"target {target}: there are {len(secrets)} of the {key}; keep at most {MAX_SECRETS}")
    return secrets
