"""A report's JSON is the contract's, key by key and type by type."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.evaluation.report import AlertNote, Report, Window, rfc3339
from driftwatch.statistics.reading import Reading, Status
from tests.evaluation.readings import reading

TEXT, WHOLE, NUMBER, TIME = "text", "whole", "number or null", "time"

FORM = {
    "model": TEXT,
    "version": TEXT,
    "segment": TEXT,
    "window": {"start": TIME, "end": TIME, "rows": WHOLE, "stage": {"interim", "final", "estimated"}},
    "revision": WHOLE,
    "reference": {"fingerprint": TEXT, "rows": WHOLE},
    "readings": [
        {
            "column": TEXT, "family": TEXT, "statistic": TEXT, "value": NUMBER, "adjusted": NUMBER, "lower": NUMBER,
            "upper": NUMBER, "p_value": NUMBER, "threshold": NUMBER, "status": {status.value for status in Status},
        }
    ],
    "alerts": [
        {
            "id": TEXT, "rule": TEXT, "column": TEXT, "state": {"inactive", "pending", "firing", "resolved"},
            "severity": {"info", "warning", "critical"}, "reason": TEXT,
        }
    ],
}  # fmt: skip


def assert_form(document: object, form: object, where: str = "report") -> None:
    """The document has exactly the keys of the form, and values of its types."""
    if isinstance(form, dict):
        assert isinstance(document, dict)
        assert set(document) == set(form), where
        for key, inner in form.items():
            assert_form(document[key], inner, f"{where}.{key}")
    elif isinstance(form, list):
        assert isinstance(document, list)
        for place, element in enumerate(document):
            assert_form(element, form[0], f"{where}[{place}]")
    elif isinstance(form, set):
        assert document in form, where
    elif form == NUMBER:
        assert document is None or (isinstance(document, int | float) and math.isfinite(document)), where
    elif form == WHOLE:
        assert isinstance(document, int), where
        assert document >= 0, where
    else:
        assert isinstance(document, str), where
        assert form == TEXT or document.endswith("Z"), where


def strict(line: bytes) -> object:
    """Read JSON as others do: NaN and Infinity are no JSON."""

    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is no JSON")

    return json.loads(line, parse_constant=refuse)


numbers = st.floats(allow_nan=True, allow_infinity=True)
readings = st.tuples(*[st.text(max_size=5)] * 3, *[numbers] * 5, st.sampled_from(Status)).map(
    lambda parts: Reading(*parts)
)
reports = st.builds(
    Report,
    model=st.text(max_size=5),
    version=st.text(max_size=5),
    segment=st.text(max_size=5),
    window=st.builds(Window, st.integers(-(10**12), 10**13), st.integers(-(10**12), 10**13), st.integers(0, 10**9)),
    revision=st.integers(1, 9),
    fingerprint=st.text(max_size=5),
    reference_rows=st.integers(0, 10**12),
    readings=st.lists(readings, max_size=3).map(tuple),
    thresholds=st.just({("amount", "psi"): 0.1}),
    alerts=st.lists(
        st.builds(AlertNote, st.text(), st.text(), st.text(), st.just("firing"), st.just("info"), st.text()), max_size=2
    ).map(tuple),
)


@settings(deadline=None)
@given(reports)
def test_form(report: Report) -> None:
    """Whatever the numbers, a report is one line of strict JSON of the contract's form."""
    line = report.line()
    assert b"\n" not in line
    document = strict(line)
    assert isinstance(document, dict)
    for each in document["readings"]:
        # What a window would have shown belongs to drift alone.
        assert_form(each.pop("mde") if each["family"] == "drift" else None, NUMBER)
    assert_form(document, FORM)


def test_values() -> None:
    """Numbers come through as they are; what is not defined is null; the threshold is the column's and statistic's."""
    found = (reading(0.25, lower=0.1), reading(math.nan, statistic="js", status=Status.TOO_FEW))
    report = Report("fraud", "7", "", Window(0, 3_600_000, 5000), 2, "abc", 100, found, {("amount", "psi"): 0.2})
    document = strict(report.line())
    assert isinstance(document, dict)
    assert document["window"] == {
        "start": "1970-01-01T00:00:00Z",
        "end": "1970-01-01T01:00:00Z",
        "rows": 5000,
        "stage": "final",
    }
    assert document["revision"] == 2
    assert document["reference"] == {"fingerprint": "abc", "rows": 100}
    psi, js = document["readings"]
    assert (psi["value"], psi["lower"], psi["upper"], psi["threshold"], psi["status"]) == (0.25, 0.1, None, 0.2, "ok")
    assert (js["value"], js["threshold"], js["status"]) == (None, None, "too_few")
    noted = replace(report, alerts=(AlertNote("id", "drift", "amount", "firing", "warning", "held_for"),))
    assert strict(noted.line())["alerts"] == [  # type: ignore[index]
        {
            "id": "id",
            "rule": "drift",
            "column": "amount",
            "state": "firing",
            "severity": "warning",
            "reason": "held_for",
        }
    ]


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_767_607_200_000, "2026-01-05T10:00:00Z"),
        (1_767_607_200_999, "2026-01-05T10:00:00.999Z"),
        (-5_364_662_400_000, "1800-01-01T00:00:00Z"),
    ],
)
def test_rfc3339(milliseconds: int, text: str) -> None:
    """Times are UTC, with a fraction only where there is one."""
    assert rfc3339(milliseconds) == text


def test_what_a_check_is_about_and_what_it_explains() -> None:
    """The limit of a check stands as its threshold; `at` and `explained_by` are there where they say something."""
    check = reading(0.25, family="quality", statistic="sentinel")._replace(limit=0.01, at=-200.0, beyond=True)
    still = check._replace(column="age", at=math.nan)
    report = Report("fraud", "7", "", Window(0, 3_600_000, 5000), 1, "abc", 100, (reading(0.5), check, still), {})
    drift, found, other = strict(replace(report, explained={"amount": "sentinel"}).line())["readings"]  # type: ignore[index]
    assert (drift["explained_by"], drift["threshold"], "at" in drift) == ("sentinel", None, False)
    assert (found["at"], found["threshold"], "explained_by" in found) == (-200.0, 0.01, False)
    assert "at" not in other
    given = replace(report, thresholds={("amount", "sentinel"): 0.3})
    assert given.threshold(check) == 0.3
