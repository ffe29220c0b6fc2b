import numpy as np
import pytest

from driftwatch.kernels.expected import average_precision_by_row, expected_binary, gather


def rows_of(seed, rows=400, levels=20):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, rows) / levels
    chances = np.linspace(0.05, 0.9, levels)[(scores * levels).astype(int)]
    return scores, (scores > 0.4).astype(np.int64), chances


def test_average_precision_by_row_is_the_sum_over_sorted_rows():
    """The closed form equals the plain sum over rows from the highest score down."""
    scores, predicted, chances = rows_of(0)
    falling = np.sort(chances)[::-1]
    precision = np.cumsum(falling) / np.arange(1, falling.size + 1)
    found = expected_binary(scores, predicted, chances)["average_precision_by_row"]
    assert float(found) == pytest.approx((precision * falling).sum() / falling.sum(), abs=1e-12)


def test_leading_axes():
    """Many windows at once equal one after the other."""
    cells = [gather((s * 20).astype(np.int64), c, p, slots=21) for s, c, p in map(rows_of, range(3))]
    stacked = type(cells[0])(*(np.stack([getattr(c, n) for c in cells]) for n in ("rows", "positives", "spread")))
    alone = [float(average_precision_by_row(c)) for c in cells]
    assert average_precision_by_row(stacked) == pytest.approx(alone, abs=1e-14)
