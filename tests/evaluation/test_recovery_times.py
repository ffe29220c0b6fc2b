"""Times of incidents in words."""

import pytest

from driftwatch.evaluation.incidents import Stretch
from driftwatch.evaluation.recovery_times import duration_words, times_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (0.4, "0 s"), (45, "45 s"), (59.6, "1 min"), (60, "1 min"), (200, "3 min 20 s"), (3_599.7, "1 h"),
        (3_600, "1 h"), (3_900, "1 h 5 min"), (7_800, "2 h 10 min"), (7_829, "2 h 10 min"), (7_831, "2 h 11 min"),
        (84_660, "23 h 31 min"), (86_380, "1 d"), (86_400, "1 d"), (90_000, "1 d 1 h"), (604_800, "7 d"),
    ],
)  # fmt: skip
def test_a_duration_has_its_two_greatest_units(seconds, words):
    """Rounded to the lesser of them, and never 60 of one."""
    assert duration_words(seconds) == words


def test_each_time_counts_its_own_incidents():
    """Some have a new version and have not recovered; what no incident has got to is not told."""
    assert times_words({Stretch.RECOVER: (3, 3 * 7_800.0), Stretch.DEPLOY: (4, 4 * 3_900.0)}) == [
        "mean time to recovery 2 h 10 min (3 incidents)",
        "time to deploy 1 h 5 min (4 incidents)",
    ]
    assert times_words({Stretch.RECOVER: (0, 0.0), Stretch.DEPLOY: (1, 60.0)}) == ["time to deploy 1 min (1 incident)"]
    assert times_words(dict.fromkeys(Stretch, (0, 0.0))) == times_words({}) == []
