"""What the pipeline is measured against: the same work as one would first write it."""

import json
from datetime import datetime

import numpy as np

from tests.benchmarks.workload import CATEGORIES, NUMBERS, VOCABULARY, WINDOW_MS, Workload


def naive(workload: Workload) -> list[tuple[int, float]]:
    """Parse each event with json, keep lists, and at the end of each window take the PSI of every column.

    Returns rows and greatest PSI of each window. It checks nothing, knows no late rows and one statistic of twelve.
    """
    edges = [workload.layout.edges[n][1::13] for n in range(NUMBERS)]
    shares = [_shares(workload.reference.numeric.counts[n, :-2], 10) for n in range(NUMBERS)]
    windows: list[tuple[int, float]] = []
    rows: list[dict[str, object]] = []
    end = None
    for raw in workload.raws:
        for record in raw.records:
            event = json.loads(record)
            moment = datetime.fromisoformat(event["time"]).timestamp() * 1000
            if end is not None and moment >= end:
                windows.append((len(rows), _close(rows, edges, shares)))
                rows = []
            if end is None or moment >= end:
                end = moment // WINDOW_MS * WINDOW_MS + WINDOW_MS
            rows.append(event["features"])
    windows.append((len(rows), _close(rows, edges, shares)))
    return windows


def _close(rows: list[dict[str, object]], edges: list[np.ndarray], shares: list[np.ndarray]) -> float:
    greatest = 0.0
    for n in range(NUMBERS):
        values = np.array([row[f"f{n}"] for row in rows], dtype=np.float64)
        counts = np.bincount(np.searchsorted(edges[n], values), minlength=len(edges[n]) + 1)
        greatest = max(greatest, _psi(counts[: len(shares[n])] / len(rows), shares[n]))
    for n in range(CATEGORIES):
        values = [row[f"c{n}"] for row in rows]
        current = np.array([values.count(word) for word in VOCABULARY]) / len(rows)
        greatest = max(greatest, _psi(current, np.full(len(VOCABULARY), 1 / len(VOCABULARY))))
    return greatest


def _psi(current: np.ndarray, reference: np.ndarray) -> float:
    q, p = np.maximum(current, 1e-4), np.maximum(reference, 1e-4)
    return float(((q - p) * np.log(q / p)).sum())


def _shares(counts: np.ndarray, groups: int) -> np.ndarray:
    return np.array([part.sum() for part in np.array_split(counts, groups)]) / counts.sum()
