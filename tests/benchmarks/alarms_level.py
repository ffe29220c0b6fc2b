"""Prints how often a window is called changed where nothing has: `python -m tests.benchmarks.alarms_level [columns]`.

One line per distribution, reference and window, over so many window-columns (100 000 unless told), each with a
reference of its own; the share of p-values up to 10 and 1 per 1 000, per 1 000, each with the count that a true level
would pass in one run of a hundred; a line that passes it ends in `!`.
"""

import sys

import numpy as np
from scipy import stats

from tests.benchmarks.alarms_columns import FIVE, ZIPF, categorical, continuous

REFERENCES = (1_000, 10_000, 100_000)
WINDOWS = (100, 500, 1_000, 5_000)
LEVELS = (0.01, 0.001)
# What is tested are ranks: three continuous distributions are three runs of one.
KINDS = {"normal": None, "lognormal": None, "exponential": None, "5 categories": FIVE, "50 Zipf categories": ZIPF}
_BLOCK = 1_000


def p_values(kind: str, n: int, m: int, *, columns: int) -> np.ndarray:
    """(columns,) of windows like their references."""
    rng = np.random.default_rng([list(KINDS).index(kind), n, m])
    shares, found = KINDS[kind], []
    for _ in range(columns // _BLOCK):
        if shares is None:
            found.append(continuous(rng, n, m, columns=_BLOCK).combined())
        else:
            found.append(categorical(rng, shares, n, m, columns=_BLOCK).combined())
    return np.concatenate(found)


def main(columns: int = 100_000) -> None:
    """Print the table."""
    bounds = [stats.binom.ppf(0.99, columns, level) / columns * 1000 for level in LEVELS]
    print(f"Per 1 000 of {columns} window-columns; 99 % binomial bounds {bounds[0]:.2f} and {bounds[1]:.2f}.\n")
    print("| distribution | reference | " + " | ".join(f"window {m}" for m in WINDOWS) + " |")
    print("|---|---:|" + "---|" * len(WINDOWS))
    for kind in KINDS:
        for n in REFERENCES:
            cells = []
            for m in WINDOWS:
                values = p_values(kind, n, m, columns=columns)
                rates = [(values <= level).mean() * 1000 for level in LEVELS]
                broken = any(rate > bound for rate, bound in zip(rates, bounds, strict=True))
                cells.append(f"{rates[0]:.2f} · {rates[1]:.2f}" + (" !" if broken else ""))
            print(f"| {kind} | {n:,} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
