"""The parts of a window that are measured for themselves, and what is said of those that have too few rows for it."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from driftwatch.evaluation.report import Performance
from driftwatch.statistics.performance import FAMILY
from driftwatch.statistics.reading import Reading, Status
from driftwatch.stream.dimensions import Dimensions
from driftwatch.stream.join.recall import Recalled
from driftwatch.stream.outputs import GROUPS

WHOLE = ""
"""The name of all rows together."""
LEAST_ROWS = 30
"""Rows of a segment, and labels of it, without which its figures are not given: they would be noise."""

_NAN = float("nan")


def segments_of(recalled: Recalled, dimensions: Dimensions) -> Iterator[tuple[str, Recalled]]:
    """The remembered rows of each segment that has any, in the order of the segments; a row is in one of each way."""
    for place, dimension in enumerate(dimensions.segments):
        members = recalled.answers.outputs[GROUPS][:, place]
        order = np.argsort(members, kind="stable")  # the rows of a segment stay in their order
        ends = np.searchsorted(members, np.arange(len(dimension.members) + 1), sorter=order)
        for name, start, stop in zip(dimension.members, ends, ends[1:], strict=False):
            if stop > start:
                yield name, recalled.at(order[start:stop])


def without_noise(said: Performance) -> Performance:
    """What is said of a segment, but no figures of fewer rows, nor realised ones of fewer labels, than LEAST_ROWS."""
    if said.arrivals.predictions < LEAST_ROWS:
        return replace(said, readings=tuple(map(_too_few, said.readings)))
    if 0 < said.arrivals.labelled < LEAST_ROWS:
        return replace(
            said, readings=tuple(_too_few(each) if each.family == FAMILY else each for each in said.readings)
        )
    return said


def _too_few(reading: Reading) -> Reading:
    return reading._replace(
        value=_NAN, adjusted=_NAN, lower=_NAN, upper=_NAN, p_value=_NAN,
        status=Status.TOO_FEW if reading.status is Status.OK else reading.status,
        support=reading.support and replace(reading.support, naive=_NAN, worst=_NAN, best=_NAN, baseline=_NAN),
    )  # fmt: skip
