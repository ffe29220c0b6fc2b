"""A report that was stored says of performance what it said."""

import math
from dataclasses import replace

import msgspec

from driftwatch.evaluation.recollect import recollected
from driftwatch.evaluation.report import Report, Window
from driftwatch.statistics.reading import Reading, Stage, Status, Support
from tests.evaluation.readings import reading

NAN = math.nan


def test_there_and_back() -> None:
    """Window, revision and every reading of performance come back; those of drift stay away."""
    readings = (
        Reading("", "performance", "accuracy", 0.8, NAN, 0.7, 0.9, NAN, Status.OK,
                Support(Stage.INTERIM, 0.5, 0.82, 0.4, 0.95, 0.6)),
        Reading("bee", "performance", "f1", NAN, NAN, NAN, NAN, NAN, Status.NO_LABELS, Support(Stage.INTERIM, 0.0)),
        Reading("", "estimation", "roc_auc", 0.7, NAN, 0.6, 0.8, NAN, Status.OK, Support(Stage.ESTIMATED)),
        Reading("", "concept", "gap_roc_auc", -0.1, NAN, -0.2, 0.0, 0.04, Status.OK, Support(Stage.FINAL)),
    )  # fmt: skip
    stored = Report(
        "fraud", "7", "", Window(1_767_571_200_000, 1_767_571_200_500, 40, "interim"), 3, "abc", 100,
        (reading(0.5), *readings), thresholds={("amount", "psi"): 0.2},
    )  # fmt: skip
    found = recollected(msgspec.json.decode(stored.line()))
    assert repr(found) == repr(replace(stored, readings=readings, thresholds={}, follows=True))
