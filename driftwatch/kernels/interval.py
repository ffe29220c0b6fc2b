"""A metric's value between its bounds."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
Z = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Interval:
    """value: by the standard formula; lower, upper: 95 % bounds of the true value. One shape; NaN where undefined."""

    value: Floats
    lower: Floats
    upper: Floats

    def at(self, place: int) -> Self:
        """One of many along the first axis."""
        return type(self)(self.value[place], self.lower[place], self.upper[place])
