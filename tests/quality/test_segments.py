"""What is measured of each segment of a window: its own rows, all of them, and nothing of too few."""

import numpy as np
import pytest
from hypothesis import given, settings

from driftwatch.evaluation.report import Performance, Window
from driftwatch.monitor import Monitor
from driftwatch.quality.segments import LEAST_ROWS, WHOLE
from driftwatch.quality.state import read_window
from driftwatch.statistics.reading import Stage, Status
from tests.labelled import DIMENSIONS, Prediction, Verdict, monitor, play, quality_of, streams
from tests.monitors import TUMBLING, Row

ALL = range(-200, 1_000, 10)
END = 1_000_000


def measured(target: Monitor, stage: Stage = Stage.FINAL) -> dict[str, Performance]:
    """Of version 1 all rows that are remembered, as one window."""
    quality = quality_of(target)
    key = END, "1"

    class Endless:
        def panes_of(self, end: int) -> range:
            del end
            return ALL

    quality._windows, windows = Endless(), quality._windows
    found = quality.performances({key: Window(-200, END, 1, stage)}, whole={key})
    quality._windows = windows
    return {segment: said for (_, segment), said in found.items()}


def value(said: Performance, statistic: str, family: str = "performance") -> tuple[float, Status]:
    return next(
        (each.value, each.status) for each in said.readings if (each.statistic, each.family) == (statistic, family)
    )


@settings(max_examples=40, deadline=None)
@given(streams(ticks=False, nameless=False))
def test_segments_conserve_predictions_and_labels(arrivals: list) -> None:
    """The segments of one way to divide rows have, together, what the whole window has; and each what a list says."""
    target = monitor(TUMBLING.model_copy(update={"keep": 10_000}), wait_ms=10_000)
    play(target, [*arrivals, Verdict("l", 0, 1_000_000, 1)])  # once a label has come, there is something to say
    found = measured(target)
    if not found:
        return
    whole = found.pop(WHOLE).arrivals
    for dimension in DIMENSIONS.segments:
        parts = [found[name].arrivals for name in dimension.members if name in found]
        for count in ("predictions", "labelled", "waiting", "expired", "cancelled"):
            assert sum(getattr(part, count) for part in parts) == getattr(whole, count)
    sent = {}
    for each in arrivals:
        if isinstance(each, Prediction) and each.row.version == "1":
            sent.setdefault(each.event, each)
    rows = [each.row for each in sent.values()]
    expected = {
        "country=DE": sum(row.country == 0 for row in rows),
        "country=_other": sum(row.country > 1 for row in rows),
        "amount<=2": sum(row.amount <= 2 for row in rows),
        "2<amount<=5": sum(2 < row.amount <= 5 for row in rows),
    }
    assert {name: found[name].arrivals.predictions if name in found else 0 for name in expected} == expected


def labelled(count: int, *, country: int = 0, first: int = 1, wrong: int = 0) -> list:
    """Predictions and their labels; the first ones are wrong."""
    rows = [Prediction(Row("p", 5, "1", 0, country), first + n, 9 if n % 2 else 1) for n in range(count)]
    labels = [Verdict("l", 6, first + n, int(n % 2 != (n < wrong))) for n in range(count)]
    return [*rows, *labels]


def test_a_segment_is_measured_by_its_own_rows() -> None:
    """One is always right, one half of the time, and the whole lies between them."""
    target = monitor(TUMBLING, real=True)
    play(target, [*labelled(200), *labelled(100, country=1, first=1_000, wrong=50)])
    found = measured(target)
    assert value(found["country=DE"], "accuracy") == (1.0, Status.OK)
    assert value(found["country=FR"], "accuracy") == (0.5, Status.OK)
    assert value(found[WHOLE], "accuracy")[0] == pytest.approx(250 / 300)
    assert value(found["amount<=2"], "roc_auc") == value(found[WHOLE], "roc_auc")
    assert {said.mark for said in found.values()} == {found[WHOLE].mark}
    assert found.keys() == {WHOLE, "country=DE", "country=FR", "amount<=2"}, "nothing is said of segments without rows"


def test_estimates_of_a_segment_rest_on_what_the_version_has_taught() -> None:
    """A segment without a single label is told what its scores promise, by the calibration of all rows."""
    target = monitor(TUMBLING, real=True)
    taught = labelled(400, wrong=100)
    play(target, taught)
    quality = quality_of(target)
    (recalled,) = quality.join.answers([[0]])
    quality.assessor.learn(recalled.answers, version="1", end=10)
    play(target, [Prediction(Row("p", 15, "1", 0, 1), 5_000 + n, 9 if n % 2 else 1) for n in range(60)])
    found = measured(target)
    assert value(found["country=FR"], "accuracy", "estimation")[0] == pytest.approx(0.75, abs=0.01)
    realised, status = value(found["country=FR"], "accuracy")
    assert np.isnan(realised)
    assert status is Status.NO_LABELS


def test_a_segment_of_few_rows_or_labels_has_no_figures() -> None:
    """They would be noise; what came is counted all the same."""
    target = monitor(TUMBLING, real=True)
    few = LEAST_ROWS - 1
    play(target, [*labelled(LEAST_ROWS), *labelled(few, country=1, first=1_000)])
    found = measured(target)
    assert value(found["country=DE"], "accuracy") == (1.0, Status.OK)
    realised, status = value(found["country=FR"], "accuracy")
    assert np.isnan(realised)
    assert status is Status.TOO_FEW
    assert all(reading.status is not Status.OK for reading in found["country=FR"].readings)
    assert found["country=FR"].arrivals.labelled == few
    play(target, [Prediction(Row("p", 5, "1", 0, 1), 3_000 + n, 9) for n in range(10)])
    found = measured(target)
    assert found["country=FR"].arrivals.predictions == few + 10
    assert value(found["country=FR"], "accuracy")[1] is Status.TOO_FEW, "rows enough, but labels of too few"


def test_a_window_of_before_there_were_segments_goes_on() -> None:
    """Its rules had judged the whole of it."""
    old = b'{"window":{"start_ms":0,"end_ms":9,"rows":3},"looked":9,"mark":5,"decided":["auc"],"final":false}'
    assert read_window(old).decided == {("auc", "")}
