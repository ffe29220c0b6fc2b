"""Events whose values are wrong: the value is invalid, the row stays. And labels, which are their value."""

import numpy as np

from driftwatch.stream.raw import Stream
from driftwatch.stream.reject import Reject
from driftwatch.stream.schema import Task
from tests.malformed.case import INVALID, MISSING, OTHER, RECEIVED_MS, Case, feature, one, row

_NO_FEATURES = {"amount": MISSING, "cents": MISSING, "country": MISSING, "vip": MISSING}
_BAD_FEATURES = dict.fromkeys(_NO_FEATURES, INVALID)


def _feature(column: str, value: str, expected: object, what: str = "") -> Case:
    return one(f"{column}: {what or value}", feature(column, value), {column: expected})


_NUMBERS = (
    *(_feature("amount", value, INVALID) for value in (
        "NaN", "Infinity", "-Infinity", "1e999", "-1e999", '"12.5"', '"NaN"', "true", "[12.5]", "[]", '{"eur": 12.5}',
    )),
    _feature("amount", "null", MISSING),
    _feature("amount", "1e-400", 0.0),
    _feature("amount", "-0.0", 0.0),
    _feature("amount", "9" * 309, INVALID, "309 digits"),
    _feature("amount", "9" * 5000, INVALID, "5000 digits"),
    _feature("amount", "9" * 17, 1e17, "17 digits"),
    *(_feature("cents", value, INVALID) for value in ('"seven"', '""', '"nan"', '"inf"', '"1_000"', '"1,5"', "false")),
    _feature("cents", '" 8.5 "', 8.5),
    *(one(f"score: {value}", row(f'"score": {value}'), {"score": INVALID}) for value in (
        "1.0000001", "-0.1", "NaN", '"0.5"', "true", "1e999", "[0.5]",
    )),
    one("score: null", row('"score": null'), {"score": MISSING}),
    one("score: absent", row(without="score"), {"score": MISSING}),
    one("score: said twice, the last counts", row('"score": "x", "score": 0.5'), {}),
)  # fmt: skip

_CATEGORIES = (
    *(_feature("country", value, INVALID) for value in ('["DE"]', '{"code": "DE"}', "NaN", "1e999")),
    _feature("country", "7" * 5000, INVALID, "5000 digits"),
    *(_feature("country", value, OTHER) for value in ('"AT"', '""', '"de"', "true", "49.5", '"\\ud800"')),
    _feature("country", "49", "49"),
    _feature("country", "49.0", "49"),
    _feature("country", "12345678901234567890", "12345678901234567890"),
    _feature("country", "12345678901234567891", OTHER),
    _feature("country", "null", MISSING),
    *(_feature("vip", value, INVALID) for value in ('"true"', '"yes"', "2", "-1", "0.5", "[true]", "NaN")),
    _feature("vip", "0", "false"),
    _feature("vip", "1.0", "true"),
    _feature("vip", "null", MISSING),
)

_FEATURES = (
    *(one(f"features: {value}", row(f'"features": {value}'), _BAD_FEATURES) for value in ("[1, 2]", '"x"', "7", "NaN")),
    *(one(f"features: {value}", row(f'"features": {value}'), _NO_FEATURES) for value in ("null", "{}")),
    one("features: absent", row(without="features"), _NO_FEATURES),
    *(one(f"unknown key: {key}", row(f'"{key}": {{"a": [1]}}'), {}) for key in (
        "note", "", "f0", r"a \"quote\"", r"new\nline", r"back\\slash", r"\ud800", "ключ", "features.amount",
    )),
)  # fmt: skip


def _output(key: str, text: str, *, what: str = "", **expected: object) -> Case:
    return one(f"{key}: {what or text}", row(f'"{key}": {text}'), expected)


_OUTPUTS = (
    *(_output("prediction", value, predicted=0) for value in ("0", "false", '"0"', '"false"', "0.0", "-0.0")),
    *(
        _output("prediction", value)
        for value in ("true", "1", "null", "2", '"maybe"', "[0]", '{"a": 0}', "NaN", "1e999")
    ),
    _output("prediction", "7" * 5000, what="5000 digits"),
    _output("prediction", '"\\ud800"'),
    _output("value", "12.5", value=12.5),
    _output("value", "-1e308", value=-1e308),
    *(_output("value", value) for value in ("null", '"12.5"', "true", "NaN", "-Infinity", "1e999", "[1]", "{}")),
    _output("value", "9" * 5000, what="5000 digits"),
    *(_output("scores", value) for value in ("[0.5]", '{"1": 0.5}', '"x"')),
    *(_output("interval", value) for value in ("[0, 1]", "[1]", "7")),
    *(_output("label", value) for value in ("1", "null", "[[]]")),
)

VALUES: tuple[Case, ...] = (*_NUMBERS, *_CATEGORIES, *_FEATURES, *_OUTPUTS)


def _label(task: Task, value: str, outcome: object = Reject.BAD_LABEL, *, what: str = "") -> Case:
    body = f'{{"model": "fraud", "id": "bad", "time": {RECEIVED_MS}, "label": {value}}}'
    kept = outcome if isinstance(outcome, Reject) else {"outcome": outcome}
    return Case(f"{task} label: {what or value}", body.encode(), (kept,), Stream.LABELS, task)


def _broken(name: str, body: str, reason: Reject) -> Case:
    return Case(f"label event: {name}", body.encode(), (reason,), Stream.LABELS)


LABELS: tuple[Case, ...] = (
    *(_label(Task.BINARY, value) for value in ("[1]", '{"a": 1}', "NaN", "1e999")),
    _label(Task.BINARY, "null", "none"),
    _label(Task.BINARY, "true", 1),
    _label(Task.BINARY, '"1"', 1),
    _label(Task.BINARY, '"perhaps"'),
    _label(Task.BINARY, "2"),
    *(_label(Task.REGRESSION, value) for value in ('"7.5"', "true", "NaN", "-Infinity", "1e999", "[7.5]")),
    _label(Task.REGRESSION, "9" * 400, what="400 digits"),
    _label(Task.REGRESSION, "null", "none"),
    _label(Task.REGRESSION, "7", 7.0),
    _label(Task.RANKING, '{"a": 1e300}', float(np.finfo(np.float32).max)),
    _label(Task.RANKING, '{"a": -1, "b": 0}', 0.0),
    _label(Task.RANKING, '{"\\ud800": 1}'),
    _label(Task.RANKING, "{}", 0.0),
    *(
        _label(Task.RANKING, value)
        for value in ("1", '["a"]', '{"a": "x"}', '{"a": null}', '{"a": NaN}', '{"a": true}')
    ),
    _label(Task.RANKING, "null", "none"),
    _broken("no label", '{"model": "fraud", "id": "bad"}', Reject.MISSING_LABEL),
    _broken("no id", '{"model": "fraud", "label": 1}', Reject.MISSING_ID),
    _broken("id of another type", '{"model": "fraud", "id": false, "label": 1}', Reject.BAD_ID),
    _broken("no model", '{"id": "bad", "label": 1}', Reject.MISSING_MODEL),
    _broken("bad time", '{"model": "fraud", "id": "bad", "label": 1, "time": "now"}', Reject.BAD_TIME),
    _broken("cut off", '{"model": "fraud", "id": "bad", "lab', Reject.NOT_JSON),
)
