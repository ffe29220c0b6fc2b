"""Which of many tests found something, when a stated share of the findings may be false.

The false discovery rate is the expected share of the findings that are false, 0 where there are none (Benjamini and
Hochberg 1995). From e-values it is kept whatever the dependence of the tests (Wang and Ramdas 2022,
https://arxiv.org/abs/2009.02824).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def by_p_values(p_values: Floats, *, rate: float) -> Flags:
    """(tests,) what is found by Benjamini and Hochberg's rule; NaN is no test.

    The rate is kept where tests are independent or depend on each other positively.
    """
    told = ~np.isnan(p_values)
    found = np.zeros(p_values.shape, dtype=np.bool_)
    ordered = np.sort(p_values[told])
    below = np.flatnonzero(ordered <= rate * np.arange(1, ordered.size + 1) / max(1, ordered.size))
    if below.size:
        found[told] = p_values[told] <= ordered[below[-1]]
    return found


def by_e_values(e_values: Floats, *, rate: float) -> Flags:
    """(tests,) what is found by the e-BH rule; NaN is no test. The rate is kept whatever the dependence."""
    told = ~np.isnan(e_values)
    with np.errstate(divide="ignore"):
        inverse = np.where(told, 1 / np.where(told, e_values, 1.0), np.nan)
    return by_p_values(inverse, rate=rate)


def e_values_of(p_values: Floats) -> Floats:
    """(tests,) e-values that these p-values are worth: (1 - p + p ln p) / (p ln² p), the mean of κ p^(κ-1) over κ.

    Vovk and Wang 2021, https://doi.org/10.1214/20-AOS2020; 1/2 where p is 1, at most 1e300.
    """
    p = np.clip(p_values, 1e-305, 1 - 1e-9)
    logarithm = np.log(p)
    worth: Floats = (1 - p + p * logarithm) / (p * logarithm**2)
    return np.minimum(worth, 1e300)
