"""What `driftwatch state` makes of the detectors of slow change."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from driftwatch.daemon.snapshot import SLOW, encode
from driftwatch.daemon.state import state_hash, verify
from driftwatch.errors import StateError
from driftwatch.ports.storage import Checkpoint
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.summaries.codec import pack, unpack
from tests.monitors import MODEL, TUMBLING, Row, alarming, play

ROWS = [Row("a", time, "1", time % 8, time % 2) for time in range(60)]


def directory(folder: Path, *, cut: int = 0, instead: Mapping[str, bytes] | None = None) -> Path:
    """A state directory of a monitor; cut: where its rows are cut into batches. instead: of chunks that it wrote."""
    monitor = alarming(TUMBLING)
    said = play(monitor, ROWS, cut={cut})
    snapshot = encode(monitor)
    checkpoint = Checkpoint(
        taken_ms=1, positions={}, monitors={MODEL: snapshot.core}, engine=b"",
        panes={MODEL: {**snapshot.panes, **(instead or {})}}, reports=said.reports, transitions=said.transitions,
    )  # fmt: skip
    with closing(Database(folder)) as database, closing(SqliteStore(database)) as store:
        store.save(checkpoint)
    return folder


def chunk() -> tuple[str, bytes]:
    """The name of a detector, and what is stored of it."""
    monitor = alarming(TUMBLING)
    play(monitor, ROWS)
    return next((name, data) for name, data in encode(monitor).panes.items() if name.startswith(SLOW) and data)


def test_detectors_are_in_the_hash(tmp_path: Path) -> None:
    """However the rows were cut into batches they are the same; one that stands otherwise makes another state."""
    name, data = chunk()
    head, arrays = unpack(data)
    moved = pack(head, arrays | {"recent": arrays["recent"] + 1e-9})
    whole = state_hash(directory(tmp_path / "whole"))
    assert state_hash(directory(tmp_path / "cut", cut=17)) == whole
    assert state_hash(directory(tmp_path / "moved", instead={name: moved})) != whole


def test_a_directory_with_detectors_is_good(tmp_path: Path) -> None:
    """They are chunks among the others."""
    assert ": good: 1 models, " in verify(directory(tmp_path / "good"))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        (None, pack({"kind": "profile"}, {}), "holds a profile, not a detector of slow change"),
        (None, b"DRIFTW", "of model fraud: cut off"),
        (f"{SLOW}1", None, "a detector of slow change is called '1'"),
    ],
)
def test_verify_tells_what_is_no_detector(tmp_path: Path, name: str | None, data: bytes | None, words: str) -> None:
    """With its name and its model."""
    good_name, good = chunk()
    instead = {name or good_name: data or good}
    with pytest.raises(StateError, match=f"pane slow/.*{words}"):
        verify(directory(tmp_path / "bad", instead=instead))
