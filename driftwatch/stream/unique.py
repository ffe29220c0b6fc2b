"""Values that may not come twice, as 64-bit hashes: 0 stands for none, and for one that is not valid."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.hashing import hash_texts
from driftwatch.stream.batch import Codes, Floats, Hashes
from driftwatch.stream.convert import WRONG
from driftwatch.stream.form import Path, column_path
from driftwatch.stream.schema import Column, Kind, Schema
from driftwatch.stream.table import Chunk, Encoded, source_names

_EXACT = 2**53
"""Below it a float64 holds every whole number."""


class UniqueColumns:
    """The unique columns of a model; built once per schema.

    A number is the text that it reads as: 17, 17.0 and "17" are one value. Numbers of a numeric column are float64, so
    that from 2^53 on neighbours are one value.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._numeric = {column.name: place for place, column in enumerate(schema.numeric)}
        self._categorical = {column.name: (place, column) for place, column in enumerate(schema.categorical)}
        self._paths = {name: column_path(schema, Column(name, Kind.CATEGORICAL)) for name in schema.unique}

    def of_events(self, columns: Mapping[Path, Sequence[Any]], numeric: Floats, categorical: Codes) -> Hashes:
        """(unique columns, rows) hashes; columns: values by path, numeric, categorical: of the batch."""
        found: Hashes = np.zeros((len(self._paths), numeric.shape[1]), dtype=np.uint64)
        for line, (name, path) in enumerate(self._paths.items()):
            if name in self._numeric:
                found[line] = _of_numbers(numeric[self._numeric[name]])
            elif (values := columns.get(path)) is not None:
                found[line] = hash_values(values)
                self._blank(found[line], name, categorical)
        return found

    def of_table(self, chunk: Chunk, numeric: Floats, categorical: Codes) -> Hashes:
        """The same of a table's chunk."""
        found: Hashes = np.zeros((len(self._paths), chunk.rows), dtype=np.uint64)
        for line, name in enumerate(self._paths):
            if name in self._numeric:
                found[line] = _of_numbers(numeric[self._numeric[name]])
                continue
            sources = source_names(name, self._schema.fields)
            values = next((chunk.columns[source] for source in sources if source in chunk.columns), None)
            if isinstance(values, Encoded):
                # The two codes below zero find what stands for no value at the end.
                found[line] = np.append(hash_values(values.categories), np.zeros(2, dtype=np.uint64))[values.codes]
                self._blank(found[line], name, categorical)
        return found

    def _blank(self, hashes: Hashes, name: str, categorical: Codes) -> None:
        """What a categorical column counts as missing or invalid is no value."""
        if name in self._categorical:
            place, column = self._categorical[name]
            hashes[categorical[place] > len(column.vocabulary)] = 0


def hash_values(values: Sequence[Any]) -> Hashes:
    """(rows,) hashes of values of any kind; 0 for None and for what is no category."""
    kinds = set(map(type, values))
    texts = values if kinds == {str} else list(map(_text, values))
    try:
        hashes = hash_texts(texts)
    except UnicodeEncodeError:  # a lone surrogate has no bytes
        hashes = hash_texts([text.encode(errors="surrogatepass").decode(errors="replace") for text in texts])
    if kinds != {str}:
        hashes[[value is None or value is WRONG for value in values]] = 0
    return hashes


def _of_numbers(numbers: Floats) -> Hashes:
    hashes: Hashes = np.zeros(numbers.size, dtype=np.uint64)
    there: NDArray[np.bool_] = np.isfinite(numbers)
    hashes[there] = hash_texts([_text(number) for number in numbers[there].tolist()])
    return hashes


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return value if isinstance(value, str) else str(value)
