"""Prints how often a window of dependent rows is called changed: `python -m tests.benchmarks.alarms_streams [columns]`.

The one p-value of the abrupt test, told of over-dispersion by the reference's own pyramid as the service tells it; the
null streams are those of `alarms_dispersion`. So many columns (400 unless told), each with a reference of its own and
20 windows of each length that are cut at random from what follows. Per 1 000 window-columns at 10 and at 1.
"""

import sys

import numpy as np

from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.kernels.two_sample import numeric_components
from driftwatch.summaries.layout import SLOTS
from tests.benchmarks.alarms_dispersion import BINS, STREAMS, counts_of, pyramid_of

ROWS, WINDOWS, REPEATS = 10_000, (100, 500, 1_000, 5_000), 20
_BLOCK = 50


def p_values(rng: np.random.Generator, stream: str, *, columns: int) -> dict[int, np.ndarray]:
    """Window length → p-values of all windows."""
    found = {window: [] for window in WINDOWS}
    for _ in range(columns // _BLOCK):
        rows = STREAMS[stream](rng, _BLOCK, ROWS + 500 + 60_000)
        pyramid = pyramid_of(rows[:, :ROWS])
        for window in WINDOWS:
            factors, counts = pyramid.over(window), np.zeros((2, _BLOCK, REPEATS, SLOTS), dtype=np.int64)
            begins = rng.integers(ROWS + 500, rows.shape[1] - window, REPEATS)
            for column, line in enumerate(rows):
                cut = np.stack([line[begin : begin + window] for begin in begins])
                counts[0, column, :, :BINS], counts[1, column, :, :BINS] = counts_of(line[:ROWS], cut)
            each = (factors.location, factors.scale, factors.cells, factors.path, factors.freedom)
            repeated = Overdispersion(*(np.repeat(factor, REPEATS) for factor in each))
            reference, current = counts.reshape(2, -1, SLOTS)
            found[window].append(numeric_components(reference, current, repeated).combined())
    return {window: np.concatenate(values) for window, values in found.items()}


def main(columns: int = 400) -> None:
    """Print the table."""
    print("| stream | " + " | ".join(f"window {window}" for window in WINDOWS) + " |")
    print("|---|" + "---:|" * len(WINDOWS))
    for place, stream in enumerate(STREAMS):
        found = p_values(np.random.default_rng([63, place]), stream, columns=columns)
        rates = [[1000 * (values <= level).mean() for level in (0.01, 0.001)] for values in found.values()]
        print(f"| {stream} | " + " | ".join(f"{ten:.1f} · {one:.2f}" for ten, one in rates) + " |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
