"""Records that are broken JSON, no object, of an awkward form, or columnar and wrong."""

from driftwatch.stream.reject import Reject
from tests.malformed.case import INVALID, MISSING, Case, many, one, row

_DEEP = 100_000
_GOOD: dict[str, object] = {}
_NAN = row('"score": NaN')


def _columns(*members: str, model: str = '"fraud"') -> str:
    return f'{{"model": {model}, "version": "1", "columns": {{{", ".join(members)}}}}}'


_SPARSE = {"amount": MISSING, "cents": MISSING, "score": MISSING, "country": MISSING, "vip": MISSING}
_TWO = ('"id": ["x", "y"]', '"time": [1767607200000, 1767607200000]')
_REST = (
    '"features.amount": [12.5, 12.5]', '"features.cents": [7, 7]', '"features.country": ["DE", "DE"]',
    '"features.vip": [true, true]',
)  # fmt: skip
_SCORE = '"score": [0.5, 0.5]'

FORMS: tuple[Case, ...] = (
    one("nothing at all", b"", Reject.NOT_JSON, alone=True),
    one("blanks only", b" \n\t ", Reject.NOT_JSON, alone=True),
    one("cut off after a member", row()[:-20], Reject.NOT_JSON),
    one("cut off inside a text", '{"model": "fra', Reject.NOT_JSON),
    one("trailing comma", row()[:-1] + ",}", Reject.NOT_JSON),
    one("single quotes", row().replace('"', "'"), Reject.NOT_JSON),
    one("key without quotes", "{model: 1}", Reject.NOT_JSON),
    one("comment", row()[:-1] + "/* why */}", Reject.NOT_JSON),
    one("two objects on one line", row() + row(), Reject.NOT_JSON),
    one("not JSON at all", "amount=12.5&id=a", Reject.NOT_JSON),
    one("NUL byte between members", row().replace(", ", ",\0 ").encode(), Reject.NOT_JSON),
    one("unknown escape in a text", row(r'"note": "\x41"'), Reject.NOT_JSON),
    one("raw tab in a text", row('"id": "a\tb"'), Reject.NOT_JSON),
    one("invalid UTF-8 in a value", row('"version": "?"').encode().replace(b"?", b"\xff\xfe"), Reject.NOT_JSON),
    one("invalid UTF-8 in a key nobody reads", row('"note": "?"').encode().replace(b"?", b"\xff"), Reject.NOT_JSON),
    one("UTF-16", row().encode("utf-16"), Reject.NOT_JSON, alone=True),
    one("nested 100 000 deep and cut off", row(f'"note": {"[" * _DEEP}'), Reject.NOT_JSON),
    one("nested 100 000 deep and closed", row(f'"note": {"[" * _DEEP}{"]" * _DEEP}'), Reject.NOT_JSON),
    one("feature nested 100 000 deep", row(f'"features": {"[" * _DEEP}{"]" * _DEEP}'), Reject.NOT_JSON),
    one("objects 100 000 deep", '{"a":' * _DEEP + "1" + "}" * _DEEP, Reject.NOT_JSON),
    one("array nested 100 000 deep", "[" * _DEEP, Reject.NOT_JSON, alone=True),
    one("a number", "17", Reject.NOT_OBJECT),
    one("a text", '"fraud"', Reject.NOT_OBJECT),
    one("null", "null", Reject.NOT_OBJECT),
    one("a NaN token", "NaN", Reject.NOT_OBJECT),
    one("byte order mark", b"\xef\xbb\xbf" + row().encode(), _GOOD, alone=True),
    many("byte order mark before an array", b"\xef\xbb\xbf[" + row().encode() + b"]", _GOOD),
    many("empty array", "[]"),
    many("array within an array", f"[[{row()}], {row()}]", Reject.NOT_OBJECT, _GOOD),
    many("array of scalars", '[1, null, "x", true]', *[Reject.NOT_OBJECT] * 4),
    many("array with a broken element", f"[{row()}, {{]", Reject.NOT_JSON),
    many("array with a NaN token", f"[{row()}, {_NAN}]", _GOOD, {"score": INVALID}),
    many("lines with a bad one in the middle", f"{row()}\n{row()[:-9]}\n{row()}", _GOOD, Reject.NOT_JSON, _GOOD),
    many(
        "array with an element that is not UTF-8",
        f'[{row()}, {{"id": "?"}}]'.encode().replace(b"?", b"\xff"),
        _GOOD,
        Reject.NOT_JSON,
    ),
    many("lines with a bad one first", f"{row()[:-9]}\n{row()}", Reject.NOT_JSON, _GOOD),
    many("lines of which each has a NaN token", f"{_NAN}\n" * 2, *[{"score": INVALID}] * 2),
    many("lines ended as Windows does, with blank ones", f"{row()}\r\n\r\n\n{row()}\r\n", _GOOD, _GOOD),
    many("one array on each line", f"[{row()}]\n[{row()}]", Reject.NOT_JSON),
    many("object over several lines", row().replace(", ", ",\n  "), _GOOD),
    many("broken object over several lines", row().replace(", ", ",\n  ")[:-1], Reject.NOT_JSON),
    many("object over several lines with a NaN token", _NAN.replace(", ", ",\n "), {"score": INVALID}),
    one("columns is null", row('"columns": null'), Reject.BAD_COLUMNS),
    one("columns is a list", row('"columns": [1]'), Reject.BAD_COLUMNS),
    one("no columns", _columns(), Reject.BAD_COLUMNS),
    one("columns of unequal length", _columns(*_TWO, '"score": [0.5]'), Reject.BAD_COLUMNS),
    one("a column that is no list", _columns(*_TWO, '"score": 0.5'), Reject.BAD_COLUMNS),
    one("columns inside columns", _columns(*_TWO, '"features": {"amount": [1, 2]}'), Reject.BAD_COLUMNS),
    one("columns of nobody", _columns(*_TWO, model="null"), Reject.MISSING_MODEL),
    one("wrong columns of another model", _columns('"id": 3', model='"churn"'), Reject.UNKNOWN_MODEL),
    many("columns without rows", _columns('"id": []', '"score": []')),
    many("columns of ids and times only", _columns(*_TWO), _SPARSE, _SPARSE),
    many("NaN in a column", _columns(*_TWO, *_REST, '"score": [NaN, 0.5]'), {"score": INVALID}, _GOOD),
    many(
        "5000 digits in a column", _columns(*_TWO, *_REST, f'"score": [0.5, {"9" * 5000}]'), _GOOD, {"score": INVALID}
    ),
    many(
        "a text among a column's numbers", _columns(*_TWO, *_REST, '"score": ["0.5", 0.5]'), {"score": INVALID}, _GOOD
    ),
    many(
        "lone surrogate among a column's ids",
        _columns('"id": ["\\ud800", "y"]', _TWO[1], *_REST, _SCORE),
        Reject.BAD_ID,
        _GOOD,
    ),
    many("a null id in a column", _columns('"id": ["x", null]', _TWO[1], *_REST, _SCORE), _GOOD, Reject.MISSING_ID),
    many(
        "a bad time in a column",
        _columns(_TWO[0], '"time": ["soon", 1767607200000]', *_REST, _SCORE),
        Reject.BAD_TIME,
        _GOOD,
    ),
)
