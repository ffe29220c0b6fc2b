"""From a model's configuration and reference to its monitor: all that can fail, fails before anything runs."""

from dataclasses import dataclass, replace
from pathlib import Path

from driftwatch.config import Config, ModelSpec
from driftwatch.daemon.alerting import budgeted_of
from driftwatch.daemon.comparing import against_of, check_compared
from driftwatch.daemon.declared_reference import declared_reference
from driftwatch.daemon.declaring import check_declared, configured
from driftwatch.daemon.dividing import divided
from driftwatch.daemon.rule_checks import check_metrics, check_rules, check_segments, some
from driftwatch.errors import ConfigError, StateError
from driftwatch.evaluation.baselines import SegmentBaselines
from driftwatch.evaluation.budgeted import Budgeted
from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.monitor import Memory, Monitor
from driftwatch.quality.attendance import Attendance
from driftwatch.quality.building import QualityTerms, make_quality, metrics_by_class, row_bytes
from driftwatch.quality.control import ControlSets
from driftwatch.quality.repeats import Repeats
from driftwatch.statistics.binary import Costs
from driftwatch.statistics.condition import Condition
from driftwatch.statistics.drift import Baseline
from driftwatch.statistics.traffic import Usual
from driftwatch.store import references
from driftwatch.stream.answers import Classes
from driftwatch.stream.division import named_columns
from driftwatch.stream.form import build, leaves_of
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.raw import EVENT_STREAMS
from driftwatch.stream.reader import Intake
from driftwatch.stream.schema import PREDICTION, Schema
from driftwatch.stream.seen import Seen
from driftwatch.stream.versions import Versions
from driftwatch.stream.windows import Windows
from driftwatch.summaries.importance import ranking
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.reference import Reference

_NAMED = 10
"""So many columns are named in one line; the others are counted."""
_REMEMBERED_BYTES = 64 << 20
"""What predictions that wait for their labels may take when nothing else is configured."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One model, ready to be watched."""

    spec: ModelSpec
    reference: Reference
    schema: Schema
    output_form: OutputForm
    baseline: Baseline
    condition: Condition
    budgeted: Budgeted | None = None

    @property
    def layout(self) -> Layout:
        """The reference's layout."""
        return self.reference.layout

    @property
    def importance(self) -> dict[str, float]:
        """How important each column is, the most important first."""
        given = {name: each.importance for name, each in self.spec.columns.items() if each.importance is not None}
        return ranking(self.layout.names, self.reference.importance, given)

    def intake(self) -> Intake:
        """The model as decode sees it."""
        return Intake(self.schema, self.spec.window.max_future, self.output_form)

    def monitor(self) -> Monitor:
        """A new monitor."""
        spec, form = self.spec, self.output_form
        windows, rhythm = Windows(spec.window), self.reference.rhythm
        repeats = Repeats(self.schema.unique, windows) if self.schema.unique else None
        costs = None if spec.value is None else Costs(**spec.value.model_dump())
        known, dimensions = self.reference.outcomes, self.reference.dimensions
        terms = QualityTerms(
            _capacity(spec, form), spec.label_wait, costs, known, dimensions, champion=spec.champion
        )  # fmt: skip
        parts = SegmentBaselines(
            self.layout, dimensions.segment_names, self.reference.segments, groups=spec.groups,
            witness=None if self.budgeted is None else self.budgeted.of_segment,
        )  # fmt: skip
        evaluator = Evaluator(
            self.baseline, spec.rules, metrics=metrics_by_class(form), segments=parts, condition=self.condition,
            budgeted=self.budgeted,
        )  # fmt: skip
        return Monitor(
            spec.name,
            windows=windows,
            evaluator=evaluator,
            dimensions=dimensions,
            quality=make_quality(form, self.layout, windows, terms),
            memory=Memory(
                seen=Seen(spec.remember_ids),
                versions=Versions(spec.max_versions),
                controls=ControlSets(
                    form,
                    spec.control,
                    tolerance=spec.control_tolerance,
                    rules=[rule for rule in spec.rules if rule.of_control],
                ),
                attendance=Attendance(spec.window, Usual.of(rhythm) if rhythm else None, repeats),
                against=against_of(spec, self.reference),
            ),
        )


def _capacity(spec: ModelSpec, form: OutputForm) -> int:
    """Predictions to remember: as many as were asked for, else those that a fixed memory holds at this width."""
    if "remember_predictions" in spec.model_fields_set:
        return spec.remember_predictions
    return min(spec.remember_predictions, _REMEMBERED_BYTES // row_bytes(form))


def load_watches(config: Config) -> list[Watch]:
    """Every model of the file but those that have to learn their reference first.

    ConfigError, DataError or StateError say what keeps one from being watched.
    """
    return [load_watch(config, position) for position, spec in enumerate(config.models)
            if spec.reference is None or not spec.reference.learns]  # fmt: skip


def load_watch(config: Config, position: int) -> Watch:
    """The model at this place of `[[models]]`."""
    spec = config.models[position]
    where = f"models[{position}]"
    if spec.reference is None:
        return watch(spec, declared_reference(spec, where=where), where=where)
    if spec.reference.file is None:
        raise ConfigError(
            f"{where}.reference: is learnt from events, which `run` and `replay` do; for this, make a file with "
            f"`driftwatch reference build DATA… --config FILE --model {spec.name} -o OUT` and name it"
        )
    return watch(spec, load_reference(Path(spec.reference.file), where), where=where)


def load_reference(path: Path, where: str) -> Reference:
    """The reference file; ConfigError when there is none."""
    if not path.is_file():
        raise ConfigError(f"{where}.reference: there is no file {path}; make it with `driftwatch reference build`")
    try:
        return references.load(path)
    except StateError as error:
        raise ConfigError(f"{where}.reference: {error}; make it again with `driftwatch reference build`") from error


def watch(spec: ModelSpec, reference: Reference, *, where: str) -> Watch:
    """Put a model's configuration and its reference together; ConfigError when they do not fit."""
    reference = divided(spec, reference, where=where)
    check_compared(spec, reference, where)
    layout = reference.layout
    if reference.task is not spec.task:
        raise ConfigError(
            f'{where}.task: is "{spec.task}", but the reference was built for "{reference.task}"; '
            "rebuild it or change the task"
        )
    names = set(layout.names)
    for name, column in spec.columns.items():
        if name not in names and not column.only_unique:
            raise ConfigError(
                f'{where}.columns.{name}: the reference has no column "{name}"; rebuild it or leave it out'
            )
    baseline = Baseline.of(layout, reference.profile, groups=spec.groups)
    schema = Schema(
        model=spec.name,
        task=spec.task,
        numeric=configured(layout.numeric, spec.columns, where),
        categorical=configured(layout.categorical, spec.columns, where),
        fields=spec.fields,
        ignore=tuple(spec.ignore),
        segments=named_columns((*spec.segments, *spec.protected)),
        unique=tuple(name for name, column in spec.columns.items() if column.unique),
    )
    form = replace(_output_form(spec, schema, where), groups=len(reference.dimensions.all))
    _check_outcomes(reference, form, where)
    check_declared(reference, (*schema.numeric, *schema.categorical), where)
    declared = replace(layout, numeric=schema.numeric, categorical=schema.categorical)
    condition = Condition.of(declared, reference.profile, blocks=reference.blocks, unique=schema.unique)
    checks = condition.checks
    compared = baseline.statistics if reference.rows else {}
    check_rules(spec, {name: (*compared.get(name, ()), *names) for name, names in checks.items()}, where)
    check_metrics(spec, form, where, protected=[each.name for each in reference.dimensions.protected])
    check_segments(spec, reference.dimensions.segment_names, where)
    for stream in EVENT_STREAMS:
        try:
            build(leaves_of(schema, stream, form), strict=True)
        except ConfigError as error:
            raise ConfigError(f"{where}.fields: {error}") from error
    budgeted = budgeted_of(spec, reference, where=where)
    return Watch(spec, reference, schema, form, baseline, condition, budgeted)


def _output_form(spec: ModelSpec, schema: Schema, where: str) -> OutputForm:
    """How the model's outputs are written down; ConfigError when its classes are not those of the reference."""
    form = OutputForm.of(schema, classes=spec.classes, threshold=spec.threshold)
    known = next((column.vocabulary for column in schema.categorical if column.name == PREDICTION), ())
    codes = Classes(form).of_texts(known)
    if spec.classes and known and not ((codes >= 0) & (codes < len(form.classes))).any():
        raise ConfigError(
            f"{where}.classes: the reference's predictions are {some(known)}, none of which is a class; "
            "name them as they are predicted"
        )
    return form


def _check_outcomes(reference: Reference, form: OutputForm, where: str) -> None:
    """ConfigError when the reference's labels were counted by other classes or, made of scores, another threshold."""
    outcomes = reference.outcomes
    if outcomes is None:
        return
    if outcomes.classes != form.classes:
        raise ConfigError(
            f"{where}.classes: the reference's labels were counted as {some(outcomes.classes)}; rebuild the reference"
        )
    if outcomes.threshold != form.threshold and PREDICTION not in reference.layout.names:
        raise ConfigError(
            f"{where}.threshold: the reference's labels were counted with {outcomes.threshold:g}; rebuild the reference"
        )
