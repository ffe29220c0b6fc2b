"""Makes the demo's data set: New York flights of 2013, a model trained on January and February, its predictions.

    python tests/demo_data/build.py nycflights13_flights.parquet [OUT]

Needs scikit-learn (extra `dev`); the service and the demo do not. The same input gives the same rows.
"""

import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

NUMERIC, CATEGORICAL = ("dep_delay", "hour", "distance"), ("carrier", "origin", "dest")
SEED, FOLDS = 2013, 5
NEW_YORK = ZoneInfo("America/New_York")
OUT = Path(__file__).resolve().parents[2] / "driftwatch" / "demo" / "data"


def read_flights(path: Path) -> dict[str, np.ndarray]:
    """The columns that are used, and the event time: actual departure, or the scheduled one of a cancelled flight.

    `time` and `label_time` are minutes since the epoch, UTC; the source has New York wall-clock times.
    """
    table = pq.read_table(path)
    flights = {name: table[name].to_numpy() for name in (*NUMERIC, *CATEGORICAL, "month", "air_time")}
    scheduled = table["sched_dep"].cast(pa.timestamp("s"))
    local = pc.assume_timezone(scheduled, str(NEW_YORK), ambiguous="earliest")
    departed = local.cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_numpy() // 60
    flights["day"] = scheduled.cast(pa.int64()).to_numpy() // 86_400
    flights["time"] = departed + np.nan_to_num(flights["dep_delay"]).astype(np.int64)
    flights["label"] = table["arrived_late_15"].to_numpy()
    known = table["label_available_at"].cast(pa.timestamp("s")).cast(pa.int64()).to_numpy(zero_copy_only=False)
    # Wall-clock differences within a flight are true ones: the source adds minutes to the departure.
    wait = known / 60 - scheduled.cast(pa.int64()).to_numpy() / 60 - flights["dep_delay"]
    flights["label_delay"] = np.where(np.isnan(flights["label"]), np.nan, wait)
    return flights


def encode(flights: dict[str, np.ndarray], known: dict[str, np.ndarray]) -> np.ndarray:
    """Features as floats, (rows, columns); a category that training never saw is missing, as it would be in service."""
    columns = [flights[name].astype(float) for name in NUMERIC]
    for name in CATEGORICAL:
        code = np.searchsorted(known[name], flights[name]).clip(max=len(known[name]) - 1)
        columns.append(np.where(known[name][code] == flights[name], code, np.nan))
    return np.column_stack(columns)


def score(flights: dict[str, np.ndarray]) -> np.ndarray:
    """Probability of a late arrival, four decimals, (rows,).

    January and February get out-of-fold scores, folds being whole days: a reference scored by a model that has seen
    its answers would be too sharp, and every later day would seem to drift.
    """
    early = flights["month"] <= 2
    labelled = early & ~np.isnan(flights["label"])
    known = {name: np.unique(flights[name][labelled].astype(str)) for name in CATEGORICAL}
    features = encode({name: flights[name] for name in NUMERIC} | {
        name: flights[name].astype(str) for name in CATEGORICAL}, known)  # fmt: skip
    model = HistGradientBoostingClassifier(
        max_iter=200, learning_rate=0.06, min_samples_leaf=60, l2_regularization=1.0,
        categorical_features=[3, 4, 5], early_stopping=False, random_state=SEED,
    )  # fmt: skip
    model.fit(features[labelled], flights["label"][labelled])
    scores = model.predict_proba(features)[:, 1]
    scores[labelled] = cross_val_predict(
        model, features[labelled], flights["label"][labelled], groups=flights["day"][labelled],
        cv=GroupKFold(FOLDS, shuffle=True, random_state=SEED), method="predict_proba",
    )[:, 1]  # fmt: skip
    return scores.round(4)


def bundle(flights: dict[str, np.ndarray], rows: np.ndarray) -> pa.Table:
    """The given rows in order of event time, each column in the smallest type that holds it."""
    order = rows[np.argsort(flights["time"][rows], kind="stable")]
    taken = {name: column[order] for name, column in flights.items()}

    def nullable(name: str, kind: pa.DataType) -> pa.Array:
        return pa.array(taken[name], pa.float64(), from_pandas=True).cast(kind)

    return pa.table({
        "minute": pa.array(taken["time"], pa.int32()),
        "dep_delay": nullable("dep_delay", pa.int16()),
        "hour": pa.array(taken["hour"], pa.int8()),
        "distance": pa.array(taken["distance"], pa.int16()),
        **{name: pa.array(taken[name], pa.string()).dictionary_encode() for name in CATEGORICAL},
        "score": pa.array((taken["score"] * 10_000).round(), pa.int16()),
        "label": nullable("label", pa.int8()),
        "label_delay": nullable("label_delay", pa.int16()),
    })  # fmt: skip


def write(table: pa.Table, path: Path) -> None:
    """One Parquet file with the encodings that measured smallest."""
    plain = {"minute": "DELTA_BINARY_PACKED"}
    options: dict[str, Any] = {
        "use_dictionary": [name for name in table.column_names if name not in plain],
        "column_encoding": plain,
    }
    pq.write_table(table, path, compression="zstd", compression_level=19, row_group_size=1 << 19,
                   write_statistics=False, store_schema=False, **options)  # fmt: skip


def quality(flights: dict[str, np.ndarray], months: range) -> str:
    """Quality of the scores over the labelled flights of some months, as one line."""
    rows = np.isin(flights["month"], months) & ~np.isnan(flights["label"])
    truth, scores = flights["label"][rows], flights["score"][rows]
    return (
        f"ROC AUC {roc_auc_score(truth, scores):.4f}  average precision {average_precision_score(truth, scores):.4f}"
        f"  Brier {brier_score_loss(truth, scores):.4f}  late {truth.mean():.4f}  n {rows.sum()}"
    )


def main(source: Path, out: Path) -> None:
    """Read, train, score, write, and say how good the model is."""
    flights = read_flights(source)
    flights["score"] = score(flights)
    out.mkdir(parents=True, exist_ok=True)
    for name, months in (("reference", range(1, 3)), ("flights", range(3, 13))):
        rows = np.flatnonzero(np.isin(flights["month"], months))
        path = out / f"{name}.parquet"
        write(bundle(flights, rows), path)
        print(f"{path.name}: {len(rows)} rows, {path.stat().st_size} bytes; {quality(flights, months)}")
    for month in range(1, 13):
        print(f"month {month:2d}: {quality(flights, range(month, month + 1))}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else OUT)
