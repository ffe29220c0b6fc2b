"""What a person is shown of the findings: lines and a picture."""

import copy
from xml.etree import ElementTree as ET

import pytest

from driftwatch.backtest.picture import picture
from driftwatch.backtest.score import findings
from driftwatch.backtest.text import text

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def found(tested):
    return findings(tested)


def texts(svg: str) -> list[str]:
    return [each.text for each in ET.fromstring(svg).iter(f"{SVG}text")]


def test_text(found):
    """What was replayed, what alarmed, what was found, and what dumb baselines would have scored."""
    said = text(found)
    for part in (
        "backtest of loan: 3000 rows, 12 windows of about 250, 2026-01-01 to 2026-01-01, 2000 labels; seed 3",
        "resampled rows are compared with",
        "  window to 2026-01-01 06:59  drift of amount  ",
        "  false alarms     ",
        "  false incidents  ",
        "  per 1000 windows ",
        "  always alarm ",
        "  never alarm         0.00    0.00  0.00",
    ):
        assert part in said
    assert max(map(len, said.splitlines())) <= 120
    assert "mean +1 sd 2/2 1.00 0.34–1.00 " in " ".join(said.split())


@pytest.mark.parametrize(
    ("of", "lower", "upper", "said"),
    [
        ("per_30_days", 0.0, 0.9, "1 per X = 1 in 30 days: kept surely\n"),
        ("per_30_days", 0.2, 3.0, "1 per X = 1 in 30 days: kept, as far as so much history tells\n"),
        ("per_30_days", 1.1, 9.0, "1 per X = 1 in 30 days: exceeded\n"),
        ("per_1000_windows", 0.0, 0.9, "1 per X: kept surely\n"),
        ("per_1000_windows", 1.1, 9.0, "1 per X: exceeded\n"),
    ],
)
def test_the_budget_is_judged_by_the_bounds(found, of, lower, upper, said):
    """A budget is exceeded when that is sure, and kept surely when the upper bound is within."""
    other = copy.deepcopy(found)
    other["budget"] = {"text": "1 per X", "per_30_days": None, "per_1000_windows": None, of: 1.0}
    measured = "alarms" if of == "per_30_days" else "alarms_per_1000_windows"
    other["resampled"][measured] |= {"lower": lower, "upper": upper}
    assert said in text(other)
    drawn = ET.fromstring(picture(other))
    dashed = [each for each in drawn.iter(f"{SVG}line") if each.get("class") == "budget"]
    assert len(dashed) == (2 if of == "per_30_days" else 1)
    assert "dashed: the budget, 1 per X" in texts(picture(other))


def test_without_a_budget(found):
    """It is said that there is none, and no line is drawn for it."""
    other = copy.deepcopy(found) | {"budget": None}
    assert "budget           none is configured\n" in text(other)
    assert 'class="budget"' not in picture(other)


def test_picture(found):
    """Well-formed, with every change, every baseline and every alarm of the history in it."""
    svg = picture(found)
    words = texts(svg)
    assert {shift["name"] for shift in found["shifts"]} <= set(words)
    assert {"driftwatch", "alarm always", "alarm never"} <= set(words)
    marks = [each for each in ET.fromstring(svg).iter(f"{SVG}circle") if each.get("class") == "mark"]
    assert len(marks) == len(found["as_it_is"]["list"])


def test_names_of_columns_are_not_to_be_trusted(found):
    """Markup and control characters in a name change neither picture nor terminal."""
    other = copy.deepcopy(found)
    for alarm in other["as_it_is"]["list"]:
        alarm["column"] = '<b>&"\x1b[2J\x00'
    assert any('<b>&"?[2J?' in each for each in texts(picture(other)))
    assert "\x1b" not in text(other)


def test_long_lists_are_cut(found):
    """Many alarms are counted, not all listed."""
    other = copy.deepcopy(found)
    one = other["as_it_is"]["list"][0]
    other["as_it_is"]["list"] = [one | {"column": f"c{place}"} for place in range(50)]
    assert "  and 30 more\n" in text(other)
    assert "and 35 more" in texts(picture(other))
