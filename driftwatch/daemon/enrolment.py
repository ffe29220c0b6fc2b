"""Which models that learn their reference have it by now, and which go on learning, when the service starts."""

from pathlib import Path

import structlog

from driftwatch.config import Config, ModelSpec
from driftwatch.daemon.learners import Learners
from driftwatch.daemon.learning import Learner, blank_intake
from driftwatch.daemon.snapshot import resume_learner, stored_core
from driftwatch.daemon.teaching import place
from driftwatch.daemon.watch import Watch, load_reference, watch
from driftwatch.errors import ConfigError
from driftwatch.ports.storage import Saved
from driftwatch.store.spool import EVENTS, FOLDER, REFERENCE, Spool
from driftwatch.stream.form import build, leaves_of
from driftwatch.stream.raw import EVENT_STREAMS

_log = structlog.get_logger()


def enrol(config: Config, saved: Saved, directory: Path, learners: Learners) -> list[Watch]:
    """The models that have learnt; those that still learn come to the learners. directory: of the state.

    ConfigError, DataError or StateError when one cannot go on.
    """
    watches: list[Watch] = []
    places = {spec.name: f"models[{position}]" for position, spec in enumerate(config.models)}
    learners.places = places
    for spec in config.models:
        if not is_to_learn(spec, places[spec.name]) or spec.reference is None:
            continue
        stored = stored_core(saved.monitors[spec.name], spec.name) if spec.name in saved.monitors else None
        learnt = place(directory, spec.name, REFERENCE)
        if stored is not None and stored.lesson is None and learnt.is_file():
            watches.append(watch(spec, load_reference(learnt, places[spec.name]), where=places[spec.name]))
            if stored.learnt_before_ms is not None:
                learners.before_ms[spec.name] = stored.learnt_before_ms
            continue
        lesson = None if stored is None else stored.lesson
        spool = Spool(place(directory, spec.name, EVENTS), lesson.length if lesson else 0)
        learner = Learner(spec, spool, lesson)
        if stored is not None:
            resume_learner(learner, stored, saved.panes.get(spec.name, {}))
        learners.by_model[spec.name] = learner
        _log.info(
            "learning", model=spec.name, rows=learner.lesson.rows, **spec.reference.model_dump(exclude_unset=True)
        )
    _clear(directory, learners)
    learners.show()
    return watches


def is_to_learn(spec: ModelSpec, where: str) -> bool:
    """Whether a model learns its reference; ConfigError when its events could not be read by [models.fields]."""
    if spec.reference is None or not spec.reference.learns:
        return False
    intake = blank_intake(spec)
    for stream in EVENT_STREAMS:
        try:
            build(leaves_of(intake.schema, stream, intake.output_form), strict=True)  # type: ignore[arg-type]  # it has one
        except ConfigError as error:
            raise ConfigError(f"{where}.fields: {error}") from error
    return True


def _clear(directory: Path, learners: Learners) -> None:
    """Remove what models have learnt from that do not learn any more."""
    used = {learner.spool.path for learner in learners.by_model.values()}
    for path in (directory / FOLDER).glob(f"*{EVENTS}"):
        if path not in used:
            path.unlink()
