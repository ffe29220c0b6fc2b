"""What was read of a model's answers becomes records: judged here once, whether it came in events or in tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.hashing import hash_texts
from driftwatch.stream.batch import Codes, Floats
from driftwatch.stream.convert import Lookup, codes
from driftwatch.stream.outputs import CUTOFF, JUDGED, OutputForm, Records, unknown
from driftwatch.stream.schema import Column, Kind, Task

Parts = Mapping[str, NDArray[Any]]
"""Arrays by the names of a record's fields, (rows,) or (rows, …); what is left out stays unknown."""

_FLAGS: tuple[tuple[Any, Any], ...] = ((0, 1), ("0", "1"), ("false", "true"))
_UNKNOWN = np.full(1, -1)
_PROBABILITIES = {"score", "scores"}
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
        """Codes of the texts of a table's dictionary, (texts,): a text may stand for a number or a boolean there."""
        return self.of([self._meant(text) for text in texts])

    def _meant(self, text: str) -> Any:
        if text in self.lookup.codes:
            return text
        try:
            return float(text)
        except ValueError:
            return text.strip().lower()


def outputs_of(form: OutputForm, parts: Parts, rows: int) -> Records:
    """Records of what the model said, (rows,): numbers that are not finite and probabilities beyond [0, 1] are NaN.

    Where a binary event names no class, its score's side of the threshold is the prediction. An interval that ends
    before it begins is none.
    """
    parts = {name: _number(name, values) for name, values in parts.items()}
    if form.task is Task.BINARY and "score" in parts:
        score, prediction = parts["score"], parts.get("prediction", _UNKNOWN)
        if prediction.min(initial=0) < 0:
            told = (prediction < 0) & ~np.isnan(score)
            parts["prediction"] = np.where(told, score >= form.threshold, prediction)
    elif form.task is Task.REGRESSION and "low" in parts:
        crossed = parts["low"] > parts["high"]
        parts |= {name: np.where(crossed, np.nan, parts[name]) for name in ("low", "high")}
    return _filled(form.outputs, parts, rows)


def outcomes_of(form: OutputForm, parts: Parts, rows: int) -> Records:
    """Records of what turned out to be true, (rows,)."""
    return _filled(form.outcomes, {name: _number(name, values) for name, values in parts.items()}, rows)


def _number(name: str, values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind != "f" or name == "relevance":
        return values
    good = (values >= 0) & (values <= 1) if name in _PROBABILITIES else np.isfinite(values)
    return values if good.all() else np.where(good, values, np.nan)


def _filled(dtype: np.dtype[np.void], parts: Parts, rows: int) -> Records:
    records = np.empty(rows, dtype=dtype)
    for name in dtype.names or ():
        records[name] = parts[name] if name in parts else unknown(name, dtype)
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
