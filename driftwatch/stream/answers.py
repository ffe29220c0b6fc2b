"""What was read of a model's answers becomes records: judged here once, whether it came in events or in tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.hashing import hash_texts
from driftwatch.stream.batch import Codes, Floats
from driftwatch.stream.convert import Lookup, codes
from driftwatch.stream.outputs import CUTOFF, JUDGED, OutputForm, Records, blank
from driftwatch.stream.schema import Column, Kind, Task

Parts = Mapping[str, NDArray[Any]]
"""Arrays by the names of a record's fields, (rows,) or (rows, …); what is left out stays unknown."""

_FLAGS: tuple[tuple[Any, Any], ...] = ((0, 1), ("0", "1"), ("false", "true"))
_GREATEST = float(np.finfo(np.float32).max)


class Classes:
    """Reads values as codes of a model's classes.

    A number is the class whose text it is. Whatever a binary model's classes are called, 0 and 1, false and true mean
    them too, unless one of the two is the name of a class itself. What is no class of a multiclass model has the code
    len(classes); of a binary one, -1, as what is missing or of the wrong type.
    """

    def __init__(self, form: OutputForm) -> None:
        known = len(form.classes)
        self.lookup = Lookup(Column("label", Kind.CATEGORICAL, form.classes))
        self._codes = np.full(known + 3, -1, dtype=np.int32)
        self._codes[:known] = np.arange(known)
        if form.task is Task.MULTICLASS:
            self._codes[known] = known
        for pair in _FLAGS if form.task is Task.BINARY else ():
            if not any(flag in self.lookup.codes for flag in pair):
                self.lookup.codes |= dict(zip(pair, range(2), strict=True))

    def of(self, values: Sequence[Any]) -> Codes:
        """Codes of JSON values, (rows,)."""
        found: Codes = self._codes[codes(values, self.lookup)]
        return found

    def of_texts(self, texts: Sequence[str]) -> Codes:
        """Codes of the texts of a table's dictionary, (texts,)."""
        found: Codes = self._codes[self.lookup.remap(texts)]
        return found


def outputs_of(form: OutputForm, parts: Parts, rows: int) -> Records:
    """Records of what the model said, (rows,): numbers that are not finite and probabilities beyond [0, 1] are NaN.

    Where a binary event names no class, its score's side of the threshold is the prediction. An interval that ends
    before it begins is none.
    """
    records = _filled(form.outputs, parts, rows)
    if form.task is Task.BINARY:
        score, prediction = records["score"], records["prediction"]
        told = (prediction < 0) & ~np.isnan(score)
        if told.any():
            records["prediction"] = np.where(told, score >= form.threshold, prediction)
    elif form.task is Task.REGRESSION:
        crossed = records["low"] > records["high"]
        records["low"][crossed] = records["high"][crossed] = np.nan
    return records


def outcomes_of(form: OutputForm, parts: Parts, rows: int) -> Records:
    """Records of what turned out to be true, (rows,)."""
    return _filled(form.outcomes, parts, rows)


def _filled(dtype: np.dtype[np.void], parts: Parts, rows: int) -> Records:
    records = blank(dtype, rows)
    for name, values in parts.items():
        if dtype[name].base.kind != "f" or name == "relevance":
            records[name] = values
            continue
        good = np.isfinite(values)
        if name in {"score", "scores"}:
            good &= (values >= 0) & (values <= 1)
        records[name] = values if good.all() else np.where(good, values, np.nan)
    return records


def ranked(lists: Sequence[Any]) -> NDArray[np.uint64]:
    """Hashes of the first CUTOFF items of each ranking, (rows, CUTOFF); 0 where there are fewer, or none was given."""
    heads: list[Any] = [items[:CUTOFF] if items else () for items in lists]
    return _spread([str(item) for head in heads for item in head], list(map(len, heads)), CUTOFF)


def judged(grades: Sequence[Any]) -> tuple[NDArray[np.uint64], Floats]:
    """Hashes and relevance of the JUDGED most relevant items of each label, (rows, JUDGED); no relevance is no item."""
    best = [
        sorted(((-grade, item) for item, grade in given.items() if grade > 0))[:JUDGED] if given else []
        for given in grades
    ]
    counts = list(map(len, best))
    items = _spread([item for some in best for _, item in some], counts, JUDGED)
    relevance = np.zeros(items.shape)
    relevance[_places(counts, JUDGED)] = [min(-grade, _GREATEST) for some in best for grade, _ in some]
    return items, relevance


def _spread(texts: list[str], counts: list[int], width: int) -> NDArray[np.uint64]:
    table = np.zeros((len(counts), width), dtype=np.uint64)
    table[_places(counts, width)] = hash_texts(texts)
    return table


def _places(counts: list[int], width: int) -> NDArray[np.bool_]:
    filled: NDArray[np.bool_] = np.arange(width) < np.array(counts, dtype=np.int64).reshape(-1, 1)
    return filled
