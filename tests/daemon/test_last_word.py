"""Last words: one of each window, whole, in order, and no more held than may still change."""

from dataclasses import replace

import pytest

from driftwatch.daemon.last_word import LastWords
from driftwatch.evaluation.report import AlertNote, Arrivals, Report, Window
from driftwatch.statistics.performance import FAMILY
from driftwatch.statistics.reading import Reading, Stage, Status, Support

NAN = float("nan")


def reading(family: str, value: float) -> Reading:
    support = Support(Stage.INTERIM, 0.5) if family == FAMILY else None
    return Reading("", family, "any", value, NAN, NAN, NAN, NAN, Status.OK, support)


def note(rule: str, state: str) -> AlertNote:
    return AlertNote(rule, rule, "", state, "warning", "why")


def first(end: int, *, version: str = "1", alerts: tuple[AlertNote, ...] = ()) -> Report:
    """A window's first report: what its rows say."""
    window = Window(end - 1, end, 9, "interim")
    return Report(
        model="m", version=version, segment="", window=window, revision=1, fingerprint="f", reference_rows=1,
        readings=(reading("drift", 0.5),), thresholds={}, alerts=alerts,
    )  # fmt: skip


def labelled(report: Report, *, alerts: tuple[AlertNote, ...] = ()) -> Report:
    """The next one, when its labels have come: only what they say."""
    return replace(
        report, revision=report.revision + 1, readings=(reading(FAMILY, 0.9),), alerts=alerts, follows=True,
        window=replace(report.window, stage="final"), arrivals=Arrivals(9, 9, 0, 0, 0),
    )  # fmt: skip


@pytest.fixture
def said() -> list[dict]:
    return []


def test_a_window_is_told_of_once_and_whole(said):
    """Its data from the first report, its labels from the last."""
    words = LastWords(said.append)
    words.add(first(1))
    words.add(labelled(first(1)))
    words.release({(1, "1")})
    assert said == []
    words.release(())
    (document,) = said
    assert [each["family"] for each in document["readings"]] == ["drift", FAMILY]
    assert (document["revision"], document["window"]["stage"], document["labels"]["labelled"]) == (2, "final", 9)
    words.finish()
    assert len(said) == 1


def test_windows_come_in_order(said):
    """One that may still change holds back all after it, and none before."""
    words = LastWords(said.append)
    for end in (1, 2, 3):
        for version in ("b", "a"):
            words.add(first(end, version=version))
    words.release({(2, "b")})
    places = [(document["window"]["end"][-2:], document["version"]) for document in said]
    assert [version for _, version in places] == ["a", "b", "a"]
    words.finish()
    ends = [(document["window"]["end"], document["version"]) for document in said]
    assert (len(ends), ends) == (6, sorted(ends))


def test_alerts_are_those_of_the_report_that_judged(said):
    """Drift as the window closed, the metric when its labels had come; not how either stands many windows later."""
    words = LastWords(said.append)
    words.add(first(1, alerts=(note("drift", "firing"),)))
    words.add(labelled(first(1), alerts=(note("good", "resolved"),)))
    words.finish()
    assert [(each["rule"], each["state"]) for each in said[0]["alerts"]] == [("drift", "firing"), ("good", "resolved")]


def test_every_revision_is_whole_and_as_it_was_made(said):
    """Asked for, each comes at once."""
    revisions: list[dict] = []
    words = LastWords(said.append, revision=revisions.append)
    words.add(first(1, alerts=(note("drift", "firing"),)))
    words.add(labelled(first(1)))
    assert [document["revision"] for document in revisions] == [1, 2]
    assert [len(document["readings"]) for document in revisions] == [1, 2]
    assert [len(document["alerts"]) for document in revisions] == [1, 1]


def test_only_what_may_change_is_held(said):
    """However long a replay."""
    words = LastWords(said.append)
    for end in range(500):
        words.add(first(end))
        words.release({(open_end, "1") for open_end in range(end - 3, end + 1)})
    assert len(said) == 500 - 4
    assert len(words._held) == 4


def test_segments_come_after_the_whole_of_their_window(said):
    """Each is told of once; rows that were let go since are those of the report that counted them."""
    words = LastWords(said.append)
    for end in (1, 2):
        for segment in ("", "channel=shop", "channel=web"):
            words.add(replace(first(end), segment=segment))
    later = labelled(replace(first(1), segment="channel=web"))
    words.add(replace(later, window=replace(later.window, rows=4)))
    words.release({(2, "1")})
    assert [(each["segment"], each["revision"]) for each in said] == [("", 1), ("channel=shop", 1), ("channel=web", 2)]
    assert said[-1]["window"]["rows"] == 9
    words.finish()
    assert len(said) == 6
