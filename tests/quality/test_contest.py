"""Contests of versions: who is compared with whom, when it is ruled, what is kept and what is forgotten."""

from pathlib import Path

import numpy as np
import pytest

from driftwatch.errors import StateError
from driftwatch.kernels.confidence_sequence import difference, harmonic
from driftwatch.quality import contest
from driftwatch.quality.contest import Contests
from driftwatch.quality.yardsticks import measure_of
from driftwatch.statistics.binary import binary_metrics
from driftwatch.statistics.contrast import Ruling
from driftwatch.statistics.reading import Status
from driftwatch.stream.dimensions import ByCategory, Dimensions
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.schema import Task
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.scores import ScoreGrid
from tests.duels import FORMS, MEASURES, answers, recalled, together, waiting
from tests.golden.make_contest import GOLDEN, said_of, written

CHANNEL = Dimensions((ByCategory.of("channel", 0, ["web", "shop"], kept=["web"]),))
SEGMENTED = OutputForm(Task.BINARY, ("no", "yes"), groups=1)


def new(task=Task.BINARY, **terms):
    return Contests(MEASURES[task], **terms)


def fill(target, windows, *, rows=(300, 300), noise=0.0, task=Task.BINARY, first=0):
    """Add windows of versions 6 and 7, the latter with noise."""
    for end in range(first, first + windows):
        one, other = answers(task, 2 * end, rows[0]), answers(task, 2 * end + 1, rows[1], noise=noise)
        target.add({"6": recalled(one), "7": recalled(other, 1)}, end)
    return target


def by_name(readings):
    return {(each.column, each.statistic): each for each in readings}


def test_a_challenger_is_compared_with_the_version_seen_first():
    """The champion itself has no comparison; a reading says beside whom, over how many rows."""
    target = fill(new(), 2, rows=(300, 200))
    assert target.readings("6") == ()
    found = by_name(target.readings("7"))["", "roc_auc"]
    assert (found.family, found.status) == ("comparison", Status.OK)
    assert (found.contrast.versus, found.contrast.rows, found.contrast.versus_rows) == ("6", 400, 600)
    assert found.lower < found.value < found.upper
    assert found.contrast.mde > max(found.upper - found.value, found.value - found.lower)


def test_a_difference_is_that_of_the_versions_own_metrics():
    """Computed from the rows of all windows, on the same grid; the rows are 1 / (1/600 + 1/400)."""
    one, other = (
        [answers(Task.BINARY, seed, rows) for seed in seeds] for seeds, rows in (((1, 2), 300), ((3, 4), 200))
    )  # fmt: skip
    target = new()
    for end in range(2):
        target.add({"6": recalled(one[end]), "7": recalled(other[end], 1)}, end)
    states = [
        BinaryState.of(together(*side), FORMS[Task.BINARY], grid=ScoreGrid.of()) for side in (one, other)
    ]  # fmt: skip
    alone = [binary_metrics(state) for state in states]
    rows = np.asarray(harmonic(np.array(600.0), np.array(400.0)))
    for name in ("accuracy", "log_loss", "roc_auc", "f1"):
        expected = difference(alone[0][name], alone[1][name], rows=rows)
        found = by_name(target.readings("7"))["", name]
        # The bins of a contest are fewer.
        assert (found.value, found.lower, found.upper) == pytest.approx(
            (float(expected.value), float(expected.lower), float(expected.upper)), abs=5e-4
        )


def test_a_ruling_stands_with_the_rows_that_it_took():
    """A version that was worse at first is so for ever, though it does as well later; the bounds go on."""
    target = fill(new(), 6, noise=0.5)
    early = by_name(target.readings("7"))["", "log_loss"]
    assert early.contrast.ruling is Ruling.WORSE
    assert early.contrast.decided_rows == early.contrast.decided_versus_rows < 1800
    late = by_name(fill(target, 60, first=6).readings("7"))["", "log_loss"]
    assert late.contrast.ruling is Ruling.WORSE
    assert late.contrast.decided_rows == early.contrast.decided_rows
    assert (late.contrast.rows, late.value < early.value) == (66 * 300, True)


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.REGRESSION, Task.RANKING])
def test_other_tasks_are_compared_too(task):
    """A noisy challenger is worse by every metric that was ruled; classes have differences of their own."""
    found = by_name(fill(new(task), 12, noise=0.6, task=task).readings("7"))
    rulings = {key: each.contrast.ruling for key, each in found.items() if each.contrast.ruling != "undecided"}
    assert len(rulings) >= 2
    assert set(rulings.values()) == {Ruling.WORSE}
    assert {column for column, _ in found} == ({"", "a", "b", "c"} if task is Task.MULTICLASS else {""})


def test_a_configured_champion_is_waited_for():
    """Nothing is compared in windows that it is not in."""
    target = new(champion="7")
    target.add({"5": recalled(answers(Task.BINARY, 1, 200)), "6": recalled(answers(Task.BINARY, 2, 200), 1)}, 0)
    assert target.changes() == {}
    fill(target, 1, first=1)
    assert target.readings("7") == ()
    assert {each.contrast.versus for each in target.readings("6")} == {"7"}


def test_only_windows_of_both_count():
    """A version alone, or one without a label yet, adds nothing; and no window counts twice."""
    target = new()
    one, other = answers(Task.BINARY, 1, 200), answers(Task.BINARY, 2, 200)
    target.add({"6": recalled(one)}, 1)
    target.add({"6": recalled(one), "7": recalled(waiting(other), 1)}, 2)
    assert target.changes() == {}
    for end in (3, 3, 2):
        target.add({"6": recalled(one), "7": recalled(other, 1)}, end)
    assert {each.contrast.rows for each in target.readings("7")} == {200}


def test_when_the_champion_changes_the_newer_contest_is_told():
    """Version 7 against 6, then against 8: one difference of a metric at a time."""
    target = fill(new(), 2)
    target.add({"8": recalled(answers(Task.BINARY, 1, 200)), "7": recalled(answers(Task.BINARY, 2, 200), 1)}, 9)
    assert {each.contrast.versus for each in target.readings("7")} == {"8"}


def test_few_rows_say_nothing():
    """There is a reading, which says so."""
    found = fill(new(), 1, rows=(300, 60)).readings("7")
    assert {each.status for each in found} == {Status.TOO_FEW}
    assert all(np.isnan([each.value, each.lower, each.upper, each.contrast.mde]).all() for each in found)


def test_segments_have_contests_of_their_own():
    """Rows of each are those of the segment; together they are the whole."""
    target = Contests(measure_of(SEGMENTED, ScoreGrid.of()), dimensions=CHANNEL)
    one, other = (answers(Task.BINARY, seed, 800, form=SEGMENTED) for seed in (1, 2))
    target.add({"6": recalled(one), "7": recalled(other, 1)}, 0)
    rows = [
        {each.contrast.rows for each in target.readings("7", segment)}
        for segment in ("channel=web", "channel=_other", "")
    ]  # fmt: skip
    assert rows[2] == {800}
    assert rows[0].pop() + rows[1].pop() == 800
    assert target.readings("7", "channel=shop") == ()


def test_there_is_room_for_so_many(monkeypatch):
    """The whole model's contests come first; what is beyond the bound is left out, and the others go on."""
    monkeypatch.setattr(contest, "MOST_CONTESTS", 2)
    target = Contests(measure_of(SEGMENTED, ScoreGrid.of()), dimensions=CHANNEL)
    for end in range(2):
        one, other = (answers(Task.BINARY, seed, 400, form=SEGMENTED) for seed in (end, end + 5))
        target.add({"6": recalled(one), "7": recalled(other, 1), "8": recalled(other, 2)}, end)
    assert len(target.changes()) == target.held == 2
    assert target.refused == {("6", version, f"channel={name}") for version in "78" for name in ("web", "_other")}
    assert {each.contrast.rows for each in target.readings("7")} == {800}
    assert {each.contrast.rows for each in target.readings("8")} == {800}
    assert target.readings("7", "channel=web") == ()
    target.keep({"6", "7"})
    assert {key[1] for key in target.refused} == {"7"}


def test_what_is_gone_is_forgotten():
    """Its chunk is deleted, once."""
    target = fill(new(), 1)
    assert target.changes().keys() == {"1"}
    target.saved()
    target.keep({"6", "7"})
    assert target.changes() == {}
    target.keep({"7"})
    assert target.changes() == {"1": None}
    assert target.readings("7") == ()


@pytest.mark.parametrize("task", list(FORMS))
def test_a_contest_goes_on_where_it_was_saved(task):
    """Readings and further windows are the same to the last bit."""
    one = fill(new(task), 5, task=task, noise=0.3)
    other = new(task)
    other.resume(one.changes())
    assert repr(other.readings("7")) == repr(one.readings("7"))
    for target in (one, other):
        target.saved()
        fill(target, 2, task=task, first=5, noise=0.3)
    assert repr(other.readings("7")) == repr(one.readings("7"))
    assert other.changes() == one.changes()


def test_a_contest_over_other_bins_is_refused():
    """As are chunks that are none."""
    chunks = fill(new(Task.MULTICLASS), 1, task=Task.MULTICLASS).changes()
    with pytest.raises(StateError, match="other bins or classes"):
        new(Task.BINARY).resume(chunks)
    with pytest.raises(StateError, match="called"):
        new().resume({"one": b""})
    with pytest.raises(StateError):
        new().resume({"1": next(iter(chunks.values()))[:-3]})


def test_what_an_older_version_wrote_is_read():
    """The golden file says what it said when it was written."""
    target = new(Task.RANKING)
    target.resume({"1": Path(GOLDEN).with_suffix(".chunk").read_bytes()})
    assert said_of(target) == Path(GOLDEN).with_suffix(".json").read_text()
    assert written().keys() == {"1"}
