"""Which classes a model has: those declared, or what its reference predicts."""

from dataclasses import replace
from pathlib import Path

import pytest

from driftwatch.config import ModelSpec
from driftwatch.daemon.watch import Watch, watch
from driftwatch.errors import ConfigError
from driftwatch.store import references
from driftwatch.stream.schema import PREDICTION, Task
from driftwatch.summaries.blocks import BlockCounter
from driftwatch.summaries.reference import Reference

GOLDEN = Path(__file__).parents[1] / "golden" / "reference_v1.reference"


def reference(vocabulary: tuple[str, ...] | None, task: Task) -> Reference:
    """The golden reference, as if its predictions had been these; None: as if it had none."""
    golden = references.load(GOLDEN)
    columns = [column for column in golden.layout.categorical if column.name != PREDICTION or vocabulary is not None]
    named = tuple(replace(column, vocabulary=vocabulary) if column.name == PREDICTION else column for column in columns)
    layout = replace(golden.layout, categorical=named)
    nothing = {"profile": golden.profile.empty(layout), "blocks": BlockCounter(layout).blocks}
    return replace(golden, task=task, layout=layout, **nothing)


def watched(vocabulary: tuple[str, ...] | None, *, task: Task = Task.BINARY, **keys: object) -> Watch:
    spec = ModelSpec.model_validate({"name": "fraud", "task": task.value, "reference": "unused", **keys})
    return watch(spec, reference(vocabulary, task), where="models[0]")


@pytest.mark.parametrize(
    ("vocabulary", "keys", "classes"),
    [
        (("0", "1"), {}, ("0", "1")),
        (("1", "0"), {}, ("0", "1")),
        (("yes", "no"), {}, ("no", "yes")),
        (("10", "9"), {}, ("9", "10")),
        (("true", "false"), {}, ("false", "true")),
        (("1",), {}, ("0", "1")),
        (("a", "b", "c"), {}, ("0", "1")),
        (None, {}, ("0", "1")),
        (("bad", "good"), {"classes": ["good", "bad"]}, ("good", "bad")),
        (("0", "1"), {"classes": ["good", "bad"]}, ("good", "bad")),
    ],
)
def test_binary_classes(vocabulary, keys, classes) -> None:
    """The negative class comes first: as declared, or in the order of numbers or of the alphabet."""
    assert watched(vocabulary, **keys).output_form.classes == classes


@pytest.mark.parametrize(
    ("vocabulary", "keys", "classes"),
    [
        (("dog", "cat", "3"), {}, ("dog", "cat", "3")),
        (("dog", "cat", "3"), {"classes": ["cat", "dog"]}, ("cat", "dog")),
        (None, {"classes": ["cat", "dog"]}, ("cat", "dog")),
        (None, {}, ()),
    ],
)
def test_multiclass_classes(vocabulary, keys, classes) -> None:
    """All that are declared, or that the reference knows."""
    assert watched(vocabulary, task=Task.MULTICLASS, **keys).output_form.classes == classes


def test_classes_that_are_never_predicted() -> None:
    """A list in which nothing stands that the reference predicts was meant for another model."""
    with pytest.raises(ConfigError) as refused:
        watched(("no", "yes"), classes=["bad", "good"])
    assert str(refused.value) == (
        "models[0].classes: the reference's predictions are no, yes, none of which is a class; "
        "name them as they are predicted"
    )


def test_threshold_is_handed_on() -> None:
    """Decode is told the threshold."""
    model = watched(("0", "1"), threshold=0.2)
    assert model.output_form.threshold == 0.2
    assert model.intake().output_form is model.output_form
