"""The contract of the History: documents, filters and pages."""

from dataclasses import replace

import msgspec
import pytest

from driftwatch.errors import DataError, StateError
from driftwatch.evaluation.alerts import State
from driftwatch.evaluation.report import Window
from driftwatch.ports.answers import Query
from tests.store.doors import Doors
from tests.store.examples import HOUR, START, checkpoint, letter, reading, report, transition


@pytest.mark.parametrize(("revisions", "kept"), [((1, 2), 2), ((2, 1), 2), ((3, 1, 2), 3)])
def test_the_highest_revision_counts(doors: Doors, revisions: tuple[int, ...], kept: int) -> None:
    """Of the reports of one window and cell only the highest revision is shown, in whatever order they came."""
    for revision in revisions:
        doors.store.save(checkpoint(reports=(report(revision=revision, rows=revision),)))

    (item,) = doors.history.reports(Query()).items
    assert (item["revision"], item["window"]["rows"]) == (kept, kept)


def test_a_report_comes_back_as_its_document(doors: Doors) -> None:
    """History gives the JSON of contract §6, not-a-number as null."""
    stored = report(readings=(reading(), reading("age", "ks", float("nan"), lower=0.1)))
    doors.store.save(checkpoint(reports=(stored,)))

    assert doors.history.reports(Query()).items == [stored.document()]
    assert doors.history.reports(Query()).items[0]["readings"][1]["value"] is None


def test_a_report_that_follows_keeps_what_was_said_of_the_data(doors: Doors) -> None:
    """What the labels say is new; the drift readings of the revision before stay, also when it is saved again."""
    quality = [reading("", "roc_auc", value, family="performance") for value in (0.8, 0.7)]
    first = report(readings=(reading(), quality[0]))
    later = report(revision=2, readings=(quality[1],), follows=True)
    doors.store.save(checkpoint(reports=(first, later)))
    doors.store.save(checkpoint(reports=(later,)))

    (item,) = doors.history.reports(Query()).items
    assert item["revision"] == 2
    assert [(found["statistic"], found["value"]) for found in item["readings"]] == [
        ("psi", reading().value), ("roc_auc", 0.7)
    ]  # fmt: skip


def test_an_alert_shows_its_present_state(doors: Doors) -> None:
    """One document an episode, as its latest transition left it."""
    doors.store.save(checkpoint(transitions=(transition(State.PENDING, lower=float("nan")),)))
    (pending,) = doors.history.alerts(Query()).items
    doors.store.save(checkpoint(transitions=(transition(window=1), transition(State.RESOLVED, window=2))))
    (resolved,) = doors.history.alerts(Query()).items

    assert (pending["state"], pending["resolved"], pending["lower"]) == ("pending", None, None)
    assert resolved == {
        "id": pending["id"], "model": "fraud", "version": "7", "segment": "", "rule": "drift", "column": "amount",
        "statistic": "psi", "severity": "warning", "action": "notify", "state": "resolved", "reason": "cleared",
        "started": "2026-01-05T10:00:00Z", "resolved": "2026-01-05T13:00:00Z",
        "window": {"start": "2026-01-05T12:00:00Z", "end": "2026-01-05T13:00:00Z"},
        "value": 0.31, "lower": 0.27, "threshold": 0.1, "acknowledged": None,
    }  # fmt: skip


def test_alerts_by_state(doors: Doors) -> None:
    """The filter `state` looks at the present state."""
    steps = [transition(), transition(column="age"), transition(State.RESOLVED, window=1, column="age")]
    doors.store.save(checkpoint(transitions=steps))

    assert [item["column"] for item in doors.history.alerts(Query(state="firing")).items] == ["amount"]
    assert [item["column"] for item in doors.history.alerts(Query(state="resolved")).items] == ["age"]


@pytest.mark.parametrize(
    ("query", "windows"),
    [
        (Query(), [3, 2, 1, 0]),
        (Query(model="fraud"), [2, 0]),
        (Query(model="credit", version="8"), [3]),
        (Query(version=""), []),
        (Query(segment="web"), [2]),
        (Query(segment=""), [3, 1, 0]),
        (Query(since_ms=START + HOUR, until_ms=START + 3 * HOUR), [2, 1]),
        (Query(limit=1), [3]),
        (Query(limit=0), [3]),
    ],
)
def test_filters_of_reports(doors: Doors, query: Query, windows: list[int]) -> None:
    """Each filter narrows, the bounds are since ≤ start < until, newest first."""
    made = [report(0), report(1, model="credit"), report(2, segment="web"), report(3, model="credit", version="8")]
    doors.store.save(checkpoint(reports=made))

    items = doors.history.reports(query).items
    assert items == [made[window].document() for window in windows]


@pytest.mark.parametrize("listing", ["reports", "alerts", "deliveries"])
def test_pages_are_complete(doors: Doors, listing: str) -> None:
    """Going from cursor to cursor gives everything once, in order, though more is written meanwhile."""
    doors.store.save(
        checkpoint(
            reports=[report(n // 2, model=f"m{n % 2}") for n in range(7)],
            transitions=[transition(column=f"c{n}", started_ms=START + n // 2) for n in range(7)],
            letters=[letter(f"msg_{n}", created_ms=START + n // 2) for n in range(7)],
        )
    )
    read = getattr(doors.history, listing)
    everything = read(Query()).items
    collected, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = read(Query(limit=3, cursor=cursor))
        collected, cursor, pages = collected + page.items, page.next, pages + 1
        newer = START * 2 + pages
        doors.store.save(
            checkpoint(
                reports=[report(1000 + pages)],
                transitions=[transition(column=f"n{pages}", started_ms=newer)],
                letters=[letter(f"new_{pages}", created_ms=newer)],
            )
        )

    assert (collected, pages) == (everything, 3)
    assert len({msgspec.json.encode(item) for item in collected}) == 7


@pytest.mark.parametrize("cursor", ["x", "1", "1.", ".1", "1.2.3", "a.b", "9" * 99 + ".1", "1.1\n"])
def test_a_foreign_cursor_is_refused(doors: Doors, cursor: str) -> None:
    """A cursor that was not given out is an error of the caller, in one line."""
    with pytest.raises(DataError, match="was not given out by this service"):
        doors.history.reports(Query(cursor=cursor))


def test_deliveries_know_their_alert(doors: Doors) -> None:
    """Letters are found by the model of their alert, and tell how they fared."""
    step = transition()
    doors.store.save(
        checkpoint(transitions=(step,), letters=(letter("msg_1", alert_id=step.alert_id), letter("msg_2")))
    )
    doors.outbox.retry(letter("msg_1"), next_ms=START + HOUR, result="timeout")
    doors.outbox.bury(letter("msg_2"), now_ms=START + 2 * HOUR, result="gone")

    (mine,) = doors.history.deliveries(Query(model="fraud")).items
    (dead,) = doors.history.deliveries(Query(state="dead")).items
    assert mine == {
        "id": "msg_1", "target": "trainer", "alert": step.alert_id, "type": "driftwatch.retrain.requested",
        "state": "pending", "attempts": 1, "created": "2026-01-05T10:00:00Z", "next": "2026-01-05T11:00:00Z",
        "finished": None, "last_result": "timeout", "hold": "", "released": None, "expires": None, "repeats": 0,
        "incident": "", "alerts": [],
    }  # fmt: skip
    assert (dead["id"], dead["finished"], dead["next"]) == ("msg_2", "2026-01-05T12:00:00Z", None)


def test_a_damaged_report_is_a_state_error(doors: Doors) -> None:
    """A listing says so; it does not fail as a bug does."""
    doors.store.save(checkpoint(reports=(report(),)))
    with doors.store._link.writing() as connection:
        connection.execute("UPDATE reports SET document = x'00'")
    with pytest.raises(StateError, match="driftwatch state verify"):
        doors.history.reports(Query())


def test_windows_counted_in_rows_that_begin_together_are_told_apart(doors: Doors) -> None:
    """Several may begin in one millisecond; each keeps its own report and revisions."""
    windows = [Window(START, START + 1, 500, ordinal=ordinal) for ordinal in (4, 5)]
    doors.store.save(checkpoint(reports=tuple(replace(report(), window=window) for window in windows)))
    doors.store.save(checkpoint(reports=(replace(report(), window=windows[1], revision=2),)))

    assert [item["revision"] for item in doors.history.reports(Query()).items] == [2, 1]
