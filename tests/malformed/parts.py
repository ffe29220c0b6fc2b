"""Events whose model, id, time or version is wrong, or looks so."""

from driftwatch.stream.reject import Reject
from tests.malformed.case import MAX_FUTURE_MS, RECEIVED_MS, STAMP_MS, Case, one, row

_GOOD: dict[str, object] = {}


def _time(name: str, value: str, outcome: Reject | dict[str, object] = Reject.BAD_TIME) -> Case:
    return one(f"time: {name}", row(f'"time": {value}'), outcome)


def _id(name: str, value: str, outcome: Reject | dict[str, object] = Reject.BAD_ID) -> Case:
    return one(f"id: {name}", row(f'"id": {value}'), outcome)


def _version(name: str, value: str, outcome: Reject | dict[str, object] = Reject.BAD_VERSION) -> Case:
    return one(f"version: {name}", row(f'"version": {value}'), outcome)


PARTS: tuple[Case, ...] = (
    one("model: absent", row(without="model"), Reject.MISSING_MODEL),
    one("model: null", row('"model": null'), Reject.MISSING_MODEL),
    one("model: a number", row('"model": 7'), Reject.MISSING_MODEL),
    one("model: a list", row('"model": ["fraud"]'), Reject.MISSING_MODEL),
    one("model: another", row('"model": "churn"'), Reject.UNKNOWN_MODEL),
    one("model: empty", row('"model": ""'), Reject.UNKNOWN_MODEL),
    one("model: capitals", row('"model": "Fraud"'), Reject.UNKNOWN_MODEL),
    one("model: lone surrogate", row('"model": "\\ud800"'), Reject.UNKNOWN_MODEL),
    one("id: absent", row(without="id"), Reject.MISSING_ID),
    _id("null", "null", Reject.MISSING_ID),
    _id("empty", '""', Reject.MISSING_ID),
    _id("a boolean", "true"),
    _id("a list", '["a"]'),
    _id("an object", '{"a": 1}'),
    _id("a fraction", "1.5"),
    _id("a float that is whole", "1e3"),
    _id("5000 digits", "7" * 5000),
    _id("lone surrogate", '"\\udfff"'),
    _id("beyond 64 bits", "9" * 40, _GOOD),
    _id("zero", "0", _GOOD),
    _id("a megabyte", f'"{"x" * 2**20}"', _GOOD),
    one("time: absent", row(without="time"), {"time": STAMP_MS}),
    _time("null", "null", {"time": STAMP_MS}),
    _time("without offset", '"2026-01-05T10:00:00"'),
    _time("a day only", '"2026-01-05"'),
    _time("30 February", '"2026-02-30T10:00:00Z"'),
    _time("25 o'clock", '"2026-01-05T25:00:00Z"'),
    _time("leap second", '"2016-12-31T23:59:60Z"'),
    _time("epoch as text", '"1767607200000"'),
    _time("words", '"yesterday"'),
    _time("empty", '""'),
    _time("lone surrogate", '"\\ud800"'),
    _time("a boolean", "true"),
    _time("a list", "[2026, 1, 5]"),
    _time("year 10000", '"10000-01-01T00:00:00Z"'),
    _time("year 1, some languages' zero", '"0001-01-01T00:00:00Z"'),
    _time("last day of 9999", '"9999-12-31T23:59:59Z"'),
    _time("beyond float64", "1e999"),
    _time("NaN", "NaN"),
    _time("30 digits", "9" * 30),
    _time("5000 digits", "9" * 5000),
    _time("far below", "-1e300"),
    _time("a millisecond too far ahead", str(RECEIVED_MS + MAX_FUTURE_MS + 1), Reject.FUTURE),
    _time("microseconds for milliseconds", str(RECEIVED_MS * 1000), Reject.BAD_TIME),
    _time("next year", '"2027-01-05T10:00:00Z"', Reject.FUTURE),
    _time("just not too far ahead", str(RECEIVED_MS + MAX_FUTURE_MS), {"time": RECEIVED_MS + MAX_FUTURE_MS}),
    _time("before 1970", "-1", {"time": -1}),
    _time("a fraction of a millisecond", f"{RECEIVED_MS}.9", _GOOD),
    _time("an offset", '"2026-01-05T12:30:00.0009+02:30"', _GOOD),
    _version("a boolean", "true"),
    _version("a list", "[1]"),
    _version("an object", '{"major": 1}'),
    _version("NaN", "NaN"),
    _version("beyond float64", "1e999"),
    _version("lone surrogate", '"\\ud800"'),
    _version("257 characters", f'"{"v" * 257}"'),
    _version("5000 digits", "1" * 5000),
    _version("null", "null", {"version": ""}),
    _version("a number", "7", {"version": "7"}),
    _version("a whole float", "7.0", {"version": "7"}),
    _version("256 characters", f'"{"v" * 256}"', {"version": "v" * 256}),
)
