"""From a look at a whole window to the looks at its segments, one at a time: all together they may be large."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from driftwatch.evaluation.evaluate import Look
from driftwatch.evaluation.report import Performance
from driftwatch.summaries.segmented import Segmented


def segment_looks(
    whole: Look,
    state: Segmented | None,
    *,
    names: Sequence[str],
    performances: Mapping[str, Performance],
    decided: Mapping[str, frozenset[str]],
) -> Iterator[Look]:
    """The segments of a window that have something to say, in order.

    state: the window's rows by segment; None when they have been let go, or were not divided from the beginning.
    performances, decided: by segment.
    """
    for number, name in enumerate(names):
        performance = performances.get(name)
        rows = 0 if state is None else state.rows(number)
        if not rows and (performance is None or whole.profile is not None):
            continue
        if not rows and performance is not None:
            rows = performance.arrivals.predictions
        yield Look(
            cell=replace(whole.cell, segment=name),
            window=replace(whole.window, rows=rows),
            revision=whole.revision,
            profile=None if state is None or whole.profile is None else state.profile(number),
            performance=performance,
            decided=decided.get(name, frozenset()),
        )
