"""A letter that is sent again on purpose tells of what still fires, whatever has ended since it was written."""

from pathlib import Path

from driftwatch.evaluation.alerts import State
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.outbox import SqliteOutbox
from tests.store.examples import START, checkpoint, letter, transition


def test_alerts_of_a_repetition(tmp_path: Path) -> None:
    """The first attempt has all of them; what is kept stays as it was written."""
    steps = [transition(column=column) for column in ("zip", "age", "amount")]
    zipped, age, amount = (step.alert_id for step in steps)
    told = (zipped, age, amount)
    letters = (letter("first", alerts=told, lane="a"), letter("again", alerts=told, lane="b", repeats=1))
    store = SqliteStore(database := Database(tmp_path))
    outbox = SqliteOutbox(database)
    store.save(checkpoint(transitions=steps, letters=letters))
    seen = []
    for ended in ((), ("age",), ("zip", "amount")):
        ends = [transition(State.RESOLVED, window=1, column=column) for column in ended]
        store.save(checkpoint(transitions=ends))
        seen.append({each.id: each.alerts for each in outbox.due("trainer", START, limit=9)})
    store.close()

    assert [each["first"] for each in seen] == [told, told, told]
    assert [each["again"] for each in seen] == [told, (zipped, amount), ()]
