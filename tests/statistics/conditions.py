"""Windows against references for tests of quality checks: plain columns in, readings by column and check out."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from driftwatch.statistics.condition import Condition
from driftwatch.statistics.reading import Reading
from driftwatch.summaries.blocks import BlockCounter
from tests import oracles

Column = NDArray[np.float64]
Codes = NDArray[np.int32]


def read_numbers(reference: Column, current: Column) -> Mapping[str, Reading]:
    """The readings of one numeric column, by check; checks that have nothing to say are left out."""
    layout = oracles.layout_of([reference])
    condition = Condition.of(layout, oracles.profile_of(layout, [reference]))
    return by_check(condition.readings(oracles.profile_of(layout, [current])))


def read_codes(words: Sequence[str], reference: Codes, current: Codes) -> Mapping[str, Reading]:
    """The readings of one categorical column; codes from len(words) on are other, missing, invalid."""
    layout = oracles.layout_of([], [words])
    condition = Condition.of(layout, oracles.profile_of(layout, codes=[reference]))
    return by_check(condition.readings(oracles.profile_of(layout, codes=[current])))


def read_after_blocks(reference: Column, current: Column) -> Mapping[str, Reading]:
    """The same of numbers whose order in the reference is known."""
    layout = oracles.layout_of([reference])
    counter = BlockCounter(layout)
    counter.add(oracles.batch_of(layout, [reference]))
    condition = Condition.of(layout, counter.profile, blocks=counter.blocks)
    return by_check(condition.readings(oracles.profile_of(layout, [current])))


def by_check(readings: Sequence[Reading]) -> Mapping[str, Reading]:
    """Readings of one column by the name of their check."""
    return {reading.statistic: reading for reading in readings}
