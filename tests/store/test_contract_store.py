"""The contract of the Store: what is loaded is what was saved, and a replay changes nothing."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftwatch.evaluation.alerts import State
from driftwatch.ports.answers import Query
from driftwatch.ports.storage import Saved
from tests.store.doors import Doors
from tests.store.examples import HOUR, START, checkpoint, letter, report, transition


def test_first_start_is_empty(doors: Doors) -> None:
    """A new directory holds nothing."""
    assert doors.store.load() == Saved(positions={}, monitors={}, panes={}, engine=b"")


def test_load_gives_what_was_saved(doors: Doors) -> None:
    """After a restart the last checkpoint is there."""
    panes = {"fraud": {"p1": b"\x00one", "p2": b""}, "credit": {"p1": b"other"}}
    doors.store.save(checkpoint(positions={"http/0": 7}, monitors={"fraud": b"m"}, panes=panes, engine=b"e"))
    doors.reopen()

    assert doors.store.load() == Saved(positions={"http/0": 7}, monitors={"fraud": b"m"}, panes=panes, engine=b"e")


def test_a_checkpoint_names_only_what_changed(doors: Doors) -> None:
    """What a later checkpoint does not mention stays, what it gives as None goes."""
    first = {"fraud": {"old": b"1", "kept": b"2", "changed": b"3"}}
    doors.store.save(checkpoint(positions={"a": 1, "b": 1}, monitors={"fraud": b"1", "credit": b"1"}, panes=first))
    doors.store.save(
        checkpoint(positions={"a": 2}, monitors={"fraud": b"2"}, panes={"fraud": {"old": None, "changed": b"4"}})
    )

    loaded = doors.store.load()
    assert loaded.panes == {"fraud": {"kept": b"2", "changed": b"4"}}
    assert (loaded.positions, loaded.monitors) == ({"a": 2, "b": 1}, {"fraud": b"2", "credit": b"1"})


PANES = st.dictionaries(st.sampled_from("abc"), st.none() | st.binary(max_size=5), max_size=3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(["m", "n"]), PANES), max_size=6), restarts=st.sets(st.integers(0, 5)))
def test_saving_is_a_running_update(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, dict[str, bytes | None]]], restarts: set[int]
) -> None:
    """Whatever the checkpoints and restarts, what is loaded is the dictionary that they describe."""
    doors = Doors(tmp_path_factory.mktemp("state"))
    expected: dict[str, dict[str, bytes]] = {}
    try:
        for number, (model, changes) in enumerate(steps):
            doors.store.save(checkpoint(panes={model: changes}, positions={"p": number}))
            panes = expected.get(model, {}) | {key: state for key, state in changes.items() if state is not None}
            expected[model] = {key: state for key, state in panes.items() if changes.get(key, b"") is not None}
            if number in restarts:
                doors.reopen()

        assert doors.store.load().panes == {model: panes for model, panes in expected.items() if panes}
        assert doors.store.load().positions == ({"p": len(steps) - 1} if steps else {})
    finally:
        doors.store.close()


def test_a_replayed_checkpoint_changes_nothing(doors: Doors) -> None:
    """The same transitions, letters and reports a second time are ignored, even after the letter was delivered."""
    steps = (transition(State.PENDING), transition(State.FIRING, window=1), transition(State.RESOLVED, window=2))
    same = checkpoint(reports=(report(),), transitions=steps, letters=(letter(),))
    doors.store.save(same)
    doors.outbox.delivered(letter(), now_ms=START, result="delivered")
    before = [doors.history.alerts(Query()), doors.history.reports(Query()), doors.history.deliveries(Query())]
    doors.store.save(same)
    doors.store.save(checkpoint(transitions=steps[:1]))

    after = [doors.history.alerts(Query()), doors.history.reports(Query()), doors.history.deliveries(Query())]
    assert before == after
    assert doors.outbox.due("trainer", START + HOUR, limit=9) == []


def test_prune_forgets_only_what_is_over(doors: Doors) -> None:
    """Old reports, ended alerts and finished letters go; what still runs stays, whatever its age."""
    doors.store.save(
        checkpoint(
            taken_ms=START,
            reports=(report(0),),
            transitions=(transition(), transition(column="age"), transition(State.RESOLVED, window=1, column="age")),
            letters=(letter("sent"), letter("waiting")),
        )
    )
    doors.outbox.delivered(letter("sent"), now_ms=START, result="delivered")
    doors.store.save(checkpoint(taken_ms=START + HOUR, reports=(report(1),)))
    removed = doors.store.prune(before_ms=START + HOUR)

    assert removed == 1 + 2 + 1 + 1
    assert [item["window"]["start"] for item in doors.history.reports(Query()).items] == ["2026-01-05T11:00:00Z"]
    assert [item["column"] for item in doors.history.alerts(Query()).items] == ["amount"]
    assert [item["id"] for item in doors.history.deliveries(Query()).items] == ["waiting"]
    assert doors.store.prune(before_ms=START + HOUR) == 0
