"""Prints whether p-values are what they say far out: `python -m tests.benchmarks.alarms_tails [columns]`.

One line per kind of column and rows, over so many window-columns (2 000 000 unless told), each with a reference of its
own and nothing changed: the share of p-values up to a level, over that level. 1 is exact, below 1 is conservative.
The last line pools all; in brackets the standard error.
"""

import sys
from collections.abc import Callable

import numpy as np

from driftwatch.kernels.combination import Components
from tests.benchmarks.alarms_columns import FIVE, ZIPF, categorical, continuous, discrete

LEVELS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
SKEWED = np.exp(-0.7 * np.arange(12)) / np.exp(-0.7 * np.arange(12)).sum()
ONE_BIN = np.concatenate([[0.95], np.full(20, 0.05 / 20)])
_BLOCK = 1_000

Draw = Callable[[np.random.Generator], Components]
KINDS: dict[str, Draw] = {
    "continuous, 1 000 and 100 rows": lambda rng: continuous(rng, 1_000, 100, columns=_BLOCK),
    "continuous, 1 000 and 5 000 rows": lambda rng: continuous(rng, 1_000, 5_000, columns=_BLOCK),
    "continuous, 10 000 and 1 000 rows": lambda rng: continuous(rng, 10_000, 1_000, columns=_BLOCK),
    "12 skewed values, 10 000 and 100 rows": lambda rng: discrete(rng, SKEWED, 10_000, 100, columns=_BLOCK),
    "95 % in one bin, 1 000 and 100 rows": lambda rng: discrete(rng, ONE_BIN, 1_000, 100, columns=_BLOCK),
    "95 % in one bin, 10 000 and 5 000 rows": lambda rng: discrete(rng, ONE_BIN, 10_000, 5_000, columns=_BLOCK),
    "5 categories, 1 000 and 100 rows": lambda rng: categorical(rng, FIVE, 1_000, 100, columns=_BLOCK),
    "5 categories, 10 000 and 1 000 rows": lambda rng: categorical(rng, FIVE, 10_000, 1_000, columns=_BLOCK),
    "50 Zipf, 1 000 and 100 rows": lambda rng: categorical(rng, ZIPF, 1_000, 100, columns=_BLOCK),
    "50 Zipf, 10 000 and 5 000 rows": lambda rng: categorical(rng, ZIPF, 10_000, 5_000, columns=_BLOCK),
}


def main(columns: int = 2_000_000) -> None:
    """Print the table."""
    print(f"Share of p-values up to a level, over the level; {columns:,} window-columns a line.\n")
    print("| | " + " | ".join(f"{level:g}" for level in LEVELS) + " |\n|---|" + "---:|" * len(LEVELS))
    everything = np.zeros(len(LEVELS))
    for place, (name, draw) in enumerate(KINDS.items()):
        rng, found = np.random.default_rng([62, place]), np.zeros(len(LEVELS))
        for _ in range(columns // _BLOCK):
            found += (draw(rng).combined() <= np.array(LEVELS)[:, None]).sum(axis=1)
        everything += found
        _line(name, found, columns)
    _line("all", everything, columns * len(KINDS))


def _line(name: str, found: np.ndarray, columns: int) -> None:
    expected = np.array(LEVELS) * columns
    cells = [f"{f / e:.2f} ({1 / np.sqrt(e):.2f})" for f, e in zip(found, expected, strict=True)]
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
