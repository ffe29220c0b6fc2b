"""Records in columns: one array a field, and whole numbers in as few bytes as they need."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftwatch.stream.batch import Floats, Ints
from driftwatch.stream.outputs import Records

VALUE = "value"


class Fields:
    """Records of one form at `size` places, one array a field.

    That of the business value comes with the first one. Whole numbers of two bytes, such as groups, lie in one byte
    each until the first that needs two.
    """

    def __init__(self, form: "np.dtype[np.void]", size: int) -> None:
        self.form, self._size = form, size
        self._columns = {
            name: np.empty((size, *form[name].shape), dtype=_narrow(form[name].base))
            for name in form.names or ()
            if name != VALUE
        }
        self._values: Floats | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of all places."""
        values = 0 if self._values is None else self._values.nbytes
        return values + sum(column.nbytes for column in self._columns.values())

    def put(self, places: Ints, records: Records) -> None:
        """Write records, (places,)."""
        for name in self._columns:
            self._column(name, records[name])[places] = records[name]
        values = records[VALUE]
        if self._values is None and not np.isnan(values).all():
            self._values = np.full(self._size, np.nan)
        if self._values is not None:
            self._values[places] = values

    def take(self, places: Ints) -> Records:
        """Read records, (places,)."""
        records = np.empty(places.size, dtype=self.form)
        for name, column in self._columns.items():
            records[name] = column[places]
        records[VALUE] = np.nan if self._values is None else self._values[places]
        return records

    def same(self, places: Ints, records: Records) -> NDArray[np.bool_]:
        """Whether what lies at each place is what stands in `records`, (places,); NaN is the same as NaN."""
        same = np.ones(places.size, dtype=np.bool_)
        held = self.take(places)
        for name in self.form.names or ():
            one, other = held[name], records[name]
            equal = (one == other) | _unknown(one) & _unknown(other)
            same &= equal.reshape(places.size, -1).all(axis=1)
        return same

    def moved(self, old: Ints, new: Ints, size: int) -> "Fields":
        """The records of the `old` places at the `new` ones, among `size`."""
        fields = Fields(self.form, size)
        for name, column in self._columns.items():
            fields._columns[name] = np.empty((size, *column.shape[1:]), dtype=column.dtype)
            fields._columns[name][new] = column[old]
        if self._values is not None:
            fields._values = np.full(size, np.nan)
            fields._values[new] = self._values[old]
        return fields

    def _column(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """The array of a field, wide enough for some values of it."""
        column, wide = self._columns[name], self.form[name].base
        if column.dtype != wide and (values.astype(column.dtype) != values).any():
            column = self._columns[name] = column.astype(wide)
        return column


def _narrow(kind: "np.dtype[Any]") -> "np.dtype[Any]":
    return np.dtype(np.int8) if kind == np.int16 else kind


def _unknown(column: NDArray[Any]) -> "NDArray[np.bool_] | np.bool_":
    return np.isnan(column) if column.dtype.kind == "f" else np.False_


class Narrow:
    """Whole numbers at `size` places in 4 bytes each; in 8 from the first one that needs them."""

    def __init__(self, size: int) -> None:
        self._numbers: NDArray[np.int32] | Ints = np.empty(size, dtype=np.int32)

    @property
    def nbytes(self) -> int:
        """Bytes of all places."""
        return self._numbers.nbytes

    def put(self, places: Ints, numbers: Ints) -> None:
        """Write numbers, (places,)."""
        if self._numbers.dtype == np.int32 and (numbers.astype(np.int32) != numbers).any():
            self._numbers = self._numbers.astype(np.int64)
        self._numbers[places] = numbers

    def take(self, places: Ints) -> Ints:
        """Read numbers, (places,)."""
        return self._numbers[places].astype(np.int64)

    def moved(self, old: Ints, new: Ints, size: int) -> "Narrow":
        """The numbers of the `old` places at the `new` ones, among `size`."""
        narrow = Narrow(size)
        narrow._numbers = np.empty(size, dtype=self._numbers.dtype)
        narrow._numbers[new] = self._numbers[old]
        return narrow
