"""The bins over which a model's outcomes are counted, laid where its reference's outputs lie."""

import numpy as np

from driftwatch.stream.schema import PREDICTION, SCORE
from driftwatch.summaries.layout import Floats, Layout
from driftwatch.summaries.regression import RegressionGrid
from driftwatch.summaries.scores import ScoreGrid


def score_grid(layout: Layout) -> ScoreGrid:
    """Bins of a binary model's score."""
    return ScoreGrid.of(_edges(layout, SCORE))


def prediction_grid(layout: Layout) -> RegressionGrid:
    """Bins of a regression's prediction."""
    edges = _edges(layout, PREDICTION)
    return RegressionGrid.without_reference() if edges is None else RegressionGrid.from_reference(edges)


def _edges(layout: Layout, name: str) -> Floats | None:
    places = [place for place, column in enumerate(layout.numeric) if column.name == name]
    return np.asarray(layout.edges[places[0]]) if places else None
