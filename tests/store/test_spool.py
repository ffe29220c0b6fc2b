"""The file of events that a model learns from: what a crash leaves behind is cut off, and nothing is guessed."""

import errno
import os
from pathlib import Path

import pytest

from driftwatch.errors import StateError
from driftwatch.store.spool import BUFFER_BYTES, Entry, Spool, entries_at, placed_entries, read_entries
from driftwatch.stream.raw import Stream


def entry(number: int) -> Entry:
    """An entry of two events."""
    return Entry(Stream.PREDICTIONS, "test", "test/0", number, [number, number + 1], [b"{}", b"x" * number])


def filled(path: Path, count: int) -> Spool:
    """A spool of so many entries, in the file."""
    spool = Spool(path)
    for number in range(count):
        spool.append(entry(number))
    spool.sync()
    return spool


def test_what_is_appended_is_read_in_order(tmp_path: Path) -> None:
    """Whole, between two places, and at single places."""
    spool = filled(tmp_path / "deep" / "a.events", 5)
    placed = list(placed_entries(spool.path, 0, spool.length))
    assert [each for _, each in placed] == [entry(number) for number in range(5)]
    starts = [start for start, _ in placed]
    assert list(read_entries(spool.path, starts[2], starts[4])) == [entry(2), entry(3)]
    assert list(entries_at(spool.path, [starts[3], starts[0]])) == [entry(3), entry(0)]
    spool.close()


def test_what_the_checkpoint_does_not_know_is_cut_off(tmp_path: Path) -> None:
    """The events come again, and make the same file."""
    spool = filled(tmp_path / "a.events", 3)
    length, whole = spool.length, spool.path.read_bytes()
    spool.append(entry(9))
    spool.flush()
    spool.close()
    again = Spool(spool.path, length)
    assert (again.length, again.path.read_bytes()) == (length, whole)
    again.close()
    Spool(spool.path).close()
    assert spool.path.read_bytes() == b""


def test_a_file_that_is_too_short_is_refused(tmp_path: Path) -> None:
    """Without the events nothing can be learnt as the checkpoint has it."""
    filled(tmp_path / "a.events", 1).close()
    with pytest.raises(StateError, match=r"a\.events: holds \d+ bytes of 100000"):
        Spool(tmp_path / "a.events", 100_000)
    with pytest.raises(StateError, match="cannot be kept: No such file"):
        Spool(tmp_path / "b.events", 1)


@pytest.mark.parametrize("place", [0, 5, 20])
def test_a_changed_byte_is_found(tmp_path: Path, place: int) -> None:
    """The line names the file and the entry."""
    spool = filled(tmp_path / "a.events", 2)
    data = bytearray(spool.path.read_bytes())
    data[place] ^= 1
    spool.path.write_bytes(data)
    with pytest.raises(StateError, match=r"a\.events: the entry at byte 0 does not fit its checksum"):
        list(read_entries(spool.path, 0, spool.length))
    spool.close()


def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written waits in memory, and is written once there is room."""
    spool = filled(tmp_path / "a.events", 1)
    spool.append(entry(BUFFER_BYTES))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("driftwatch.store.spool.os.fsync", full)
        with pytest.raises(StateError, match="No space left on device; make room"):
            spool.sync()
    spool.sync()
    assert list(read_entries(spool.path, 0, spool.length)) == [entry(0), entry(BUFFER_BYTES)]
    spool.close(remove=True)
    assert not spool.path.exists()
