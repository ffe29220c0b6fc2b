"""Which alerts a silence covers, and until when."""

import pytest

from driftwatch.evaluation.alarm import Alarm
from driftwatch.evaluation.silences import (
    Matcher,
    Operator,
    Silence,
    check_matchers,
    read_matcher,
    silenced_until_ms,
)

ALARM = Alarm("a1", "fraud", "7", "", "drift", "amount", "psi", "warning", "retrain")


def silence(*matchers: str, starts: int = 0, ends: int = 100) -> Silence:
    return Silence("s", tuple(map(read_matcher, matchers)), "ann", "", starts, ends, 0)


@pytest.mark.parametrize(
    ("matchers", "covered"),
    [
        (['rule="drift"'], True),
        (["rule=drift"], True),
        (["rule=missing"], False),
        (["rule!=missing"], True),
        (["column=~amount|age"], True),
        (["column=~amo"], False),
        (["column!~amo"], True),
        (["column!~amo.*"], False),
        (["model=fraud", "version=7", "severity=warning"], True),
        (["model=fraud", "version=8"], False),
        (['segment=""', "model=fraud"], True),
        (['segment!=""', "model=fraud"], False),
    ],
)
def test_all_matchers_must_fit(matchers, covered) -> None:
    """Each looks at one label."""
    assert silence(*matchers).covers(ALARM) is covered


@pytest.mark.parametrize("text", ["", "rule", "rule=~(", "colour=red", "=x", "rule<3", "rule=" + "x" * 1_001])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    """In words."""
    with pytest.raises(ValueError, match=r"[a-z]") as caught:
        read_matcher(text)
    assert str(caught.value)


def test_a_silence_of_everything_must_be_meant() -> None:
    """Matchers that accept an empty value accept everything."""
    with pytest.raises(ValueError, match="all is silenced"):
        check_matchers([Matcher("column", Operator.FITS, ".*"), Matcher("rule", Operator.UNEQUAL, "x")])
    with pytest.raises(ValueError, match="1 to 20"):
        check_matchers([])
    check_matchers([Matcher("model", Operator.FITS, ".+")])


def test_until_when() -> None:
    """To the longest silence of each alert, and to the first alert that is to be heard again."""
    other = Alarm("a2", "fraud", "7", "", "drift", "age", "psi", "warning", "retrain")
    both, one, later = (
        silence("rule=drift", ends=50),
        silence("column=amount", ends=80),
        silence("rule=drift", starts=60),
    )
    assert silenced_until_ms([ALARM, other], [both, one, later], now_ms=10) == 50
    assert silenced_until_ms([ALARM], [both, one, later], now_ms=10) == 80
    assert silenced_until_ms([ALARM, other], [one], now_ms=10) == 0
    assert silenced_until_ms([], [both], now_ms=10) == 0
    assert silenced_until_ms([ALARM], [both], now_ms=50) == 0
