"""How many of the newest labels should say what slices add: errors of estimates by that number, on what may choose it.

Run as `python -m tests.benchmarks.slice_memory`. The reference of the car loan data, its first half learnt from and its
second half a stream, as it came, backwards and in random orders; and simulated streams whose mix, concept or both
change. The analysis chunks of the car loan data judge the choice and have no part in it.
"""

import numpy as np

from driftwatch.kernels.calibration import calibrate_bins
from driftwatch.kernels.expected import gather
from driftwatch.kernels.influence import influences
from driftwatch.kernels.slicing import features_of, shifted
from driftwatch.summaries.slices import SliceEvidence
from tests.benchmarks.estimation import MIDDLES, SLOTS, car_loan, simulated

SIZES = (10_000, 17_500, 25_000, 35_000, 50_000, 75_000, 100_000)
CALIBRATION_ROWS = 50_000
METRICS = ("roc_auc", "accuracy", "f1")


def effects_of(evidence, lessons, most_rows):
    """As `Slicing.effects`; evidence: the reference's and its rows; lessons: (rows, evidence), the newest last."""
    known, known_rows = evidence
    total, rows = SliceEvidence.empty(known.response.size // 96), 0
    for labels, lesson in reversed(lessons):
        if rows and rows + labels > most_rows:
            break
        total, rows = total.merge(lesson), rows + labels
    return total.merge(known.faded(float(np.clip((most_rows - rows) / known_rows, 0, 1)))).effects


def metrics(window, chances):
    found = influences(gather(window.bins, window.predicted, chances, slots=SLOTS).joint)
    return np.array([float(found[name].value) for name in METRICS])


def log_loss(window, chances):
    kept = np.clip(chances, 1e-6, 1 - 1e-6)
    return -np.mean(window.truth * np.log(kept) + (1 - window.truth) * np.log(1 - kept))


def followed(reference, chunks):
    """(chunks, 1 + sizes, metrics + 1) absolute errors and log losses: plain, and by slices of each memory."""
    base = calibrate_bins(reference.labelled, MIDDLES)
    chances = base.chances[reference.bins, reference.predicted]
    sure = ~np.isnan(chances)
    known = SliceEvidence.converged(reference.groups[sure], chances[sure], reference.labels[sure].astype(float))
    start = known.effects.log_odds
    size = len(reference.scores)
    older = [reference[k : k + 5000].labelled for k in range(0, size, 5000)]
    lessons, found = [], []
    for chunk in chunks:
        newest, count = 0, 0
        for each in reversed(older):
            if count + each.sum() > max(CALIBRATION_ROWS, size):
                break
            newest, count = newest + each, count + each.sum()
        curve = calibrate_bins(newest, MIDDLES)
        own = base.chances[chunk.bins, chunk.predicted]
        features = features_of(chunk.groups, own)
        rates = [curve.chances[chunk.bins, chunk.predicted]]
        rates += [shifted(own, features, effects_of((known, size), lessons, m).log_odds) for m in SIZES]
        real = metrics(chunk, chunk.truth)
        found.append([[*np.abs(metrics(chunk, p) - real), log_loss(chunk, p)] for p in rates])
        older.append(chunk.labelled)
        lesson = SliceEvidence.agreed(chunk.groups, own, chunk.labels.astype(float), before=start)
        lessons.append((len(chunk.scores), lesson))
    return np.array(found)


def stream(rng, *, strength, tilt, moved=0.0, rows=5000):
    """One chunk: how much groups say, how their mix is tilted, and by how much all log-odds have moved."""
    return simulated(
        rng, rows, (lambda g, s: strength * (g - 3.5) / 3.5 + moved + 0 * s, lambda g, _: 0.0 * g), tilt=tilt
    )


def scenarios(rng, count=16):
    """Name → chunks."""
    tilts = rng.uniform(-1.5, 1.5, count)
    late = np.arange(count) >= 5
    ramp = np.linspace(1, -1, count)
    return {
        "no shift": [(1.0, 0.0, 0.0)] * count,
        "weak effects, no shift": [(0.3, 0.0, 0.0)] * count,
        "mix moved": [(1.0, 1.5, 0.0)] * count,
        "mix comes and goes": [(1.0, t, 0.0) for t in tilts],
        "weak, mix comes and goes": [(0.3, t, 0.0) for t in tilts],
        "groups change places at once": [(-1.0 if x else 1.0, t, 0.0) for x, t in zip(late, tilts, strict=True)],
        "groups change places slowly": [(r, t, 0.0) for r, t in zip(ramp, tilts, strict=True)],
        "all odds move at once": [(1.0, t, 0.5 * x) for x, t in zip(late, tilts, strict=True)],
        "all odds move, mix does not": [(1.0, 0.0, 0.5 * x) for x in late],
    }


def show(name, found):
    mean = found.reshape(-1, *found.shape[-2:]).mean(axis=0)
    print(f"\n{name}\n| | {' | '.join(METRICS)} | log loss above the best |\n|---|---|---|---|---|")
    for label, row in zip(("plain", *map(str, SIZES)), mean, strict=True):
        print(f"| {label} | {' | '.join(f'{v:.5f}' for v in row[:3])} | {row[3] - mean[:, 3].min():.2e} |", flush=True)


def loan(rows, chunk):
    """The car loan reference: forwards, backwards and shuffled."""
    orders = [np.arange(50_000), np.arange(50_000)[::-1]]
    orders += [np.random.default_rng(seed).permutation(50_000) for seed in range(4)]
    found = []
    for order in orders:
        half = rows[order]
        found.append(followed(half[:25_000], [half[k : k + chunk] for k in range(25_000, 50_000, chunk)]))
    return np.array(found)


def tilted_loan(rows, chunk):
    """The same, of windows that are drawn by the group of the car's value."""
    rng, found = np.random.default_rng(0), []
    for seed in range(6):
        half = rows[np.random.default_rng(seed).permutation(50_000)]
        chunks = []
        for k in range(25_000, 50_000, chunk):
            part = half[k : k + chunk]
            share = np.exp(rng.uniform(-2, 2) * part.groups[:, 0] / 9)
            chunks.append(part[rng.choice(chunk, chunk // 2, replace=False, p=share / share.sum())])
        found.append(followed(half[:25_000], chunks))
    return np.array(found)


def main():
    rows = car_loan()[:50_000]
    show("car loan reference", loan(rows, 2500))
    show("car loan reference, mix drawn", tilted_loan(rows, 5000))
    for name in scenarios(np.random.default_rng(0)):
        found = []
        for seed in range(4):
            rng = np.random.default_rng(seed)
            plan = scenarios(rng)[name]
            reference = stream(rng, strength=plan[0][0], tilt=0.0, rows=50_000)
            found.append(followed(reference, [stream(rng, strength=s, tilt=t, moved=m) for s, t, m in plan]))
        show(name, np.array(found))


if __name__ == "__main__":
    main()
