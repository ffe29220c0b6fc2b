"""A model that learns its reference from its own stream: what it learns from, and what it is worth after a crash."""

import json
from collections import Counter

import numpy as np

from driftwatch.daemon.queue import Command
from driftwatch.quality.standing import FOUND
from driftwatch.stream.raw import Raw, Stream
from tests.daemon.lessons import LEARNT, LINES, WINDOW, alerts, whole
from tests.daemon.school import PREDICTIONS
from tests.scenarios import events, world
from tests.scenarios.probe import NOW_MS


def test_it_learns_and_then_watches(school):
    """Two hours are learnt from, and are no windows; drift that comes later is found."""
    with school() as one:
        one.go(LINES[:LEARNT])
        one.order(Command.SAVE)
        assert not one.metrics().values("window_rows")
        assert one.learners.status["fraud"]["state"] == "learning"
        one.go(LINES)
        reports, results, _ = whole(one)
        assert one.watch("fraud").reference.rows == LEARNT
    assert not one.learners.by_model
    assert results == {"accepted": len(LINES), "late": 0, "duplicate": 0, "rejected": 0}
    assert reports[0]["window"]["start"] == "2026-01-05T02:00:00Z"
    assert sum(each["window"]["rows"] for each in reports) == len(LINES) - LEARNT
    fired = alerts(reports)
    assert {column for _, column in fired} >= {"amount", "country"}
    assert min(start for start, _ in fired) >= "2026-01-05T04:00"


def test_too_few_rows_are_waited_for(school):
    """A period in which next to nothing came goes on until there is enough, to the end of that window."""
    thin = [LINES[0], *LINES[2 * 300 :]]
    with school('{ first = "2h", min_rows = 500 }') as one:
        one.go(thin)
        one.taught()
        assert one.watch("fraud").reference.rows == 601
        one.order(Command.FINISH)
        assert one.reports()[0]["window"]["start"] == "2026-01-05T04:00:00Z"


def test_an_empty_period_is_no_reference(school):
    """Three rows, and time passes: learning goes on."""
    rng = np.random.default_rng(2)
    later = [events.event(rng, events.START + hour * events.HOUR, version="1") for hour in (0, 1, 40)]
    with school('{ first = "2h", min_rows = 3 }') as one:
        one.go(later)
        one.taught()
        one.order(Command.SAVE)
        assert one.learners.status["fraud"]["rows"] == 3
        assert one.learners.status["fraud"]["state"] == "learning"


def test_strays_do_not_begin_the_period(school):
    """An event dated years ago does not make one row the whole of what is learnt."""
    stray = events.event(np.random.default_rng(2), events.START - 1000 * 24 * events.HOUR, version="1")
    with school('{ first = "2h", min_rows = 100 }') as one:
        one.feed([stray], position=0)
        one.go(LINES)
        one.taught()
        assert one.watch("fraud").reference.rows == LEARNT + 1


def test_a_full_disk_share_ends_learning(school):
    """The first part is kept and learnt from, and status and log say so."""
    with school('{ first = "2h", max_bytes = 50000 }') as one:
        one.go(LINES[:400])
        one.learners.show()
        status = one.learners.status["fraud"]
        assert (status["full"], status["state"]) == (True, "building")
        one.taught()
        rows = one.watch("fraud").reference.rows
        sizes = np.cumsum([len(line) for line in LINES])
        assert rows == int(np.searchsorted(sizes, 50_000)) + 1
        one.go(LINES)
        one.order(Command.FINISH)
        assert sum(each["window"]["rows"] for each in one.reports()) == len(LINES) - rows


def labelled(line, *, label):
    """The label event of a prediction."""
    document = json.loads(line)
    return json.dumps({"model": "fraud", "id": document["id"], "time": document["time"] + 1, "label": label}).encode()


def test_labels_are_learnt_too(school):
    """What came of the period's predictions is in the reference, and waits for nothing; later labels are joined."""
    labels = [labelled(line, label=["no", "yes"][row % 2]) for row, line in enumerate(LINES)]
    more = '\nclasses = ["no", "yes"]'
    with school(window=WINDOW + more) as one:
        one.feed(labels[: LEARNT + 50], stream=Stream.LABELS)
        one.go(LINES[: LEARNT + 100])
        one.feed(labels[LEARNT + 50 : LEARNT + 100], position=2, stream=Stream.LABELS)
        one.taught()
        outcomes = one.watch("fraud").reference.outcomes
        standing = one.engine.monitors["fraud"].quality.standing
    assert (outcomes.rows, outcomes.classes, outcomes.refused) == (LEARNT, ("no", "yes"), 0)
    assert standing.results["matched"] + standing.results[FOUND] == 100
    assert standing.waiting_labels == 0


def test_bad_events_are_refused_as_always(school):
    """They are counted and listed by reason, and nothing of them is learnt; events of golden sets stay out."""
    golden = [json.dumps(json.loads(line) | {"control": "g"}).encode() for line in LINES[:7]]
    with school("{ first_rows = 600 }") as one:
        one.feed([*(body for body, _ in events.MALFORMED), *golden], position=0)
        assert one.metrics().reasons() == {reason: 1 for _, reason in events.MALFORMED}
        assert [each.reason for each in one.engine.dead_letters.events] == [reason for _, reason in events.MALFORMED]
        assert one.metrics().results()["accepted"] == 7
        assert one.engine.unknown_keys == 0
        one.go(LINES)
        one.taught()
        assert one.watch("fraud").reference.rows == 600


def test_events_of_every_form(school):
    """Columnar batches, arrays and events without a time of their own are learnt row by row."""
    documents = [json.loads(line) for line in LINES[:900]]
    for document in documents[:300]:
        del document["time"]
    batch = {
        "model": "fraud",
        "version": "1",
        "columns": {name: [each[name] for each in documents[600:]] for name in ("id", "time", "score")},
    }
    batch["columns"] |= {
        f"features.{name}": [each["features"][name] for each in documents[600:]] for name in documents[0]["features"]
    }
    bad = [{**documents[0], "id": None}]
    with school("{ first_rows = 800 }") as one:
        one.engine.step(
            Raw(
                Stream.PREDICTIONS,
                "test",
                PREDICTIONS,
                tuple(json.dumps(each).encode() for each in documents[:300]),
                NOW_MS,
                0,
                (events.START,) * 300,
            )
        )
        one.feed([json.dumps([*documents[300:600], *bad], indent=1).encode()], position=0)
        one.feed([json.dumps(batch).encode()], position=0)
        one.taught()
        reference = one.watch("fraud").reference
        one.order(Command.FINISH)
        reports = one.reports()
    assert (reference.rows, reference.first_ms) == (800, events.START)
    assert set(reference.layout.names) == {"amount", "age", "delay", "country", "channel", "score"}
    assert sum(each["window"]["rows"] for each in reports) == 100
    profile = reference.profile.numeric.counts[reference.layout.names.index("age")]
    assert profile[:-2].sum() == 800


def test_two_models_of_which_one_learns(school, reference):
    """The other is watched from the first event on, and its counts are its own."""
    more = world.MODEL.format(reference=reference).replace('"fraud"', '"other"', 1)
    both = [
        line
        for pair in zip(LINES, (line.replace(b'"fraud"', b'"other"') for line in LINES), strict=True)
        for line in pair
    ]
    with school(more=more) as one:
        one.go(both[:600])
        assert one.board.picture.reports
        assert one.engine.monitors.keys() == {"other"}
        one.go(both)
        one.taught()
        one.order(Command.FINISH)
        assert one.engine.monitors.keys() == {"fraud", "other"}
        rows = Counter(each["model"] for each in one.reports() for _ in range(each["window"]["rows"]))
        assert one.metrics().total("events_total", model="other", result="accepted") == len(LINES)
    assert rows["fraud"] == len(LINES) - LEARNT


def test_a_reference_that_does_not_fit_is_told_and_learnt_again(school):
    """The model says why it is not watched; with a mended configuration it goes on where it was."""
    with school(more='[models.columns]\nnobody = { kind = "numeric" }\n', rules="") as one:
        one.go(LINES[:1000])
        one.taught()
        one.order(Command.SAVE)
        status = one.learners.status["fraud"]
        assert status["state"] == "failed"
        assert 'no column "nobody"' in status["error"]
        one.go(LINES[:1100])
        one.stop()
    with school() as one:
        assert one.position == 1100
        one.go(LINES)
        reports, *_ = whole(one)
    assert sum(each["window"]["rows"] for each in reports) == len(LINES) - LEARNT


def test_counted_windows_learn_by_time(school):
    """A period in event time goes with windows of rows."""
    with school('{ first = "2h" }', window="window = { rows = 250 }") as one:
        one.go(LINES)
        reports, *_ = whole(one)
        assert one.watch("fraud").reference.rows == LEARNT
    assert [each["window"]["rows"] for each in reports] == [250] * 6


def test_whoever_learnt_and_is_given_a_file_is_watched_by_it(school, tmp_path, reference):
    """The configuration decides."""
    with school() as one:
        one.go(LINES[:300])
        one.stop()
    with school(f'"{reference}"') as one:
        assert one.engine.monitors.keys() == {"fraud"}
        assert not list((tmp_path / "state" / "learning").iterdir())
