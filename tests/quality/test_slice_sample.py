"""Which columns a labelled reference makes slices of: those that say something, however its table is cut."""

import numpy as np
import pytest

from driftwatch.kernels.slicing import BANDS, GROUPS
from driftwatch.quality import slice_sample
from driftwatch.quality.slice_sample import LEAST_ROWS, MOST_SLICES, SliceSample
from driftwatch.stream.answers import outcomes_of, outputs_of
from driftwatch.stream.batch import Batch
from driftwatch.stream.outputs import LABELLED, Answers, OutputForm
from driftwatch.stream.schema import PREDICTION, SCORE, Column, Kind, Task
from driftwatch.stream.tabled import Marked
from driftwatch.summaries.binary import BinaryState
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.known_outcomes import PARTS, KnownOutcomes, ScoreParts
from driftwatch.summaries.scores import ScoreGrid
from driftwatch.summaries.survey import NumericSurvey

FORM = OutputForm(Task.BINARY, ("0", "1"))
GRID = ScoreGrid.of()
CITIES = tuple(f"c{number:02}" for number in range(30))


def table(seed: int, rows: int = 12_000, *, income: float = 1.2, city: float = 1.2) -> tuple[Marked, Batch]:
    """Labels whose log-odds are those of the score plus income's and city's share; a number and a text say nothing."""
    rng = np.random.default_rng(seed)
    incomes, cities = rng.normal(size=rows), rng.choice(30, rows, p=np.arange(30, 0, -1) / 465)
    scores = rng.beta(0.8, 0.9, rows).clip(1e-3, 1 - 1e-3)
    log_odds = np.log(scores / (1 - scores)) + income * incomes + city * np.where(cities % 2, 1.0, -1.0)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    incomes[::97] = np.nan
    outputs = outputs_of(FORM, {"score": scores}, rows)
    answers = Answers(
        outputs, outcomes_of(FORM, {"label": labels}, rows), np.full(rows, LABELLED, np.uint8), np.zeros(rows, np.int64)
    )
    zeros = np.zeros(rows, dtype=np.int64)
    numeric = np.stack([rng.normal(size=rows), incomes, scores])
    categorical = np.stack([cities, rng.integers(0, 3, rows), outputs["prediction"]]).astype(np.int32)
    batch = Batch("reference", zeros, zeros.astype(np.uint64), zeros.astype(np.int32), ("",), numeric, categorical)
    return Marked(answers, np.arange(rows), np.arange(rows), 0), batch


def sample_of(marked: Marked, batch: Batch, *, cut: int | None = None) -> SliceSample:
    """The sample of a table that is read in chunks of `cut` rows."""
    survey = NumericSurvey(3)
    survey.add(batch.numeric, first_row=0)
    numeric = [Column("noise", Kind.NUMERIC), Column("income", Kind.NUMERIC), Column(SCORE, Kind.NUMERIC)]
    categorical = [
        Column("city", Kind.CATEGORICAL, CITIES),
        Column("day", Kind.CATEGORICAL, ("a", "b")),
        Column(PREDICTION, Kind.CATEGORICAL, ("0", "1")),
    ]
    sample = SliceSample(build_layout(numeric, categorical, survey), GRID)
    cut = cut or batch.rows
    for start in range(0, batch.rows, cut):
        which = slice(start, min(start + cut, batch.rows))
        places = np.arange(which.stop - which.start)
        sample.add(
            Marked(marked.answers.at(which), places, places, 0), batch.between(which.start, which.stop), first_row=start
        )
    return sample


def labelled(marked: Marked) -> np.ndarray:
    return BinaryState.of(marked.answers, FORM, grid=GRID).labelled.astype(np.float64)


def chosen(sample: SliceSample, marked: Marked) -> tuple[list[str], np.ndarray]:
    ways, known = sample.chosen(labelled(marked))
    return [way.name for way in ways], np.zeros(0) if known is None else known.evidence.packed


def test_columns_that_say_something_are_chosen() -> None:
    """Not the noise, and never the model's own outputs; they are divided by what is most frequent, and at quantiles."""
    marked, batch = table(0)
    ways, known = sample_of(marked, batch).chosen(labelled(marked))
    assert sorted(way.name for way in ways) == ["city", "income"]
    by_name = {way.name: way for way in ways}
    assert len(by_name["income"].members) == 11
    assert by_name["city"].members[:10] == tuple(f"city={name}" for name in CITIES[:10])
    assert (len(by_name["city"].members), by_name["city"].members[-1]) == (16, "city=_other")
    codes = by_name["income"].codes(batch.numeric, batch.categorical)
    counts = np.bincount(codes, minlength=11)
    assert counts[-1] == np.count_nonzero(np.isnan(batch.numeric[1])), "rows without a value are a group of their own"
    assert (np.abs(counts[:-1] / batch.rows - 0.1) < 0.02).all()
    assert known is not None
    assert known.rows == batch.rows
    assert known.evidence.effects.used.all()
    groups = known.evidence.effects.log_odds.reshape(2, GROUPS, BANDS)[[way.name for way in ways].index("city"), :10, 2]
    assert (np.sign(groups) == np.where(np.arange(10) % 2, 1, -1)).all(), "odd cities turn out positive more often"


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_chosen_where_the_score_says_all(seed: int) -> None:
    """Four columns of noise."""
    marked, batch = table(seed, rows=5_000, income=0.0, city=0.0)
    assert sample_of(marked, batch).chosen(labelled(marked)) == ((), None)


def test_few_labels_choose_nothing() -> None:
    """However much they seem to say."""
    marked, batch = table(0, rows=LEAST_ROWS - 1)
    assert sample_of(marked, batch).chosen(labelled(marked)) == ((), None)


def test_how_a_table_is_cut_or_shared_out_changes_nothing(monkeypatch) -> None:
    """A sample of chunks of any size, and two samples of half a table each, choose the same and say the same."""
    monkeypatch.setattr(slice_sample, "SAMPLE_ROWS", 4_000)
    marked, batch = table(1)
    whole = sample_of(marked, batch)
    names, evidence = chosen(whole, marked)
    assert names
    assert whole.sampled.priorities.size == 4_000
    for cut in (1_000, 7_777):
        pieces = sample_of(marked, batch, cut=cut)
        assert chosen(pieces, marked)[0] == names
        assert np.array_equal(chosen(pieces, marked)[1], evidence)
    first, second = sample_of(marked, batch), sample_of(marked, batch)
    even = first.sampled.priorities % 2 == 0
    first.sampled, second.sampled = first.sampled.at(even), second.sampled.at(~even)
    second.merge(first)
    assert chosen(second, marked)[0] == names
    assert np.array_equal(chosen(second, marked)[1], evidence)


def test_a_sample_is_fair_and_bounded(monkeypatch) -> None:
    """Rows of the table's beginning are no likelier than those of its end; a wide table has fewer."""
    monkeypatch.setattr(slice_sample, "SAMPLE_CELLS", 6_000)
    marked, batch = table(2)
    batch.numeric[0] = np.arange(batch.rows)
    sample = sample_of(marked, batch, cut=500)
    assert sample.sampled.priorities.size == 1_000
    halves = np.count_nonzero(sample.sampled.numeric[0] < batch.rows / 2)
    assert abs(halves - 500) < 50, "three deviations"


def test_evidence_is_stored_with_the_outcomes() -> None:
    """Bit by bit, in little room; outcomes without any are as they were."""
    marked, batch = table(3)
    _, known = sample_of(marked, batch).chosen(labelled(marked))
    assert known is not None
    assert known.evidence.response.size <= MOST_SLICES * GROUPS * BANDS
    parts = ScoreParts(GRID, np.zeros((PARTS, GRID.bins + 1, 2, 2), dtype=np.int64))
    stored = KnownOutcomes(rows=10, losses=1.0, scores=parts, slices=known)
    read = KnownOutcomes.from_parts(stored.meta(), stored.arrays())
    assert read.slices is not None
    assert read.slices.rows == known.rows
    assert np.array_equal(read.slices.evidence.information, known.evidence.information)
    assert np.array_equal(read.slices.evidence.response, known.evidence.response)
    plain = KnownOutcomes(rows=10, losses=1.0, scores=parts)
    assert KnownOutcomes.from_parts(plain.meta(), plain.arrays()).slices is None
    assert "slice_rows" not in plain.meta()
