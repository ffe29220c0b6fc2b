"""The agenda: at which ages a window is looked at again, when for the last time, and when it is forgotten."""

import pytest

from driftwatch.evaluation.report import Window
from driftwatch.quality.pending import Agenda, Pending, earliest


def agenda(*ends: int, unit: int = 10, wait_ms: int = 500, keep_ms: int = 15, start: int = -10) -> Agenda:
    """An agenda of windows of one step that were first looked at as they closed."""
    windows = {(end, "1"): Pending(Window(end + start, end, 1), end) for end in ends}
    return Agenda(unit, wait_ms, keep_ms, windows)


def looks(made: Agenda, *, every: int, until: int) -> list[int]:
    """When the one window of an agenda is looked at again, closing step by step, by its age."""
    ((end, version),) = made.windows
    found = []
    for closed in range(end + every, until, every):
        for key in made.due(closed, matured_ms=closed):
            pending = made.windows[key]
            final = made.matured(pending.window, closed)
            made.windows[key] = Pending(pending.window, closed, final=final)
            found.append(closed - end)
    assert (end, version) in made.windows
    return found


@pytest.mark.parametrize(
    ("unit", "every", "wait_ms", "ages"),
    [
        (10, 10, 500, [10, 20, 40, 80, 160, 320, 500]),
        (10, 10, 30, [10, 20, 30]),
        (10, 10, 5, [10]),  # it matures between two closings: the next one is the last look
        (10, 30, 500, [30, 60, 90, 180, 330, 510]),
        (5, 5, 40, [5, 10, 20, 40]),  # sliding: the unit is a slide
    ],
)
def test_ages_double(unit: int, every: int, wait_ms: int, ages: list[int]) -> None:
    """1, 2, 4, 8 … steps after its end, or as soon after as windows close; the last look is when labels are final."""
    assert looks(agenda(1_000, unit=unit, wait_ms=wait_ms), every=every, until=2_000) == ages


def test_what_closes_all_at_once_is_looked_at_once() -> None:
    """After a long silence each window is due once, however many ages it has passed."""
    made = agenda(100, 110, 120)
    assert made.due(400, matured_ms=400) == {(100, "1"), (110, "1"), (120, "1")}
    for key, pending in made.windows.items():
        made.windows[key] = Pending(pending.window, 400)
    assert made.due(400, matured_ms=400) == set()


def test_counted_windows_age_by_windows_and_mature_by_time() -> None:
    """A window counted in rows is 1, 2, 4 … windows old; it is final by the times of its rows."""
    window = Window(5_000, 5_900, 7, ordinal=3)
    made = Agenda(1, 100, 0, {(4, "1"): Pending(window, 4)})
    assert not made.due(4, matured_ms=5_950)
    assert made.due(5, matured_ms=5_950) == {(4, "1")}
    made.windows[4, "1"] = Pending(window, 5)
    assert made.due(6, matured_ms=5_999) == {(4, "1")}
    made.windows[4, "1"] = Pending(window, 6)
    assert not made.due(7, matured_ms=5_999)
    assert made.due(7, matured_ms=6_000) == {(4, "1")}


def test_what_is_final_is_not_due_again() -> None:
    """Not by its age, nor because it is mature."""
    made = agenda(100)
    made.windows[100, "1"] = Pending(Window(90, 100, 1), 600, final=True)
    assert made.due(5_000, matured_ms=5_000) == set()


def test_labels_that_are_read_late_hold_the_last_look_back() -> None:
    """A window matures by how far labels are read, not by how far windows have closed."""
    made = agenda(100, wait_ms=20)
    made.windows[100, "1"] = Pending(Window(90, 100, 1), 300)
    assert not made.due(310, matured_ms=119)
    assert made.due(310, matured_ms=120) == {(100, "1")}


@pytest.mark.parametrize(("wait_ms", "keep_ms", "gone_at"), [(500, 15, 600), (0, 15, 115), (10, 0, 110)])
def test_a_window_is_forgotten_when_nothing_can_change_it(wait_ms: int, keep_ms: int, gone_at: int) -> None:
    """Neither a label nor a late row."""
    made = agenda(100, wait_ms=wait_ms, keep_ms=keep_ms)
    made.forget(gone_at - 1)
    assert earliest(made.windows) == 100
    made.forget(gone_at)
    assert earliest(made.windows) is None
