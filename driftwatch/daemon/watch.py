"""From a model's configuration and reference to its monitor: all that can fail, fails before anything runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from driftwatch.config import Config, ModelSpec
from driftwatch.daemon.comparing import against_of, check_compared
from driftwatch.daemon.declared_reference import declared_reference
from driftwatch.daemon.declaring import check_declared, configured
from driftwatch.daemon.dividing import divided
from driftwatch.errors import ConfigError, StateError
from driftwatch.evaluation.baselines import SegmentBaselines
from driftwatch.evaluation.defaults import CONTROL_RULE, DEFAULT_RULES
from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.monitor import Memory, Monitor
from driftwatch.quality.attendance import Attendance
from driftwatch.quality.building import QualityTerms, make_quality, metrics_by_class, row_bytes
from driftwatch.quality.control import ControlSets
from driftwatch.quality.repeats import Repeats
from driftwatch.statistics.binary import Costs
from driftwatch.statistics.condition import Condition
from driftwatch.statistics.drift import Baseline
from driftwatch.statistics.fairness import MEASURES
from driftwatch.statistics.traffic import Usual
from driftwatch.store import references
from driftwatch.stream.answers import Classes
from driftwatch.stream.division import named_columns
from driftwatch.stream.form import build, leaves_of
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.raw import Stream
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
        parts = SegmentBaselines(self.layout, dimensions.segment_names, self.reference.segments, groups=spec.groups)
        evaluator = Evaluator(
            self.baseline, spec.rules, metrics=metrics_by_class(form), segments=parts, condition=self.condition
        )
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
            f"{where}.reference: this key is missing; make the file with "
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
    _check_rules(spec, {name: (*compared.get(name, ()), *names) for name, names in checks.items()}, where)
    _check_metrics(spec, form, where, protected=[each.name for each in reference.dimensions.protected])
    _check_segments(spec, reference.dimensions.segment_names, where)
    for stream in Stream:
        try:
            build(leaves_of(schema, stream, form), strict=True)
        except ConfigError as error:
            raise ConfigError(f"{where}.fields: {error}") from error
    return Watch(spec, reference, schema, form, baseline, condition)


def _output_form(spec: ModelSpec, schema: Schema, where: str) -> OutputForm:
    """How the model's outputs are written down; ConfigError when its classes are not those of the reference."""
    form = OutputForm.of(schema, classes=spec.classes, threshold=spec.threshold)
    known = next((column.vocabulary for column in schema.categorical if column.name == PREDICTION), ())
    codes = Classes(form).of_texts(known)
    if spec.classes and known and not ((codes >= 0) & (codes < len(form.classes))).any():
        raise ConfigError(
            f"{where}.classes: the reference's predictions are {_some(known)}, none of which is a class; "
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
            f"{where}.classes: the reference's labels were counted as {_some(outcomes.classes)}; rebuild the reference"
        )
    if outcomes.threshold != form.threshold and PREDICTION not in reference.layout.names:
        raise ConfigError(
            f"{where}.threshold: the reference's labels were counted with {outcomes.threshold:g}; rebuild the reference"
        )


def _check_rules(spec: ModelSpec, statistics: Mapping[str, tuple[str, ...]], where: str) -> None:
    for position, rule in enumerate(spec.rules):
        if rule.metric or rule in (*DEFAULT_RULES, CONTROL_RULE):
            continue
        if rule.of_control:
            _check_control(rule.columns, spec.control, f"{where}.rules[{position}]")
            continue
        if not any(rule.of in names for names in statistics.values()):
            raise ConfigError(
                f"{where}.rules[{position}].statistic: no column has {rule.of}, which is for columns of another kind, "
                "with a reference or with a constraint; choose another statistic"
            )
        for column in rule.columns or ():
            path = f"{where}.rules[{position}].columns"
            if column not in statistics:
                known = _some(filter(None, statistics))
                raise ConfigError(f'{path}: the reference has no column "{column}"; it has {known}')
            if rule.of not in statistics[column]:
                known = ", ".join(statistics[column])
                raise ConfigError(f'{path}: "{column}" has no {rule.of}; it has {known}')


def _check_control(columns: Sequence[str] | None, control: Sequence[str], where: str) -> None:
    if not control:
        raise ConfigError(f'{where}.statistic: no golden set is followed; write control = ["golden-1"]')
    for column in columns or ():
        if column not in control:
            raise ConfigError(f'{where}.columns: "{column}" is no golden set; followed are {_some(control)}')


def _check_metrics(spec: ModelSpec, form: OutputForm, where: str, *, protected: Sequence[str]) -> None:
    known = metrics_by_class(form)
    for position, rule in enumerate(spec.rules):
        if rule.metric is None:
            continue
        path = f"{where}.rules[{position}]"
        if rule.metric not in known[""]:
            raise ConfigError(
                f'{path}.metric: a model whose task is "{spec.task}" has no {rule.metric}; it has '
                + (", ".join(known[""]) or "none")
            )
        if not spec.remember_predictions:
            raise ConfigError(f"{path}.metric: without predictions to remember there is no {rule.metric}; "
                              "let remember_predictions be more than 0")  # fmt: skip
        if rule.metric in MEASURES:
            _check_fairness(rule.columns, path, protected)
            continue
        for column in rule.columns or ():
            if column not in known:
                classes = _some(known.keys() - {""}) or "none of its own"
                raise ConfigError(f'{path}.columns: no class is called "{column}"; the model has {classes}')


def _check_fairness(columns: Sequence[str] | None, path: str, protected: Sequence[str]) -> None:
    if not protected:
        raise ConfigError(
            f'{path}.metric: nobody is protected; write protected = ["gender"] and build the reference again'
        )
    for column in columns or ():
        if column not in protected:
            raise ConfigError(f'{path}.columns: "{column}" is not protected; protected are {_some(protected)}')


def _check_segments(spec: ModelSpec, names: Sequence[str], where: str) -> None:
    for position, rule in enumerate(spec.rules):
        for name in rule.segments if isinstance(rule.segments, tuple) else ():
            if name and name not in names:
                raise ConfigError(
                    f'{where}.rules[{position}].segments: no segment is called "{name}"; '
                    f"the reference has {_some(names) or 'none'}"
                )


def _some(columns: Iterable[str]) -> str:
    names = list(columns)
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
