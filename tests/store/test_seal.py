"""Checksums, the seal and the mark: no change goes unseen, and what was lost is told from what never was."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.errors import StateError
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import FILE, Database
from driftwatch.store.seal import MARK, Mark, Seal, read_mark, row_crc
from tests.store.examples import checkpoint

VALUES = st.lists(
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=9) | st.binary(max_size=30), max_size=5
)
ROWS = st.tuples(st.sampled_from(["panes", "positions"]), st.sampled_from("ab"), st.sampled_from("xyz"))
CHANGES = st.lists(st.lists(st.tuples(ROWS, st.none() | st.integers(0, 2**32 - 1)), max_size=4), max_size=6)


@given(VALUES, st.binary(min_size=1, max_size=40), st.data())
def test_a_flipped_byte_changes_the_checksum(values, body, data):
    """CRC-32 sees every burst of at most 32 bits."""
    place, flip = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(1, 255))
    spoilt = bytes(byte ^ flip if at == place else byte for at, byte in enumerate(body))
    assert row_crc(*values, body) != row_crc(*values, spoilt)


@pytest.mark.parametrize(
    ("one", "other"), [(("ab", "c"), ("a", "bc")), (("7",), (7,)), ((b"7",), ("7",)), ((None,), ()), (("",), ())]
)
def test_values_are_told_apart_by_place_and_type(one, other):
    """A number that became text is damage, too."""
    assert row_crc(*one) != row_crc(*other)


@given(CHANGES)
def test_the_running_seal_is_that_of_the_rows_there_are(steps):
    """However they came about, and in whatever order."""
    running, rows = Seal(), {}
    for changes in steps:
        running.update(changes)
        rows |= dict(changes)
    held = {row: value for row, value in rows.items() if value is not None}
    assert running.digest == Seal(held).digest == Seal(dict(reversed(held.items()))).digest


@given(st.dictionaries(ROWS, st.integers(0, 2**32 - 1), min_size=1), st.data())
def test_the_seal_sees_a_row_that_is_gone_or_of_another_moment(rows, data):
    """Each of them."""
    row = data.draw(st.sampled_from(sorted(rows)))
    without = {other: value for other, value in rows.items() if other != row}
    assert Seal(without).digest != Seal(rows).digest
    assert Seal(rows | {row: rows[row] ^ 1}).digest != Seal(rows).digest


def test_a_failed_save_leaves_the_seal_as_it_was(tmp_path: Path) -> None:
    """The next save goes on from what is stored, not from what was meant to be."""
    store = SqliteStore(Database(tmp_path))
    store.save(checkpoint(positions={"p": 1}))
    with store._link.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StateError, match="full"):
        store.save(checkpoint(positions={"q": 5}, panes={"m": {"k": bytes(500_000)}}))
    store.save(checkpoint(positions={"p": 2}))
    assert store.load().positions == {"p": 2}
    store.close()


def test_the_mark_is_never_ahead_of_what_is_committed(tmp_path: Path) -> None:
    """It follows each transaction, and survives a restart."""
    database = Database(tmp_path)
    store = SqliteStore(database)
    for _ in range(3):
        store.save(checkpoint())
        with store._link.reading() as connection:
            assert read_mark(tmp_path) == connection.execute("SELECT commits FROM ledger").fetchone()[0]
    store.close()
    marked = read_mark(tmp_path)
    Database(tmp_path).close()
    assert read_mark(tmp_path) == marked == 4


@pytest.mark.parametrize("content", [b"", b"x", b"DRIFTWMK" + bytes(12), bytes(20), bytes(99)])
def test_a_mark_that_cannot_be_trusted_is_no_mark(tmp_path: Path, content: bytes) -> None:
    """It is not written durably, so a loss of power may leave anything; the state itself is whole."""
    store = SqliteStore(Database(tmp_path))
    store.save(checkpoint(positions={"p": 1}))
    store.close()
    (tmp_path / MARK).write_bytes(content)
    assert read_mark(tmp_path) is None
    store = SqliteStore(Database(tmp_path))
    assert store.load().positions == {"p": 1}
    store.save(checkpoint(positions={"p": 2}))
    store.close()
    assert read_mark(tmp_path) == 3


def test_a_file_that_was_put_back_without_its_log_is_refused(tmp_path: Path) -> None:
    """An old copy of the file beside a newer mark: what has been counted since then is missing."""
    store = SqliteStore(Database(tmp_path))
    store.save(checkpoint(positions={"p": 1}))
    store.close()
    old = (tmp_path / FILE).read_bytes()
    store = SqliteStore(Database(tmp_path))
    store.save(checkpoint(positions={"p": 2}))
    store.close()
    (tmp_path / FILE).write_bytes(old)
    with pytest.raises(StateError, match=rf"the last 1 committed transactions are gone.* delete {MARK}"):
        Database(tmp_path)


def test_a_mark_grows_only(tmp_path: Path) -> None:
    """Two roles commit at once; the later number stays."""
    mark = Mark(tmp_path)
    for number in (3, 5, 4):
        mark.raise_to(number)
    mark.close()
    mark.raise_to(9)
    assert read_mark(tmp_path) == 5
