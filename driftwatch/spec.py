"""What a person writes in TOML: the base of every Spec, and the types that turn words into numbers.

A `Spec` is frozen and refuses unknown keys; it lives in the file that it configures. `config.py` only assembles them.
"""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")


class Spec(BaseModel):
    """Base of everything configurable: immutable, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def duration_ms(text: Any) -> int:
    """Turn "90s", "1h30m" or "2d" into milliseconds; units: ms s m h d w.

    Raises ValueError on anything else, a bare number included: its unit would be a guess.
    """
    if not isinstance(text, str):
        raise ValueError('write a duration as text with a unit, such as "90s", "1h30m" or "7d"')  # noqa: TRY004 - pydantic words ValueErrors
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(
            f'"{text}" is no duration: write a number and a unit (ms, s, m, h, d, w), such as "90s" or "1h30m"'
        )
    return round(sum(float(number) * _UNITS_MS[unit] for number, unit in parts))


def _positive(milliseconds: int) -> int:
    if milliseconds <= 0:
        raise ValueError("must be longer than zero")
    return milliseconds


DurationMs = Annotated[int, BeforeValidator(duration_ms)]
"""A duration in milliseconds, zero allowed; written as "5m"."""

PositiveDurationMs = Annotated[int, BeforeValidator(lambda text: _positive(duration_ms(text)))]
"""A duration in milliseconds, longer than zero; written as "5m"."""
