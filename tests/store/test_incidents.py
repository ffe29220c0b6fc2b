"""Incidents in the state directory: with the checkpoint that moved them, and found damaged when they are."""

import sqlite3
from contextlib import closing

import pytest

from driftwatch.errors import StateError
from driftwatch.evaluation.incidents import Incident, Phase, Turn, deployed
from driftwatch.ports.answers import Query
from driftwatch.store.database import FILE
from tests.store.examples import HOUR, START, checkpoint

OPEN = Incident("i1", "fraud", "1", START, START + HOUR, alert_id="a1", rules=("drift",), firing=(("1", "a1"),))
OVER = Incident("i0", "fraud", "1", START - HOUR, START, state=Phase.RECOVERED, turn=Turn.CALM, ended_ms=START + 1)


def test_open_ones_are_given_back_as_they_were_saved_last(doors):
    """Those that are over are listed alone."""
    moved = deployed(OPEN, "2", at_ms=START + 2 * HOUR)
    doors.store.save(checkpoint(incidents=(OVER, OPEN)))
    doors.store.save(checkpoint(incidents=(moved,)))
    assert doors.store.load().incidents == (moved,)
    listed = doors.history.incidents(Query()).items
    assert [(each["id"], each["state"]) for each in listed] == [("i1", "deployed"), ("i0", "recovered")]
    only = doors.history.incidents(Query(state="recovered", segment="web")).items
    assert [each["id"] for each in only] == ["i0"]


def test_a_changed_row_is_refused(doors):
    """As any other that a decision rests on."""
    doors.store.save(checkpoint(incidents=(OPEN,)))
    with closing(sqlite3.connect(doors.path / FILE)) as connection, connection:
        connection.execute("UPDATE incidents SET state = 'deployed'")
    with pytest.raises(StateError, match="incident i1 does not fit its checksum"):
        doors.store.load()


def test_only_those_that_are_over_are_pruned(doors):
    """However old."""
    doors.store.save(checkpoint(incidents=(OVER, OPEN)))
    doors.store.prune(before_ms=START + 1_000 * HOUR)
    assert [each["id"] for each in doors.history.incidents(Query()).items] == ["i1"]
