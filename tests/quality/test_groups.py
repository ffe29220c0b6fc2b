"""The groups that every remembered row is in: as its columns say, in little memory, and never mistaken for others."""

from dataclasses import replace

import numpy as np
import pytest

from driftwatch.daemon.snapshot import encode, resume
from driftwatch.monitor import Monitor
from driftwatch.quality.building import QualityTerms, make_quality
from driftwatch.stream.answers import outputs_of
from driftwatch.stream.dimensions import ByCategory, Dimensions
from driftwatch.stream.join.labels import LabelJoin
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.schema import Task
from driftwatch.stream.windows import Windows
from tests.labelled import DIMENSIONS, FORM, Prediction, Verdict, monitor, play, quality_of
from tests.monitors import LAYOUT, TUMBLING, Row

ROWS = [Prediction(Row("p", 2 * event, "1", event % 9, event % 3), event, event % 11) for event in range(1, 30)]


def remembering(dimensions: Dimensions) -> Monitor:
    """A new monitor like the others, whose rows are divided otherwise."""
    form = replace(FORM, groups=len(dimensions.all))
    quality = make_quality(form, LAYOUT, Windows(TUMBLING), QualityTerms(100, 30, dimensions=dimensions))
    return Monitor("fraud", windows=Windows(TUMBLING), evaluator=monitor(TUMBLING).evaluator, quality=quality)


def restarted(target: Monitor, resumed: Monitor) -> Monitor:
    snapshot = encode(target)
    panes = {name: chunk for name, chunk in snapshot.panes.items() if chunk is not None}
    assert resume(resumed, snapshot.core, panes) == 0
    return resumed


def test_a_row_is_remembered_with_its_groups() -> None:
    """Those that its columns put it into, labelled or not, after a restart, too."""
    target = monitor(TUMBLING)
    play(target, [*ROWS, Verdict("l", 61, 28, 1)])
    target = restarted(target, monitor(TUMBLING))
    (found,) = quality_of(target).join.answers([range(50, 61, 10)])
    events = [row for row in ROWS if row.row.time >= 50]
    expected = DIMENSIONS.codes(
        np.array([[float(row.row.amount) for row in events]]), np.array([[row.row.country for row in events]])
    )
    assert sorted(found.answers.outputs["groups"].tolist()) == sorted(expected.T.tolist())
    assert len(np.unique(expected, axis=1).T) > 3, "rows of several groups"


@pytest.mark.parametrize(
    "others",
    [
        Dimensions(),
        replace(DIMENSIONS, protected=()),
        replace(DIMENSIONS, protected=(ByCategory.of("country", 0, ("DE", "FR"), kept=("DE",)),)),
        replace(DIMENSIONS, segments=tuple(reversed(DIMENSIONS.segments))),
    ],
    ids=["none", "fewer", "another member", "another order"],
)
def test_rows_that_were_divided_otherwise_are_not_gone_on_with(others: Dimensions) -> None:
    """Their groups would mean something else: predictions and labels are left out, and deleted by the next checkpoint.

    All else goes on.
    """
    target = monitor(TUMBLING)
    play(target, [*ROWS, Verdict("l", 61, 28, 1)])
    stored = {name for name, chunk in encode(target).panes.items() if name.startswith("quality/") and chunk}
    resumed = restarted(target, remembering(others))
    assert quality_of(resumed).join.totals() == {}
    assert not quality_of(resumed).known.windows
    assert resumed.memory.panes.keys() == target.memory.panes.keys()
    written = encode(resumed).panes
    assert {name for name in stored if name not in written} == set()


def test_as_many_groups_as_dimensions() -> None:
    """Anything else is a mistake of whoever puts a model together."""
    with pytest.raises(ValueError, match="outputs have 0 groups, but rows 3 dimensions"):
        make_quality(replace(FORM, groups=0), LAYOUT, Windows(TUMBLING), QualityTerms(1, 1, dimensions=DIMENSIONS))


def test_an_event_is_in_no_group_until_its_columns_are_looked_at() -> None:
    """Decode knows of no dimensions."""
    records = outputs_of(FORM, {"score": np.array([0.5])}, 1)
    assert records["groups"].tolist() == [[-1, -1, -1]]


def test_a_group_takes_a_byte() -> None:
    """Three dimensions make 37 bytes 40, a sixteenth more held ready; and 43 from a 129th member on."""
    form = OutputForm(Task.BINARY, ("0", "1"), groups=3)
    join = LabelJoin(form, capacity=1_000_000, waiting_capacity=1)
    plain = LabelJoin(replace(form, groups=0), capacity=1_000_000, waiting_capacity=1)
    places = 1_000_000 * 17 / 16
    assert plain.nbytes / places == pytest.approx(37, abs=0.2)
    assert join.nbytes / places == pytest.approx(40, abs=0.2)
    for member, each in ((127, 40), (128, 43)):
        outputs = outputs_of(form, {"groups": np.array([[-1, 0, member]], dtype=np.int16)}, 1)
        one = np.ones(1, dtype=np.int64)
        join.predict(panes=one, versions=one, times=one, ids=one.astype(np.uint64), outputs=outputs)
        assert join.nbytes / places == pytest.approx(each, abs=0.2)
