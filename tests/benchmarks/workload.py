"""The workload of the pipeline benchmarks: one model of 20 numeric and 5 categorical columns, score and prediction.

Events are single JSON objects of about 650 bytes, in event-time order, spread over a day of hourly windows.
"""

from dataclasses import dataclass

import msgspec
import numpy as np

from driftwatch.evaluation.defaults import default_rules
from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.evaluation.report import rfc3339
from driftwatch.monitor import Monitor
from driftwatch.statistics.drift import Baseline
from driftwatch.stream.batch import Batch
from driftwatch.stream.decode import Decoder
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reader import Intake
from driftwatch.stream.schema import Column, Kind, Schema, Task
from driftwatch.stream.windows import Windows, WindowSpec
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile, profiles
from driftwatch.summaries.survey import NumericSurvey

NUMBERS, CATEGORIES = 20, 5
VOCABULARY = ("DE", "FR", "IT", "ES", "PL", "NL", "SE", "PT")
START_MS, DAY_MS, WINDOW_MS = 1_767_225_600_000, 86_400_000, 3_600_000
RECORDS = 4_096
"""Records in one `Raw`, as the Kafka source hands them over."""


@dataclass(frozen=True)
class Workload:
    """Everything that a stage needs."""

    schema: Schema
    layout: Layout
    reference: Profile
    raws: tuple[Raw, ...]
    events: int

    def decoder(self) -> Decoder:
        """A decoder that has learnt nothing yet."""
        return Decoder([Intake(self.schema, 600_000)])

    def baseline(self) -> Baseline:
        """The reference, prepared."""
        return Baseline.of(self.layout, self.reference)

    def monitor(self) -> Monitor:
        """A monitor with hourly windows and the default rules."""
        spec = WindowSpec.model_validate({"size": "1h", "lateness": "10s", "keep": "1h"})
        evaluator = Evaluator(self.baseline(), default_rules("none"))
        return Monitor("fraud", windows=Windows(spec), evaluator=evaluator)


def make(events: int, *, seed: int = 7) -> Workload:
    """A reference of 20 000 rows and so many events."""
    dice = np.random.default_rng(seed)
    numeric = (*(Column(f"f{n}", Kind.NUMERIC) for n in range(NUMBERS)), Column("score", Kind.NUMERIC, maximum=1.0))
    categorical = (
        *(Column(f"c{n}", Kind.CATEGORICAL, VOCABULARY) for n in range(CATEGORIES)),
        Column("prediction", Kind.CATEGORICAL, ("0", "1")),
    )
    schema = Schema("fraud", Task.BINARY, numeric, categorical)
    rows = 20_000
    survey = NumericSurvey(len(numeric))
    batch = _batch(dice, rows)
    survey.add(batch.numeric, first_row=0)
    layout = build_layout(numeric, categorical, survey)
    (reference,) = profiles(batch, np.zeros(rows, dtype=np.int64), count=1, layout=layout)
    return Workload(schema, layout, reference, _raws(dice, events), events)


def _batch(dice: np.random.Generator, rows: int) -> Batch:
    numbers = np.vstack([dice.normal(size=(NUMBERS, rows)), dice.beta(2, 5, size=(1, rows))])
    classes = np.vstack([dice.integers(0, len(VOCABULARY), (CATEGORIES, rows)), dice.integers(0, 2, (1, rows))])
    times = np.full(rows, START_MS)
    zeros = np.zeros(rows)
    return Batch(
        "reference", times, zeros.astype(np.uint64), zeros.astype(np.int32), ("",), numbers, classes.astype(np.int32)
    )


def _raws(dice: np.random.Generator, events: int) -> tuple[Raw, ...]:
    batch = _batch(dice, events)
    lines = []
    for row in range(events):
        features = {f"f{n}": float(batch.numeric[n, row]) for n in range(NUMBERS)}
        features |= {f"c{n}": VOCABULARY[batch.categorical[n, row]] for n in range(CATEGORIES)}
        event = {
            "model": "fraud",
            "version": "7",
            "id": f"id-{row}",
            "time": rfc3339(START_MS + row * DAY_MS // events),
            "features": features,
            "score": float(batch.numeric[NUMBERS, row]),
            "prediction": int(batch.categorical[CATEGORIES, row]),
        }
        lines.append(msgspec.json.encode(event))
    received_ms = START_MS + 2 * DAY_MS
    return tuple(
        Raw(Stream.PREDICTIONS, "kafka", "kafka/p/0", tuple(lines[at : at + RECORDS]), received_ms, at + RECORDS)
        for at in range(0, events, RECORDS)
    )
