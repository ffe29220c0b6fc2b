"""Labels that come late by score, by label or both: bias of naive and corrected interim values.

Run as `python -m tests.benchmarks.interim`.
"""

import numpy as np

from driftwatch.kernels.arrival import PastDelays, arrival_errors, arrived_by_label, delay_counts
from driftwatch.kernels.influence import influences
from driftwatch.kernels.strata import score_groups
from driftwatch.statistics.interim import Arrived, interim_binary

BINS, GROUPS, DAY = 100, 5, 86_400_000
METRICS = ("accuracy", "roc_auc", "f1", "precision", "recall")
DELAYS = {
    # Mean delay in days of rows with score s and label y.
    "none": lambda s, y: 2 + 0 * s * y,
    "by score": lambda s, y: 1 + 8 * s + 0 * y,
    "by label": lambda s, y: 1 + 5 * y + 0 * s,
    "by both": lambda s, y: (1 + 2 * s) * (1 + 2 * y),
}


def rows_of(rng, rows, delay):
    """Scores, labels, predicted classes and delays of one window."""
    scores = rng.beta(0.7, 1.3, rows)
    labels = (rng.random(rows) < 0.05 + 0.85 * scores**1.3).astype(int)
    delays = rng.exponential(DELAYS[delay](scores, labels)) * DAY
    return scores, labels, (scores >= 0.4).astype(int), delays.astype(np.int64)


def table_of(scores, predicted, labels, which):
    joint = np.zeros((BINS + 1, 2, 2))
    np.add.at(joint, ((scores[which] * BINS).astype(int), predicted[which], labels[which]), 1)
    return joint


def matured(rng, rows, delay):
    """Delays of windows whose labels have all come, and the group of each bin."""
    scores, labels, _, delays = rows_of(rng, rows, delay)
    bins = (scores * BINS).astype(int)
    group = score_groups(np.bincount(bins, minlength=BINS + 1).astype(float), GROUPS)
    return delay_counts(group[bins], labels, delays, count=GROUPS).astype(float), group


def simulate(delay, *, windows=200, rows=5000, age_days=2.0, seed=0):
    """Errors (windows, metrics) of naive and corrected values against the final ones; what intervals hold."""
    rng = np.random.default_rng(seed)
    naive, corrected, within = [], [], []
    truth = influences(table_of(*_all(rng, 1_000_000, delay)))
    for _ in range(windows):
        counts, group = matured(rng, 50_000, delay)
        scores, labels, predicted, delays = rows_of(rng, rows, delay)
        ages = ((age_days + rng.random(rows)) * DAY).astype(np.int64)
        everything = table_of(scores, predicted, labels, np.full(rows, fill_value=True))
        labelled = table_of(scores, predicted, labels, delays <= ages)
        shares = arrived_by_label(PastDelays.of(counts), group[(scores * BINS).astype(int)], ages)
        arrived = Arrived(group, shares, arrival_errors(counts, shares))
        found = interim_binary(everything.sum(axis=-1), labelled, arrived)
        final, first = influences(everything), influences(labelled)
        naive.append([first[name].value - final[name].value for name in METRICS])
        corrected.append([found.metrics[name].value - final[name].value for name in METRICS])
        within.append(
            [
                (
                    found.metrics[name].lower <= truth[name].value <= found.metrics[name].upper,
                    found.bounds[name][0] <= final[name].value <= found.bounds[name][1],
                )
                for name in METRICS
            ]
        )
    return np.array(naive), np.array(corrected), np.array(within), found.coverage


def _all(rng, rows, delay):
    scores, labels, predicted, _ = rows_of(rng, rows, delay)
    return scores, predicted, labels, np.full(rows, fill_value=True)


def main():
    print("| delay | labelled | metric | naive bias | corrected bias | share | covered | in bounds |")
    print("|---|---|---|---|---|---|---|---|")
    for delay in DELAYS:
        naive, corrected, within, coverage = simulate(delay)
        for k, name in enumerate(METRICS):
            before, after = naive[:, k].mean(), corrected[:, k].mean()
            hits = within[:, k].mean(axis=0)
            print(
                f"| {delay} | {coverage:.0%} | {name} | {before:+.5f} | {after:+.5f} | "
                f"{abs(after / before):.2f} | {hits[0]:.1%} | {hits[1]:.0%} |"
            )


if __name__ == "__main__":
    main()
