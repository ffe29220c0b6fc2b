"""Two small models that the simulation watches, over references that are built once for all seeds."""

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from driftwatch.config import ModelSpec
from driftwatch.daemon.referencing import build_reference
from driftwatch.daemon.watch import Watch, watch
from driftwatch.evaluation.baselines import Standard
from driftwatch.evaluation.casebook import Casebook, Followed
from driftwatch.evaluation.incidents import Incident
from driftwatch.evaluation.recovery import RecoverySpec
from driftwatch.monitor import Monitor
from driftwatch.statistics.drift import FAMILY
from driftwatch.statistics.reading import Reading, Status
from driftwatch.stream.decode import Decoder
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.reference import Reference
from tests.quick_assessor import QuickAssessor

START_MS = 1_767_571_200_000
FRAUD, SPAM = "fraud", "spam"
TASKS = {FRAUD: "binary", SPAM: "none"}
AMOUNTS, COUNTRIES = 8, ("DE", "FR", "US")
SEGMENTS = {FRAUD: [], SPAM: ["country"]}
_BUDGETS = {FRAUD: "1 per 30d", SPAM: "none"}
"""One model with detectors and one without: evidence is most of the time that a seed takes."""
NEVER_MS = 10 * 365 * 86_400_000

_RULES = [
    {"name": "at once", "statistic": "tv", "above": 0.6, "min_rows": 2, "action": "retrain"},
    {"name": "held", "statistic": "tv", "above": 0.5, "for": 2, "keep_for": 1, "min_rows": 2, "columns": ["country"]},
]
_FORMS = {"tumbling": {"size": "20s"}, "sliding": {"size": "20s", "slide": "10s"}, "counted": {"rows": 11}}
FORMS = tuple(_FORMS)


@dataclass(frozen=True)
class QuickBaseline:
    """One statistic a column instead of all: they are pure, tested elsewhere, and would be most of the time spent."""

    real: Any
    numeric: Any
    categorical: Any

    @property
    def rows(self) -> int:
        return self.real.rows

    @property
    def layout(self) -> Layout:
        return self.real.layout

    @property
    def statistics(self) -> dict[str, tuple[str, ...]]:
        return {"amount": ("tv",), "country": ("tv",)}

    def distributions(self, _: Profile) -> tuple[()]:
        return ()

    def readings(self, current: Profile) -> tuple[Reading, ...]:
        pairs = (("amount", self.numeric, current.numeric.counts[0]), ("country", self.categorical, current.categories))
        return tuple(_reading(name, reference, counts) for name, reference, counts in pairs)


@dataclass(frozen=True)
class QuickCondition:
    """Nothing to say of the data's quality, for the same reason."""

    checks: Mapping[str, str]

    def against(self, _: Profile) -> Self:
        return self

    def readings(self, _: Profile, **_chance: float) -> tuple[()]:
        return ()


@dataclass(frozen=True)
class QuickSegments:
    """Each segment is compared with all rows."""

    standard: Standard

    def of(self, _: str) -> Standard:
        return self.standard


class QuickWatch(Watch):
    """A Watch whose monitors measure one metric."""

    def monitor(self) -> Monitor:
        made = Watch.monitor(self)
        made.evaluator._condition = QuickCondition(made.evaluator._condition.checks)
        made.evaluator._segments = QuickSegments(Standard(self.baseline, self.budgeted and self.budgeted.witness))
        if made.quality is not None:
            made.quality.assessor = QuickAssessor()
        return made


def _reading(column: str, reference: Any, counts: Any) -> Reading:
    value = float(np.abs(counts / max(int(counts.sum()), 1) - reference).sum() / 2)
    return Reading(column, FAMILY, "tv", value, value, value, value, float("nan"), Status.OK)


@cache
def watch_of(model: str, form: str, *, idle_after_ms: int, keep_ms: int, wait_ms: int = 1) -> Watch:
    """The model with windows of this form; idle_after_ms and keep_ms mean nothing to counted ones."""
    window = _FORMS[form] | {"lateness": "4s", "idle_after": f"{idle_after_ms}ms", "keep": f"{keep_ms}ms"}
    spec = ModelSpec.model_validate({
        "name": model, "task": TASKS[model], "rules": _RULES, "window": window, "remember_ids": 32_768,
        "label_wait": f"{wait_ms}ms", "remember_predictions": 4_096,
        "segments": SEGMENTS[model], "alerting": {"budget": _BUDGETS[model]},
    })  # fmt: skip
    made = watch(spec, _reference(model), where="models[0]")
    profile = made.reference.profile
    quick = QuickBaseline(made.baseline, profile.numeric.counts[0] / profile.rows, profile.categories / profile.rows)
    return QuickWatch(**{each.name: getattr(made, each.name) for each in fields(made)} | {"baseline": quick})


def new_casebook(standing: Iterable[Incident] = ()) -> Casebook:
    """Who follows incidents, without limits of time."""
    spec = RecoverySpec.model_validate({"windows": 2, "deploy_within": "0s", "recover_within": "0s"})
    return Casebook(dict.fromkeys(TASKS, Followed(spec)), standing=standing)


@cache
def shared_decoder() -> Decoder:
    """A decoder; it knows no windows and holds no state, so that all lives of a process and all seeds share it."""
    return Decoder([watch_of(model, FORMS[0], idle_after_ms=1, keep_ms=1).intake() for model in TASKS])


@cache
def _reference(model: str) -> Reference:
    rows = [json.dumps({"features": {"amount": row % AMOUNTS, "country": COUNTRIES[row % 3]}}) for row in range(240)]
    spec = ModelSpec.model_validate({"name": model, "task": TASKS[model], "segments": SEGMENTS[model]})
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "reference.jsonl"
        data.write_text("\n".join(rows))
        return build_reference([str(data)], spec, now_ms=START_MS, progress=lambda *_: None)
