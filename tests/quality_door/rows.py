"""Models of four tasks: their predictions and labels as rows, as events, and what is exactly true of them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels import confusion, ranking, residuals, scoring

MINUTE, HOUR = 60_000, 3_600_000
START = 1_767_571_200_000  # 2026-01-05T00:00:00Z
MODEL = "model"
CLASSES = ("ant", "bee", "cat")
ITEMS = 12

Row = dict[str, Any]
Exact = Callable[[Sequence[Row]], dict[str, float]]


@dataclass(frozen=True)
class Form:
    """One task. predicted: what the model says of a row, and what will turn out to be true. exact: by metric."""

    task: str
    predicted: Callable[[np.random.Generator], tuple[Row, Any]]
    exact: Exact
    main: str
    config: str = ""


@dataclass(frozen=True)
class Event:
    """One prediction and the label that will come of it."""

    id: str
    time_ms: int
    said: Row
    label: Any
    value: float
    delay_ms: int
    version: str = "1"

    def prediction(self, **more: Any) -> bytes:
        """Its first event."""
        document = {
            "model": MODEL, "version": self.version, "id": self.id, "time": self.time_ms, "features": {"x": self.value},
        }  # fmt: skip
        return json.dumps(document | self.said | more).encode()

    def outcome(self, **more: Any) -> bytes:
        """Its second one; what is given stands in for what is true."""
        time_ms = self.time_ms + self.delay_ms
        document = {"model": MODEL, "id": self.id, "time": time_ms, "label": self.label, "value": self.value}
        return json.dumps(document | more).encode()

    @property
    def row(self) -> Row:
        """All that is known of it in the end."""
        return self.said | {"label": self.label, "value": self.value}


def flow(form: Form, *, hours: int, an_hour: int = 300, seed: int = 5, version: str = "1") -> list[Event]:
    """Events in order of time; labels come between a minute and 100 minutes later."""
    rng = np.random.default_rng(seed)
    step = HOUR // an_hour
    events = []
    for number in range(hours * an_hour):
        said, label = form.predicted(rng)
        value, delay_ms = round(float(rng.normal(3, 1)), 6), int(rng.integers(1, 100)) * MINUTE
        name = f"{version}-{number}"
        events.append(Event(name, START + number * step, said, label, value, delay_ms, version))
    return events


def _binary(rng: np.random.Generator) -> tuple[Row, Any]:
    score = round(float(rng.beta(2, 3)), 6)
    return {"score": score}, int(rng.random() < score)


def _exact_binary(rows: Sequence[Row]) -> dict[str, float]:
    scores, labels = _column(rows, "score"), _column(rows, "label").astype(np.int64)
    matrix = confusion.confusion(labels, (scores >= 0.5).astype(np.int64), classes=2)
    names = ("roc_auc", "average_precision", "log_loss", "brier", "ece", "ks_score")
    of_class = {name: getattr(confusion, name)(matrix)[1] for name in ("precision", "recall", "f1", "specificity")}
    return {
        **{name: getattr(scoring, name)(scores, labels) for name in names},
        **of_class,
        "accuracy": float(confusion.accuracy(matrix)),
        "mcc": float(confusion.mcc(matrix)),
        "ctr": float(labels.mean()),
        "value_per_prediction": float(_column(rows, "value").mean()),
    }


def _multiclass(rng: np.random.Generator) -> tuple[Row, Any]:
    shares = rng.dirichlet([1.5, 1.0, 0.7]).astype(np.float32)
    scores = {name: float(share) for name, share in zip(CLASSES, shares, strict=True)}
    label = CLASSES[int(rng.choice(3, p=shares / shares.sum()))]
    return {"prediction": CLASSES[int(shares.argmax())], "scores": scores}, label


def _exact_multiclass(rows: Sequence[Row]) -> dict[str, float]:
    labels, predictions = (np.array([CLASSES.index(row[name]) for row in rows]) for name in ("label", "prediction"))
    scores = np.array([[row["scores"][name] for name in CLASSES] for row in rows], dtype=np.float32)
    matrix = confusion.confusion(labels, predictions, classes=3)
    names = ("precision", "recall", "f1", "specificity")
    return {
        **{name: float(confusion.macro(getattr(confusion, name)(matrix))) for name in names},
        "accuracy": float(confusion.accuracy(matrix)),
        "mcc": float(confusion.mcc(matrix)),
        "log_loss": float(scoring.class_log_losses(scores, labels).mean()),
        "brier": float(scoring.class_briers(scores, labels).mean()),
        "roc_auc": float(np.mean([scoring.roc_auc(scores[:, each], labels == each) for each in range(3)])),
        "value_per_prediction": float(_column(rows, "value").mean()),
    }


def _regression(rng: np.random.Generator) -> tuple[Row, Any]:
    prediction = float(rng.normal(20, 5))
    label = round(prediction + float(rng.normal(0.5, 2)), 6)
    return {"prediction": round(prediction, 6), "interval": [round(prediction - 3, 6), round(prediction + 3, 6)]}, label


def _exact_regression(rows: Sequence[Row]) -> dict[str, float]:
    prediction, label = _column(rows, "prediction"), _column(rows, "label")
    low, high = np.array([row["interval"] for row in rows]).T
    names = ("mae", "rmse", "mse", "mape", "smape", "wape", "r2", "bias")
    return {
        **{name: float(getattr(residuals, name)(prediction, label)) for name in names},
        "pinball": float(residuals.interval_pinball(label, low, high)),
        "coverage": float(residuals.coverage(label, low, high)),
        "value_per_prediction": float(_column(rows, "value").mean()),
    }


def _ranking(rng: np.random.Generator) -> tuple[Row, Any]:
    items = [f"i{number}" for number in rng.permutation(ITEMS)]
    relevant = rng.permutation(items)[: int(rng.integers(1, 4))]
    return {"prediction": items}, {str(item): float(rng.integers(1, 4)) for item in relevant}


def _exact_ranking(rows: Sequence[Row]) -> dict[str, float]:
    shown = np.array([[_item(name) for name in row["prediction"][:10]] for row in rows], dtype=np.uint64)
    judged, relevance = np.zeros((len(rows), 3), dtype=np.uint64), np.zeros((len(rows), 3))
    for number, row in enumerate(rows):
        judged[number, : len(row["label"])] = [_item(name) for name in row["label"]]
        relevance[number, : len(row["label"])] = list(row["label"].values())
    found = ranking.ranks(shown, judged, relevance)
    names = ("ndcg", "mrr", "map", "hit_rate")
    values = {name: float(getattr(found, name).mean()) for name in names}
    return values | {"value_per_prediction": float(_column(rows, "value").mean())}


def _item(name: str) -> int:
    return int(name[1:]) + 1


def _column(rows: Sequence[Row], name: str) -> NDArray[np.float64]:
    return np.array([row[name] for row in rows], dtype=np.float64)


BINARY = Form("binary", _binary, _exact_binary, "roc_auc")
MULTICLASS = Form("multiclass", _multiclass, _exact_multiclass, "accuracy", f"classes = {json.dumps(CLASSES)}\n")
REGRESSION = Form("regression", _regression, _exact_regression, "mae")
RANKING = Form("ranking", _ranking, _exact_ranking, "ndcg")
FORMS = (BINARY, MULTICLASS, REGRESSION, RANKING)

BINNED = {"roc_auc", "average_precision", "ks_score"}
"""Metrics that a grid of scores gives to 5e-4 (ks_score: to the fullest bin's share); all others are exact to 1e-9."""
