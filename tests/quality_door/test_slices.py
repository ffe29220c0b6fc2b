"""`driftwatch replay` where the mix of the inputs moves and nothing else: what scores promise, weighed by slices."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.acceptance.test_replay import replayed
from tests.benchmarks.estimation import Rows, nothing, simulated, steady

EFFECTS = (steady, nothing)
WINDOW, WINDOWS = 5_000, 6
METRICS = ("accuracy", "roc_auc", "f1", "precision", "recall")
CONFIG = """
[[models]]
name = "moved"
task = "binary"
reference = "model.reference"
window = {{ rows = 5000 }}
label_wait = "1h"
rules = []
ignore = [{ignored}]
"""


def table(rows: Rows, *, labelled: bool) -> pa.Table:
    """Scores, two columns that are slices of them, and a number; labels where they are known."""
    names = np.array([f"city {number}" for number in range(8)])
    columns = {
        "score": rows.scores,
        "prediction": rows.predicted,
        "city": names[rows.groups[:, 0]],
        "day": names[rows.groups[:, 1]],
        "amount": rows.scores + np.random.default_rng(1).normal(size=rows.scores.size),
    }
    return pa.table(columns | ({"label": rows.labels} if labelled else {}))


@pytest.fixture(scope="module")
def windows() -> list[Rows]:
    """The odds of a label are those of its score and its city; the mix of cities is not the reference's."""
    rng = np.random.default_rng(5)
    return [simulated(rng, WINDOW, EFFECTS, tilt=1.5) for _ in range(WINDOWS)]


def followed(folder: Path, windows: list[Rows], *, ignored: str = "", labels: bool = False) -> list[dict]:
    """Replay them after a reference of 20 000 rows; the last word of every window."""
    folder.mkdir()
    tables = {
        "reference": table(simulated(np.random.default_rng(6), 20_000, EFFECTS, tilt=0.0), labelled=True),
        "predictions": pa.concat_tables([table(rows, labelled=labels) for rows in windows]),
    }
    paths = {name: folder / f"{name}.parquet" for name in tables}
    for name, some in tables.items():
        pq.write_table(some, paths[name])
    config = CONFIG.format(ignored=ignored).replace("model.reference", str(folder / "model.reference"))
    found = replayed(
        folder, config, reference=paths["reference"], predictions=paths["predictions"],
        labels=paths["predictions"] if labels else None,
    )  # fmt: skip
    last = {report["window"]["start"]: report for report in found}
    return [last[start] for start in sorted(last)]


def estimated(reports: list[dict], part: str = "value") -> np.ndarray:
    """(windows, metrics)."""
    return np.array(
        [
            [
                next(
                    each[part]
                    for each in report["readings"]
                    if (each["family"], each["statistic"]) == ("estimation", name)
                )
                for name in METRICS
            ]
            for report in reports
        ]
    )


def real(rows: Rows, truth: np.ndarray) -> list[float]:
    """What labels of these chances show on average."""
    found = Rows(rows.scores, rows.predicted, rows.labels, truth, rows.groups).real
    return [found[name] for name in METRICS]


def test_estimates_are_closer_where_the_mix_has_moved(tmp_path: Path, windows: list[Rows]) -> None:
    """By far, in every metric; and what the labels would show lies within the bounds that are given."""
    weighed = followed(tmp_path / "weighed", windows)
    plain = followed(tmp_path / "plain", windows, ignored='"city"')
    assert "performance" not in {reading["family"] for report in weighed for reading in report["readings"]}
    expected = np.array([real(rows, rows.truth) for rows in windows])
    errors = {name: np.abs(estimated(found) - expected) for name, found in (("weighed", weighed), ("plain", plain))}
    for place, name in enumerate(METRICS):
        ours, theirs = (errors[kind][:, place].mean() for kind in ("weighed", "plain"))
        print(f"{name}: {ours:.4f} weighed by slices, {theirs:.4f} by the score alone")
        assert ours < theirs, name
    assert errors["weighed"].mean() < errors["plain"].mean() / 3
    shown = np.array([real(rows, rows.labels.astype(float)) for rows in windows])
    held = (estimated(weighed, "lower") <= shown) & (shown <= estimated(weighed, "upper"))
    assert held.mean() >= 0.85
    assert (estimated(weighed, "upper") - estimated(weighed, "lower")).max() < 0.1


def test_a_moved_mix_is_no_gap(tmp_path: Path, windows: list[Rows]) -> None:
    """When the labels have come they keep what was promised: the concept has not changed, though the data has."""
    reports = followed(tmp_path / "labelled", windows, labels=True)
    gaps = [
        (reading["lower"], reading["upper"])
        for report in reports
        for reading in report["readings"]
        if reading["statistic"] in {"gap_accuracy", "gap_f1"}
    ]
    assert len(gaps) == 2 * WINDOWS
    assert sum(lower <= 0 <= upper for lower, upper in gaps) >= len(gaps) - 2
