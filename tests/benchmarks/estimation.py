"""Estimated performance: error on the car loan data beside NannyML's, and under simulated shifts of the inputs.

Run as `python -m tests.benchmarks.estimation`.
"""

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from driftwatch.kernels.calibration import calibrate_bins, calibrate_rows
from driftwatch.kernels.expected import gather
from driftwatch.kernels.influence import influences
from driftwatch.quality.lessons import Lessons
from driftwatch.statistics.estimation import BlockUncertainty, Joined, estimate_binary, estimate_cells
from driftwatch.statistics.gap import gaps
from driftwatch.summaries.slices import SlicedRows, SliceEvidence

SHARED = Path(__file__).resolve().parents[3] / "shared"
EDGES = np.arange(1, 200) / 200 + 0.0025
MIDDLES = np.concatenate([[0.0], (EDGES[1:] + EDGES[:-1]) / 2, [1.0]])
SLOTS = MIDDLES.size + 1
METRICS = ("roc_auc", "accuracy", "f1", "precision", "recall", "specificity", "average_precision")


@dataclass(eq=False)
class Rows:
    """scores, predicted, labels, truth (chance; the label where unknown): (rows,). groups: (rows, slices)."""

    scores: np.ndarray
    predicted: np.ndarray
    labels: np.ndarray
    truth: np.ndarray
    groups: np.ndarray

    def __getitem__(self, which):
        return Rows(*(values[which] for values in vars(self).values()))

    @property
    def bins(self):
        return np.searchsorted(EDGES, self.scores)

    @property
    def labelled(self):
        joint = np.zeros((SLOTS, 2, 2))
        np.add.at(joint, (self.bins, self.predicted, self.labels), 1)
        return joint

    @property
    def real(self):
        """Metrics of the true chances: what the labels show on average."""
        joint = gather(self.bins, self.predicted, self.truth, slots=SLOTS).joint
        return {name: float(found.value) for name, found in influences(joint).items()}


def plain(reference, window):
    return estimate_binary(window.labelled.sum(axis=-1), calibrate_bins(reference.labelled, MIDDLES))


@lru_cache(maxsize=4)
def learned(reference):
    calibration = calibrate_bins(reference.labelled, MIDDLES)
    known = calibration.chances[reference.bins, reference.predicted]
    evidence = SliceEvidence.converged(reference.groups, known, reference.labels.astype(float))
    return calibration, evidence.effects


def by_slices(reference, window):
    calibration, effects = learned(reference)
    chances = calibration.chances[window.bins, window.predicted]
    found = SlicedRows.of(window.groups, chances, (window.bins, window.predicted), slots=SLOTS, effects=effects)
    return estimate_cells(
        found.cells,
        Joined((BlockUncertainty(found.cells.rows, calibration), found)),
    )


def by_importance(reference, window):
    """Labelled rows weighted so that every slice has the window's mix (raking), as Mandoline's idea has it."""
    weights = np.ones(reference.scores.size)
    for _ in range(10):
        for s in range(reference.groups.shape[1]):
            have = np.bincount(reference.groups[:, s], weights, minlength=16)
            want = np.bincount(window.groups[:, s], minlength=16) / window.scores.size * weights.sum()
            ratio = np.divide(want, have, out=np.zeros(16), where=have > 0)
            weights = weights * ratio[reference.groups[:, s]]
    some = weights > 0
    curve = calibrate_rows(reference.scores[some], reference.labels[some].astype(float), weights[some])
    cells = gather(window.bins, window.predicted, curve.at(window.scores), slots=SLOTS)
    return influences(cells.joint)


def simulated(rng, rows, effects, *, tilt):
    """Rows whose log-odds are those of the score plus the effect of each slice's group; tilt moves the groups' mix."""
    slices = len(effects)
    groups = np.stack([rng.choice(8, rows, p=_mix(8, tilt)) for _ in range(slices)], axis=1)
    scores = rng.beta(0.6, 0.9, rows).clip(1e-4, 1 - 1e-4)
    log_odds = np.log(scores / (1 - scores))
    for s, effect in enumerate(effects):
        log_odds = log_odds + effect(groups[:, s], scores)
    truth = 1 / (1 + np.exp(-log_odds))
    labels = (rng.random(rows) < truth).astype(int)
    return Rows(scores, (scores >= 0.5).astype(int), labels, truth, groups.astype(np.uint8))


def _mix(size, tilt):
    shares = np.exp(tilt * np.linspace(-1, 1, size))
    return shares / shares.sum()


def nothing(group, scores):
    return 0.0 * group * scores


def steady(group, scores):
    return (group - 3.5) / 3.5 + 0 * scores


def only_high(group, scores):
    return (group - 3.5) / 2.5 * (scores > 0.5)


SHIFTS = {
    "no slice says anything": (nothing, nothing),
    "one slice": (steady, nothing),
    "three slices": (steady, steady, steady, nothing),
    "one slice, high scores only": (only_high, nothing),
}


def shift_errors(effects, *, windows=20, rows=20_000, seed=0, tilt=1.5):
    """Mean absolute errors (methods, metrics) against the true expectation of shifted windows."""
    rng = np.random.default_rng(seed)
    errors = []
    for _ in range(windows):
        reference = simulated(rng, rows, effects, tilt=0.0)
        window = simulated(rng, 5000, effects, tilt=tilt)
        real = window.real
        errors.append(
            [[abs(float(m(reference, window)[name].value) - real[name]) for name in METRICS] for m in METHODS.values()]
        )
    return np.mean(errors, axis=0)


METHODS = {"plain": plain, "slices": by_slices, "importance": by_importance}


def car_loan():
    """All rows of the car loan data, reference first, with their groups."""
    folder = SHARED / "data"
    parts = [pq.read_table(folder / f"nannyml_car_loan_{name}.parquet") for name in ("reference", "analysis")]
    targets = pq.read_table(folder / "nannyml_car_loan_analysis_targets.parquet")
    column = {name: np.concatenate([part[name].to_numpy() for part in parts]) for name in parts[1].column_names}
    labels = np.concatenate([parts[0]["repaid"].to_numpy(), targets["repaid"].to_numpy()]).astype(int)
    names = ("car_value", "salary_range", "debt_to_income_ratio", "loan_length")
    groups = np.stack([_grouped(column[name]) for name in names], axis=1)
    return Rows(column["y_pred_proba"], column["y_pred"], labels, labels.astype(float), groups)


def _grouped(values):
    if values.dtype == object:
        return np.unique(values, return_inverse=True)[1].astype(np.uint8)
    return np.searchsorted(np.quantile(values[:50_000], np.arange(1, 10) / 10), values).astype(np.uint8)


def resampled(rows, *, windows=20, seed=0):
    """Errors (methods, metrics) on car loan windows drawn by group of car_value from rows without drift."""
    rng = np.random.default_rng(seed)
    reference, later = rows[:50_000], rows[50_000:75_000]
    errors = []
    for k in range(windows):
        share = np.exp((1 if k % 2 else -1) * 2.0 * later.groups[:, 0] / 9)
        window = later[rng.choice(25_000, 5000, replace=False, p=share / share.sum())]
        real = window.real
        errors.append(
            [[abs(float(m(reference, window)[name].value) - real[name]) for name in METRICS] for m in METHODS.values()]
        )
    return np.mean(errors, axis=0)


def nannyml():
    """(chunks, metrics) NannyML's estimates of the analysis chunks."""
    with (SHARED / "oracles/nannyml/carloan_cbpe_chunk5000.csv").open() as file:
        table = list(csv.DictReader(file))[10:]
    return np.array([[float(row[f"{name}__value"]) for name in METRICS] for row in table])


def online(rows, *, lag=0):
    """(chunks, metrics) estimates of the analysis chunks, recalibrated by earlier labels, `lag` chunks late."""
    chunks = [rows[k : k + 5000] for k in range(0, 100_000, 5000)]
    reference = [chunk.labelled for chunk in chunks[:10]]
    lessons, found = Lessons(), []
    for k in range(10, 20):
        if k - 1 - lag >= 10:
            lessons.learn("", k - 1 - lag, {"labelled": chunks[k - 1 - lag].labelled})
        counts = lessons.total("", "labelled", most_rows=50_000, before=reference)
        calibration = calibrate_bins(counts, MIDDLES)
        estimate = estimate_binary(chunks[k].labelled.sum(axis=-1), calibration)
        found.append([float(estimate[name].value) for name in METRICS])
    return np.array(found)


def realised(rows):
    return np.array([list(rows[k : k + 5000].real.values()) for k in range(50_000, 100_000, 5000)])[
        :, [list(rows[:5000].real).index(name) for name in METRICS]
    ]


def gap_alarms(effects, *, flipped, tilt, windows=100, seed=0, reference_rows=20_000):
    """Share of windows whose gap (accuracy, roc_auc, f1) is beyond 3 deviations, and of those by slices."""
    rng = np.random.default_rng(seed)
    reference = simulated(rng, reference_rows, effects, tilt=0.0)
    fired = []
    for _ in range(windows):
        window = simulated(rng, 5000, effects, tilt=tilt)
        turned = rng.random(5000) < flipped
        window.labels = np.where(turned, 1 - window.labels, window.labels)
        fired.append(
            [
                [abs(gaps(window.labelled, m(reference, window))[n].z) > 3 for n in METRICS[:3]]
                for m in (plain, by_slices)
            ]
        )
    return np.mean(fired, axis=0)


def _print(title, rows):
    print(f"\n{title}\n| | {' | '.join(METRICS)} |\n|---|{'---|' * len(METRICS)}")
    for name, values in rows:
        print(f"| {name} | {' | '.join(f'{value:.5f}' for value in values)} |")


def main():
    rows = car_loan()
    real = realised(rows)
    found = {"NannyML": nannyml(), "online": online(rows), "online, labels a chunk later": online(rows, lag=1)}
    _print("Car loan, mean absolute error", [(name, np.abs(e - real).mean(axis=0)) for name, e in found.items()])
    for name, effects in SHIFTS.items():
        _print(name, zip(METHODS, shift_errors(effects), strict=True))
    _print("car loan, mix of car_value resampled", zip(METHODS, resampled(rows), strict=True))
    print("\n| gap beyond 3 deviations | plain: accuracy, roc_auc, f1 | slices |\n|---|---|---|")
    for effects, flipped, tilt in (((nothing,), 0, 0), ((steady,), 0, 0), ((steady,), 0, 1.5), ((steady,), 0.1, 0)):
        alarms = gap_alarms(effects, flipped=flipped, tilt=tilt)
        print(f"| {effects[0].__name__}, flipped {flipped}, tilt {tilt} | {alarms[0]} | {alarms[1]} |")


if __name__ == "__main__":
    main()
