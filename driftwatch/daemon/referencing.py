"""How a reference is made from data files: one pass to choose the layout, one to count, in bounded memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import driftwatch
from driftwatch.config import ModelSpec
from driftwatch.daemon.declared_reference import output_columns
from driftwatch.daemon.declaring import described
from driftwatch.daemon.dividing import division_of
from driftwatch.errors import ConfigError, DataError
from driftwatch.quality.outcome_counter import OutcomeCounter
from driftwatch.sources import tables
from driftwatch.statistics.concept import error_scale
from driftwatch.store import references
from driftwatch.stream.dimensions import Dimensions
from driftwatch.stream.division import QUANTILES, named_columns
from driftwatch.stream.form import SEGMENT
from driftwatch.stream.outputs import OutputForm
from driftwatch.stream.schema import PREDICTION, SCORE, Column, Kind, Schema, Task
from driftwatch.stream.season import Season
from driftwatch.stream.table import Chunk, Encoded, Form, form_of, source_names
from driftwatch.stream.tabled import label_forms, table_answers, table_batch
from driftwatch.summaries.blocks import BlockCounter, dispersion
from driftwatch.summaries.building import VOCABULARY, build_layout, cut_points
from driftwatch.summaries.coarsening import EXCERPT, cuts_of
from driftwatch.summaries.dividing import Divider
from driftwatch.summaries.importance import ImportanceCounter
from driftwatch.summaries.layout import Floats, Layout
from driftwatch.summaries.pyramid_counter import PyramidCounter
from driftwatch.summaries.pyramid_season_counter import season_pyramid
from driftwatch.summaries.reference import Reference
from driftwatch.summaries.rhythm import RhythmCounter
from driftwatch.summaries.segment_profiles import SegmentCounter
from driftwatch.summaries.survey import CategorySurvey, NumericSurvey

Progress = Callable[[int, int], None]
"""Told the bytes done and the bytes to do, over both passes."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which columns the reference has, where the table holds them, and what was left out.

    label: the column of labels, if the table has it and the task can use it.
    """

    columns: tuple[Column, ...]
    forms: Mapping[str, Form]
    time: Mapping[str, Form]
    label: Mapping[str, Form]
    left_out: tuple[str, ...]

    @property
    def numeric(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.kind is Kind.NUMERIC)

    @property
    def categorical(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.kind is not Kind.NUMERIC)


@dataclass(frozen=True, slots=True)
class _Survey:
    """What the first pass found out. rows: of the table. scale: of a regression's errors. cuts: see `dividing.Cuts`."""

    layout: Layout
    rows: int
    scale: float
    cuts: Mapping[tuple[int, int], Floats]
    coarse_cuts: Floats


def build_reference(paths: Sequence[str], spec: ModelSpec, *, now_ms: int, progress: Progress) -> Reference:
    """Make the reference of a model from files or globs of CSV, Parquet or JSONL.

    DataError when the files cannot be read or hold nothing to watch. A row whose time cannot be read is left out.
    """
    files = tables.find(paths)
    plan = _plan(tables.kinds(files), spec)
    found = _survey(files, plan, spec, progress=progress)
    layout = found.layout
    schema = _schema(spec, layout.numeric, layout.categorical)
    form = OutputForm.of(schema, classes=spec.classes, threshold=spec.threshold)
    dimensions = _dimensions(files, plan, spec, found)
    segments = SegmentCounter(layout, dimensions, _season(plan, spec))
    counter, labels = BlockCounter(layout, segments), OutcomeCounter(form, layout, rows=found.rows, scale=found.scale)
    importance, rhythm = ImportanceCounter(layout, spec.task, rows=found.rows), RhythmCounter()
    pyramid = PyramidCounter(layout, found.coarse_cuts, rows=found.rows)
    for chunk in _read(files, {**plan.forms, **plan.time, **plan.label}, passes_done=1, progress=progress):
        batch, _ = table_batch(chunk, schema, partition="reference")
        counter.add(batch)
        pyramid.add(batch)
        importance.add(batch)
        rhythm.add(batch.times)
        if plan.label:
            labels.add(table_answers(chunk, schema, form=form), batch, first_row=chunk.first_row)
    profile, blocks = counter.profile, counter.blocks
    if not profile.rows:
        what = f'a time that can be read in column "{spec.fields.time}"' if plan.time else "data"
        raise DataError(f"{files[0]}: no rows: none has {what}")
    outcomes, slices = labels.counted() if plan.label else (None, ())
    season = segments.season
    # What a season leaves is known once the rows have been counted: they are read again.
    again = (table_batch(each, schema, partition="")[0] for each in tables.read(files, {**plan.forms, **plan.time}))
    apart = None if season is None else season_pyramid(again, season, found.coarse_cuts, rows=found.rows)
    return Reference(
        model=spec.name,
        task=spec.task,
        layout=layout,
        profile=profile,
        blocks=blocks,
        dispersion=dispersion(blocks, layout),
        first_ms=profile.first_ms if plan.time else None,
        last_ms=profile.last_ms if plan.time else None,
        source_hash=tables.digest(files),
        created_ms=now_ms,
        written_by=driftwatch.__version__,
        left_out=plan.left_out,
        outcomes=outcomes,
        dimensions=replace(dimensions, slices=slices),
        segments=segments.segments,
        division=division_of(spec),
        protected_rows=segments.protected_rows,
        importance=importance.importance,
        rhythm=rhythm.rhythm(profile.first_ms, profile.last_ms) if plan.time else None,
        season=season,
        pyramid=replace(pyramid.pyramid, apart=apart),
    )


def load_reference(path: Path) -> Reference:
    """Read a reference file; DataError or StateError in one line with its path."""
    return references.load(path)


def save_reference(reference: Reference, path: Path) -> None:
    """Write a reference file, whole or not at all."""
    references.save(reference, path)


def _survey(files: Sequence[Path], plan: _Plan, spec: ModelSpec, *, progress: Progress) -> _Survey:
    """First pass: learn values, ranges and categories, and how large a regression's errors are."""
    schema = _schema(spec, plan.numeric, ())
    numbers, errors = NumericSurvey(len(plan.numeric)), NumericSurvey(1)
    measured = plan.label if spec.task is Task.REGRESSION else {}
    rows = 0
    texts = {column.name: CategorySurvey() for column in plan.categorical if column.kind is Kind.CATEGORICAL}
    for chunk in _read(files, {**plan.forms, **measured}, passes_done=0, progress=progress):
        rows = chunk.first_row + chunk.rows
        batch, _ = table_batch(chunk, schema, partition="reference")
        numbers.add(batch.numeric, first_row=chunk.first_row)
        if measured:
            errors.add(_errors(chunk, schema), first_row=chunk.first_row)
        for name, survey in texts.items():
            for source in source_names(name, spec.fields, _divided_by(spec)):
                column = chunk.columns.get(source)
                if isinstance(column, Encoded):
                    survey.add(column)
    known = {name: survey.vocabulary(limit=VOCABULARY) for name, survey in texts.items()}
    categorical = [replace(column, vocabulary=known.get(column.name, ("false", "true"))) for column in plan.categorical]
    layout = build_layout(plan.numeric, categorical, numbers)
    coarse = cuts_of(layout, numbers.excerpt(EXCERPT))
    return _Survey(layout, rows, error_scale(errors.sample(0)), _cuts(plan, spec, numbers), coarse)


def _cuts(plan: _Plan, spec: ModelSpec, numbers: NumericSurvey) -> dict[tuple[int, int], Floats]:
    """Cut the numeric columns that are named among the segments."""
    sides = {side for each in (*spec.segments, *spec.protected) for side in each.sides}
    wanted = {(side.column, side.quantiles or QUANTILES) for side in sides}
    return {
        (place, ranges): cut_points(numbers.sample(place), ranges)
        for place, column in enumerate(plan.numeric)
        for name, ranges in wanted
        if name == column.name
    }


def _dimensions(files: Sequence[Path], plan: _Plan, spec: ModelSpec, found: _Survey) -> Dimensions:
    """Choose by what rows are divided; where the largest members are to be found, rows are counted in a further pass.

    ConfigError where the configuration asks for what the data does not have.
    """
    layout = found.layout
    try:
        divider = Divider(division_of(spec), layout, lambda place, ranges: found.cuts[place, ranges])
        if divider.must_count:
            schema = _schema(spec, layout.numeric, layout.categorical)
            columns = _divided_by(spec)
            named = {name for each in columns for name in source_names(each, spec.fields, columns)}
            forms = {source: form for source, form in plan.forms.items() if source in named}
            for chunk in tables.read(files, {**forms, **plan.time}):
                divider.add(table_batch(chunk, schema, partition="reference")[0])
        return divider.dimensions()
    except ConfigError as error:
        raise ConfigError(f'model "{spec.name}": {error}') from error


def _errors(chunk: Chunk, schema: Schema) -> Floats:
    """(1, rows) errors of a regression's predictions, NaN where there is no label or no prediction."""
    marked = table_answers(chunk, schema, form=OutputForm(Task.REGRESSION))
    errors = np.full((1, chunk.rows), np.nan)
    errors[0, marked.places] = marked.answers.outputs["prediction"] - marked.answers.outcomes["label"]
    return errors


def _season(plan: _Plan, spec: ModelSpec) -> Season | None:
    """The season that rows are counted by; DataError when the data does not say when they were."""
    season = None if spec.reference is None else spec.reference.seasons
    if season is not None and not plan.time:
        raise DataError(
            f'model "{spec.name}": the data has no column "{spec.fields.time}", and rows without a time are in no '
            "season; name the column in [models.fields], or leave `season` out"
        )
    return season


def _read(files: Sequence[Path], forms: Mapping[str, Form], *, passes_done: int, progress: Progress) -> Iterator[Chunk]:
    size = tables.size_bytes(files)
    return tables.read(files, forms, progress=lambda done: progress(passes_done * size + done, 2 * size))


def _schema(spec: ModelSpec, numeric: Sequence[Column], categorical: Sequence[Column]) -> Schema:
    ignore, segments = tuple(spec.ignore), _divided_by(spec)
    return Schema(spec.name, spec.task, tuple(numeric), tuple(categorical), spec.fields, ignore, segments)


def _divided_by(spec: ModelSpec) -> tuple[str, ...]:
    """The columns that may stand in the events' `segment`."""
    return named_columns((*spec.segments, *spec.protected))


def _plan(kinds: Mapping[str, Kind | None], spec: ModelSpec) -> _Plan:
    """Decide what is a feature. In event files the features stand together; in a flat table all else is one."""
    features = _features(kinds, spec)
    described_alone = {name for name, column in spec.columns.items() if column.only_unique}
    unknown = sorted(set(spec.columns) - set(features) - {SCORE, PREDICTION} - set(spec.ignore) - described_alone)
    if unknown:
        raise DataError(f'model "{spec.name}": the data has no column "{unknown[0]}", which [models.columns] describes')
    columns, forms, left_out = [], {}, []
    for name, source in features.items():
        if name in described_alone:  # of these nothing is counted
            continue
        wanted = spec.columns.get(name)
        kind = (wanted.kind if wanted else None) or kinds[source]
        if kind is None:
            left_out.append(name)
            continue
        column = Column(name, kind)
        columns.append(column if wanted is None else described(column, wanted, f'model "{spec.name}"'))
        forms[source] = form_of(columns[-1])
        if name in _divided_by(spec) and f"{SEGMENT}.{name}" in kinds:
            forms[f"{SEGMENT}.{name}"] = form_of(columns[-1])
    for column in output_columns(spec):
        source = source_names(column.name, spec.fields)[0]
        if source in kinds:
            columns.append(column)
            forms[source] = form_of(column)
    if not columns:
        raise DataError(f'model "{spec.name}": the data has no column to watch; see `ignore` and [models.fields]')
    time = {spec.fields.time: Form.TIME} if spec.fields.time in kinds else {}
    return _Plan(tuple(columns), forms, time, _label(kinds, spec), tuple(left_out))


def _label(kinds: Mapping[str, Kind | None], spec: ModelSpec) -> dict[str, Form]:
    """The column of labels; a ranking's are no table."""
    name = spec.fields.label
    if name not in kinds or spec.task in {Task.NONE, Task.RANKING}:
        return {}
    return {name: label_forms(_schema(spec, (), ()), OutputForm(spec.task))[name]}


def _features(kinds: Mapping[str, Kind | None], spec: ModelSpec) -> dict[str, str]:
    """Map each feature's name to the table's name for it."""
    prefix = f"{spec.fields.features}."
    inner = {name.removeprefix(prefix): name for name in kinds if name.startswith(prefix)}
    roles = {getattr(spec.fields, field) for field in type(spec.fields).model_fields}
    features = inner or {name: name for name in kinds if name not in roles}
    for name, source in ((name, f"{SEGMENT}.{name}") for name in _divided_by(spec)):
        if source in kinds:
            features.pop(source, None)
            features.setdefault(name, source)
    features = {name: source for name, source in features.items() if name not in spec.ignore}
    for name in (SCORE, PREDICTION):
        if name in features:
            raise DataError(
                f'model "{spec.name}": a feature cannot be called "{name}", that is the model\'s own output: '
                f"rename it, put it into `ignore`, or map it in [models.fields]"
            )
    return features
