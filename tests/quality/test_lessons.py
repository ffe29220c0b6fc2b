import numpy as np
import pytest

from driftwatch.errors import StateError
from driftwatch.quality.lessons import MOST_WINDOWS, Lessons


def taught(*windows, version="1"):
    """Lessons of windows that end at these numbers, of so many labels."""
    lessons = Lessons()
    for end, labels in windows:
        lessons.learn(version, end, {"labelled": np.array([labels, 0])})
    return lessons


def total(lessons, **limits):
    found = lessons.total("1", "labelled", **limits)
    return None if found is None else int(found.sum())


def test_the_newest_windows_count():
    """All of a window or nothing, at least one, in whatever order they came."""
    lessons = taught((3, 30), (1, 10), (2, 20))
    assert total(lessons) == 60
    assert total(lessons, most_rows=50) == 50
    assert total(lessons, most_rows=49) == 30
    assert total(lessons, most_rows=1) == 30


def test_the_reference_fills_what_has_not_come():
    """Its parts are older than any window, and drop out the oldest first."""
    parts = tuple(np.array([labels, 0]) for labels in (1, 10, 100))
    assert total(Lessons(), before=parts, most_rows=111) == 111
    assert total(Lessons(), before=parts, most_rows=110) == 110
    assert total(taught((1, 50)), before=parts, most_rows=160) == 160
    assert total(taught((1, 50)), before=parts, most_rows=155) == 150
    assert total(Lessons()) is None


def test_a_window_that_is_known_adds_to_its_lesson():
    """Late labels of it belong to it."""
    assert total(taught((1, 5), (1, 7)), most_rows=5) == 12


def test_memory_is_bounded():
    """The oldest windows of a version are forgotten, and the version that learnt least lately."""
    assert total(taught(*((end, 1) for end in range(MOST_WINDOWS + 5)))) == MOST_WINDOWS
    lessons = Lessons(most_versions=2)
    for version in ("1", "2", "1", "3"):
        lessons.learn(version, 1, {"labelled": np.array([1])})
    assert [lessons.total(version, "labelled") is None for version in ("1", "2", "3")] == [False, True, False]
    assert lessons.changes()["1/2"] is None


def test_what_was_saved_is_known_again():
    """The same totals; a chunk of another name is damage."""
    lessons, again = taught((1, 10), (2, 20)), Lessons()
    again.resume({name: chunk for name, chunk in lessons.changes().items() if chunk is not None})
    assert total(again, most_rows=25) == total(lessons, most_rows=25) == 20
    chunk = next(iter(lessons.changes().values()))
    with pytest.raises(StateError, match="is called"):
        Lessons().resume({"one/1": chunk})
