"""A new state directory is there after a loss of power: every name that leads to it is synced."""

import errno
import os
from pathlib import Path

import pytest

from driftwatch.errors import StateError
from driftwatch.store.database import Database


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The directories that are synced, in order; SQLite syncs by itself."""
    found: list[Path] = []

    def note(descriptor: int) -> None:
        sync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        assert path.is_dir()
        found.append(path)

    sync = os.fsync
    monkeypatch.setattr("driftwatch.store.database.os.fsync", note)
    return found


def test_a_new_directory_survives_a_loss_of_power(tmp_path: Path, synced: list[Path]) -> None:
    """Every name that leads to it on its disk is synced, from below; where there is a database, none."""
    Database(tmp_path / "deep" / "er" / "state").close()
    assert synced[:3] == [tmp_path / "deep" / "er", tmp_path / "deep", tmp_path]
    assert all(path.stat().st_dev == tmp_path.stat().st_dev for path in synced)
    synced.clear()
    Database(tmp_path / "deep" / "er" / "state").close()
    assert synced == []


def test_a_directory_that_was_made_and_not_synced_is_synced_later(tmp_path: Path, synced: list[Path]) -> None:
    """Whoever was killed in between left an empty directory."""
    (tmp_path / "deep" / "state").mkdir(parents=True)
    Database(tmp_path / "deep" / "state").close()
    assert synced[:2] == [tmp_path / "deep", tmp_path]


def test_a_disk_that_cannot_sync_a_directory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, nothing begun, and the next start does all of it."""

    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr("driftwatch.store.database.os.fsync", fail)
        with pytest.raises(StateError, match=r"state: the state directory cannot be used: Input/output error$"):
            Database(tmp_path / "state")
    assert list((tmp_path / "state").iterdir()) == []
    Database(tmp_path / "state").close()
