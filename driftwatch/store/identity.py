"""What this deployment is called: an id made once, that lives beside its state and is not copied by a backup."""

import os
import uuid
from pathlib import Path
from typing import Final

from driftwatch.errors import StateError

FILE: Final = "driftwatch.id"


def deployment_id(directory: Path) -> str:
    """Read the directory's id, or make it at the first start; StateError when neither can be done.

    Whoever shares a consumer group with another deployment is told so by it. Call with the directory locked.
    """
    file = directory / FILE
    try:
        if file.exists():
            found = file.read_text(encoding="ascii").strip()
            if found:
                return found
        made = uuid.uuid4().hex
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as writer:
            writer.write(made + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"{file}: cannot be read or written: {error}; delete it to be given a new id") from error
    return made
