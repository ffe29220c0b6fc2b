import numpy as np
import pytest

from driftwatch.quality.fairness import Fairness
from driftwatch.statistics.fairness import BY_LABELS, BY_PREDICTIONS, MEASURES
from driftwatch.statistics.reading import Stage, Status
from driftwatch.stream.dimensions import ByCategory, Dimensions
from driftwatch.stream.outputs import LABELLED, WAITING, Answers, OutputForm, blank
from driftwatch.stream.schema import Task

GENDER = ByCategory.of("gender", 0, ("F", "M", "X"), kept=("F", "M"))
CHANNEL = ByCategory.of("channel", 1, ("web",), kept=("web",))
DIMENSIONS = Dimensions(segments=(CHANNEL,), protected=(GENDER,))


def answers_of(form, *, rows=600, state=LABELLED, seed=1):
    """Rows of three genders; the third is too rare to be a group."""
    rng = np.random.default_rng(seed)
    outputs, outcomes = blank(form.outputs, rows), blank(form.outcomes, rows)
    outputs["groups"][:, 1] = rng.choice(3, rows, p=[0.4, 0.5, 0.1])
    outputs["groups"][:, 0] = 0
    outputs["prediction"] = rng.random(rows) < 0.2 + 0.3 * (outputs["groups"][:, 1] == 1)
    outcomes["label"] = rng.integers(0, 2, rows)
    return Answers(outputs, outcomes, np.full(rows, state, np.uint8), np.zeros(rows, np.int64))


def test_a_binary_models_groups_are_compared():
    """Every measure at the end; `_other` is no group, and calibration needs scores."""
    form = OutputForm(Task.BINARY, ("0", "1"), groups=2)
    answers = answers_of(form)
    found = Fairness(form, DIMENSIONS).readings(answers, stage=Stage.FINAL, coverage=1.0)
    assert tuple(each.statistic for each in found) == MEASURES
    groups, said = answers.outputs["groups"][:, 1], answers.outputs["prediction"]
    assert found[0].value == pytest.approx(said[groups == 1].mean() - said[groups == 0].mean())
    assert (found[0].between.least, found[0].between.greatest) == ("gender=F", "gender=M")
    assert {each.column for each in found} == {"gender"}
    assert [each.status for each in found] == [Status.OK] * 4 + [Status.TOO_FEW]


def test_while_labels_are_waited_for_predictions_are_compared():
    """Labels that have come first may be those of one group."""
    form = OutputForm(Task.BINARY, ("0", "1"), groups=2)
    found = Fairness(form, DIMENSIONS).readings(answers_of(form), stage=Stage.INTERIM, coverage=0.5)
    assert tuple(each.statistic for each in found) == BY_PREDICTIONS


def test_without_labels_there_are_no_rates_of_them():
    """The reason is given."""
    form = OutputForm(Task.BINARY, ("0", "1"), groups=2)
    found = Fairness(form, DIMENSIONS).readings(answers_of(form, state=WAITING), stage=Stage.FINAL, coverage=0.0)
    assert {each.status for each in found if each.statistic in BY_LABELS} == {Status.NO_LABELS}


def test_each_class_is_compared_with_the_others():
    """A multiclass model's dimension stands once for each class."""
    form = OutputForm(Task.MULTICLASS, ("no", "yes"), groups=2)
    found = Fairness(form, DIMENSIONS).readings(answers_of(form), stage=Stage.FINAL, coverage=1.0)
    assert {each.column for each in found} == {"gender[no]", "gender[yes]"}
    of_yes = {each.statistic: each for each in found if each.column == "gender[yes]"}
    binary = OutputForm(Task.BINARY, ("0", "1"), groups=2)
    same = Fairness(binary, DIMENSIONS).readings(answers_of(binary), stage=Stage.FINAL, coverage=1.0)
    assert [of_yes[each.statistic].value for each in same[:4]] == pytest.approx([each.value for each in same[:4]])


def test_nothing_is_said_of_numbers_or_where_nobody_is_protected():
    """A regression selects nobody."""
    form = OutputForm(Task.REGRESSION, groups=2)
    assert Fairness(form, DIMENSIONS).readings(answers_of(form), stage=Stage.FINAL, coverage=1.0) == ()
    form = OutputForm(Task.BINARY, ("0", "1"), groups=2)
    nobody = Dimensions(segments=(CHANNEL, GENDER))
    assert Fairness(form, nobody).readings(answers_of(form), stage=Stage.FINAL, coverage=1.0) == ()
