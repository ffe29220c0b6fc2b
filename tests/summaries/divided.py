"""Batches of plain arrays, for tests that divide rows."""

import numpy as np

from driftwatch.stream.batch import Batch
from driftwatch.stream.outputs import OutputForm, blank
from driftwatch.stream.schema import Task


def batch_of(numeric, categorical):
    """Rows of one version, a second apart."""
    count = numeric.shape[1]
    ids, versions = np.zeros(count, np.uint64), np.zeros(count, np.int32)
    outputs = blank(OutputForm(Task.NONE).outputs, count)
    return Batch("p", np.arange(count) * 1000, ids, versions, ("",), numeric, categorical, outputs)
