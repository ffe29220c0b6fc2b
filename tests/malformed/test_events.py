"""Every malformed event has its exact outcome, and its neighbours none."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest

from driftwatch.stream.batch import Batch, Labels
from driftwatch.stream.decode import Decoded, Decoder
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reader import Intake
from driftwatch.stream.reject import NAMELESS, Reject
from driftwatch.stream.schema import Task
from tests.malformed.case import (
    INVALID,
    MAX_FUTURE_MS,
    MISSING,
    NORMAL,
    OTHER,
    RECEIVED_MS,
    STAMP_MS,
    Case,
    row,
    schema,
)
from tests.malformed.forms import FORMS
from tests.malformed.parts import PARTS
from tests.malformed.values import LABELS, VALUES

CASES = (*FORMS, *PARTS, *VALUES, *LABELS)
GOOD_LABELS = {Task.BINARY: "1", Task.REGRESSION: "2.5", Task.RANKING: '{"a": 1}'}
GOOD_OUTCOMES = {Task.BINARY: 1, Task.REGRESSION: 2.5, Task.RANKING: 1.0}

cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
models = pytest.mark.parametrize("others", [(), ("else",)], ids=["one model", "two models"])

LARGE = {Reject.TOO_MANY_EVENTS, Reject.TOO_MANY_VALUES}
"""What takes hundreds of kilobytes: see tests/bounds/test_records."""


def good(case: Case) -> bytes:
    if case.stream is Stream.PREDICTIONS:
        return row('"id": "good"').encode()
    return f'{{"model": "fraud", "id": "good", "time": {RECEIVED_MS}, "label": {GOOD_LABELS[case.task]}}}'.encode()


def decode(case: Case, records: tuple[bytes, ...], others: tuple[str, ...] = ()) -> Decoded:
    decoder = Decoder([Intake(schema(model, case.task), MAX_FUTURE_MS) for model in ("fraud", *others)])
    raw = Raw(case.stream, "test", "test/0", records, RECEIVED_MS, 1, (STAMP_MS,) * len(records))
    return decoder.decode(raw)


def rows_of(decoded: Decoded, task: Task) -> list[dict[str, object]]:
    batch = decoded.batches.get("fraud") or decoded.labels.get("fraud")
    if isinstance(batch, Labels):
        outcomes = batch.outcomes["relevance"].sum(axis=1) if task is Task.RANKING else batch.outcomes["label"]
        return [
            {"outcome": "none" if gone else outcome}
            for outcome, gone in zip(outcomes.tolist(), batch.cancelled.tolist(), strict=True)
        ]
    return [] if batch is None else [row_of(batch, place, task) for place in range(batch.rows)]


def row_of(batch: Batch, place: int, task: Task) -> dict[str, object]:
    form = schema("fraud", task)
    found: dict[str, object] = {}
    for column, value in zip(form.numeric, batch.numeric[:, place].tolist(), strict=True):
        found[column.name] = MISSING if np.isnan(value) else INVALID if np.isinf(value) else value
    for column, code in zip(form.categorical, batch.categorical[:, place].tolist(), strict=True):
        found[column.name] = (*column.vocabulary, OTHER, MISSING, INVALID)[code]
    if task is Task.BINARY:
        score, predicted, value = batch.outputs[place].item()
        found["output"] = MISSING if np.isnan(score) else score
        found["predicted"] = predicted
        found["value"] = MISSING if np.isnan(value) else value
    found["time"] = int(batch.times[place])
    found["version"] = batch.version_names[batch.versions[place]]
    return found


def expected_rows(case: Case) -> list[dict[str, object]]:
    normal = NORMAL if case.stream is Stream.PREDICTIONS else {"outcome": GOOD_OUTCOMES[case.task]}
    # Without a score and without a prediction there is no class.
    mute = {"output": MISSING, "predicted": -1}
    return [
        normal | (mute if outcome.get("score") in {INVALID, MISSING} else {}) | outcome
        for outcome in case.outcomes
        if not isinstance(outcome, Reject)
    ]


def rejections(decoded: Decoded) -> list[tuple[int, Reject, str]]:
    return [(rejection.index, rejection.reason, rejection.model) for rejection in decoded.rejected]


def expected_rejections(case: Case, first: int) -> list[tuple[int, Reject, str]]:
    return [
        (first + place, outcome, "" if outcome in NAMELESS else "fraud")
        for place, outcome in enumerate(case.outcomes)
        if isinstance(outcome, Reject)
    ]


def assert_unharmed(decoded: Decoded, case: Case) -> None:
    """The good row before and after are there as if alone, the case in between as it must be."""
    alone = rows_of(decode(case, (good(case),)), case.task)
    assert rows_of(decoded, case.task) == [*alone, *expected_rows(case), *alone]
    assert rejections(decoded) == expected_rejections(case, 1)
    assert decoded.received == len(case.outcomes) + 2


def test_corpus_is_large_and_uses_every_reason() -> None:
    """At least 60 events, each named once, and no reason is left untested."""
    assert len(CASES) >= 60
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []
    tested = {outcome for case in CASES for outcome in case.outcomes if isinstance(outcome, Reject)}
    assert tested == set(Reject) - LARGE


@models
@cases
def test_between_records(case: Case, others: tuple[str, ...]) -> None:
    """Between two good records a malformed one has its outcome, and they have theirs."""
    assert_unharmed(decode(case, (good(case), case.body, good(case)), others), case)


@models
@pytest.mark.parametrize("case", [case for case in CASES if not case.alone], ids=lambda case: case.name)
def test_between_lines(case: Case, others: tuple[str, ...]) -> None:
    """The same holds between two good lines of one body."""
    assert_unharmed(decode(case, (b"\n".join((good(case), case.body, good(case))),), others), case)


@pytest.mark.parametrize(("stream", "task"), sorted({(case.stream, case.task) for case in CASES}))
def test_all_at_once(stream: Stream, task: Task) -> None:
    """All of them in one delivery, twice over, have the same outcomes in the same order."""
    chosen = [case for case in CASES if (case.stream, case.task) == (stream, task)] * 2
    decoded = decode(chosen[0], tuple(case.body for case in chosen))
    outcomes = list(chain.from_iterable(case.outcomes for case in chosen))
    assert decoded.received == len(outcomes)
    assert rows_of(decoded, task) == list(chain.from_iterable(map(expected_rows, chosen)))
    assert [(index, reason) for index, reason, _ in rejections(decoded)] == [
        (place, outcome) for place, outcome in enumerate(outcomes) if isinstance(outcome, Reject)
    ]
