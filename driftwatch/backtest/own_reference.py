"""A model whose reference is some rows of its own history: compared with others of them, all that alarms is false."""

from dataclasses import replace

import numpy as np

from driftwatch.backtest.history import History
from driftwatch.daemon.watch import Watch, watch
from driftwatch.quality.outcome_counter import OutcomeCounter
from driftwatch.stream.batch import Batch, Ints
from driftwatch.stream.outputs import LABELLED, Answers
from driftwatch.stream.reference_spec import ReferenceSpec
from driftwatch.stream.tabled import Marked
from driftwatch.summaries.blocks import BlockCounter, dispersion
from driftwatch.summaries.coarsening import EXCERPT, cuts_of
from driftwatch.summaries.known_outcomes import KnownOutcomes
from driftwatch.summaries.pyramid_counter import PyramidCounter
from driftwatch.summaries.segment_profiles import SegmentCounter

_PIECE = 65_536


def own_watch(model: Watch, history: History, places: Ints) -> Watch:
    """The model with a reference of these rows, counted over the layout that it has; places: in the order they come.

    What the reference's labels say is counted anew, too, where it had any and the history has. How far rows next to
    each other depend on each other is counted in this order: what is replayed comes in blocks of the same kind.
    """
    reference = model.reference
    segments = SegmentCounter(reference.layout, reference.dimensions)
    counter, labels = BlockCounter(reference.layout, segments), _outcomes(model, history, places.size)
    pyramid = _pyramid(model, history, places) if reference.pyramid is not None else None
    for start in range(0, places.size, _PIECE):
        part = places[start : start + _PIECE]
        batch, _ = history.taken(part, times=history.rows.times[part])
        counter.add(batch)
        if pyramid is not None:
            pyramid.add(batch)
        if labels is not None:
            labels.add(_marked(history, part, batch), batch, first_row=start)
    made = replace(
        reference,
        profile=counter.profile,
        blocks=counter.blocks,
        dispersion=dispersion(counter.blocks, reference.layout),
        segments=segments.segments,
        protected_rows=segments.protected_rows,
        pyramid=None if pyramid is None else pyramid.pyramid,
    )
    if labels is not None:
        outcomes, slices = labels.counted()
        made = replace(made, outcomes=outcomes, dimensions=replace(reference.dimensions, slices=slices))
    return watch(_out_of_season(model).spec, replace(made, season=None), where=f"model {model.spec.name}")


def _out_of_season(model: Watch) -> Watch:
    """The rows stand in another order than they came in: they are in no season, and are compared with all of them."""
    asked = model.spec.reference
    if asked is None or asked.seasons is None:
        return model
    return replace(model, spec=model.spec.model_copy(update={"reference": ReferenceSpec(file=asked.file)}))


def _pyramid(model: Watch, history: History, places: Ints) -> PyramidCounter:
    layout = model.reference.layout
    some = places[:: -(-places.size // EXCERPT)]
    return PyramidCounter(layout, cuts_of(layout, history.rows.numeric[:, some]), rows=places.size)


def _outcomes(model: Watch, history: History, rows: int) -> OutcomeCounter | None:
    known = model.reference.outcomes
    if known is None or history.labels is None:
        return None
    return OutcomeCounter(model.output_form, model.reference.layout, rows=rows, scale=_scale(known))


def _scale(known: KnownOutcomes) -> float:
    return 1.0 if known.errors is None else known.errors.scale


def _marked(history: History, places: Ints, batch: Batch) -> Marked:
    assert history.labels is not None
    which = history.label_of[places]
    found = np.flatnonzero((which >= 0) & ~history.labels.cancelled[which])
    state = np.full(found.size, LABELLED, dtype=np.uint8)
    outcomes = history.labels.outcomes[which[found]]
    answers = Answers(batch.outputs[found], outcomes, state, np.zeros(found.size, dtype=np.int64))
    return Marked(answers, found, found, refused=0)
