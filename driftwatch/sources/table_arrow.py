"""From Arrow columns to a table's arrays, by the form in which they are wanted."""

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.stream.batch import INVALID, Floats, Ints
from driftwatch.stream.schema import Kind
from driftwatch.stream.table import NULL, Encoded, Form
from driftwatch.stream.times import BAD_TIME, EARLIEST_MS, LATEST_MS


def kind_of(type_: pa.DataType) -> Kind | None:
    """Infer the kind of a column from its Arrow type; None for what is neither a number nor a category."""
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return Kind.NUMERIC
    if pa.types.is_boolean(type_):
        return Kind.BOOLEAN
    text = type_.value_type if pa.types.is_dictionary(type_) else type_
    if pa.types.is_string(text) or pa.types.is_large_string(text) or pa.types.is_string_view(text):
        return Kind.CATEGORICAL
    return None


def convert(array: Any, form: Form) -> Floats | Encoded | Ints:
    """Turn an Arrow array into numbers, codes or times, (rows,); what does not fit is invalid, a null missing."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if form is Form.TIME:
        return _times(array)
    if form in {Form.NUMBER, Form.NUMBER_OR_TEXT}:
        return _numbers(array)
    return _encoded(array, boolean=form is Form.BOOLEAN)


def parsed(text: str) -> float:
    """Return the number that a text holds, INVALID when it holds none."""
    try:
        number = float(text)
    except ValueError:
        return INVALID
    # The word "nan" is a missing value, as it is in every reader of tables.
    return INVALID if math.isinf(number) else number


def plain(number: float) -> str:
    """Write a number as a category: whole numbers without a point, as JSON would have them."""
    return str(int(number)) if number.is_integer() else repr(number)


def time_ms(text: str) -> int:
    """Read RFC 3339, the same without a zone (UTC), or epoch milliseconds; BAD_TIME when it is none of them."""
    number = parsed(text)
    if math.isfinite(number):
        return math.floor(number) if EARLIEST_MS <= number <= LATEST_MS else BAD_TIME
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return BAD_TIME
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return math.floor(moment.timestamp() * 1000 + 1e-3)


def _numbers(array: Any) -> Floats:
    kind = kind_of(array.type)
    if pa.types.is_null(array.type):
        return np.full(len(array), np.nan)
    if kind is Kind.CATEGORICAL:
        coded = _encoded(array, boolean=False)
        values = np.array([*map(parsed, coded.categories), np.nan])
        return values[coded.codes]  # NULL is the last
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
    elif kind is None:
        return np.where(array.is_null().to_numpy(zero_copy_only=False), np.nan, INVALID)
    numbers = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    infinite = np.isneginf(numbers)
    result: Floats = np.where(infinite, INVALID, numbers) if infinite.any() else numbers
    return result


def _encoded(array: Any, *, boolean: bool) -> Encoded:
    if pa.types.is_null(array.type):
        return Encoded(np.full(len(array), NULL, dtype=np.int32), ())
    if pa.types.is_nested(array.type):
        array = pc.if_else(array.is_null(), None, pa.scalar("nested"))
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    values = coded.dictionary.to_pylist()
    texts = [_text(value) for value in values]
    if boolean:
        texts = [_flag(text) for text in texts]
    codes = pc.fill_null(coded.indices, NULL).to_numpy(zero_copy_only=False).astype(np.int32)
    return _distinct(codes, texts)


def _distinct(codes: Any, texts: list[str | None]) -> Encoded:
    """Give texts that became equal one code, and those that became None the code of a null."""
    place = {text: code for code, text in enumerate(dict.fromkeys(text for text in texts if text is not None))}
    if len(place) == len(texts):
        return Encoded(codes, tuple(place))
    mapped = np.array([*(NULL if text is None else place[text] for text in texts), NULL], dtype=np.int32)
    return Encoded(mapped[codes], tuple(place))


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return plain(value) if isinstance(value, float) and math.isfinite(value) else str(value)


def _flag(text: str | None) -> str | None:
    return None if text is None else text.strip().lower()


def _times(array: Any) -> Ints:
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        moments = array.cast(pa.timestamp("ms", getattr(array.type, "tz", None)), safe=False).cast(pa.int64())
        whole: Ints = pc.fill_null(moments, BAD_TIME).to_numpy(zero_copy_only=False)
        return whole
    if kind_of(array.type) is Kind.CATEGORICAL:
        coded = _encoded(array, boolean=False)
        return np.array([*map(time_ms, coded.categories), BAD_TIME], dtype=np.int64)[coded.codes]
    numbers = _numbers(array)
    with np.errstate(invalid="ignore"):
        good = (numbers >= EARLIEST_MS) & (numbers <= LATEST_MS)
    return np.where(good, np.floor(np.where(good, numbers, 0)), BAD_TIME).astype(np.int64)
