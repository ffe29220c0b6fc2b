"""What only files do: grow, appear, end in the middle of a line, shrink, vanish."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from driftwatch.sources.files import FilesSource, FilesSpec
from driftwatch.stream.raw import Stream
from tests.fakes import FakeInlet


@pytest.fixture
def start(tmp_path) -> Iterator:
    """Start sources on the folder's `p*.jsonl`; whatever was started is stopped at the end."""
    started: list[FilesSource] = []

    def start(inlet: FakeInlet, positions: dict[str, int] | None = None, **options: Any) -> FilesSource:
        spec = FilesSpec(**({"type": "files", "predictions": [f"{tmp_path}/p*.jsonl"], "poll": "10ms"} | options))
        started.append(FilesSource(spec, clock=lambda: 1))
        started[-1].start(inlet, positions or {})
        return started[-1]

    yield start
    for source in started:
        source.stop()


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_a_new_file_is_found_and_announced(tmp_path, start):
    """A file that appears later is announced before its first line."""
    inlet = FakeInlet()
    source = start(inlet)
    inlet.wait(lambda: "no file matches" in source.status().error)
    append(tmp_path / "p1.jsonl", b"1\n")
    inlet.wait_records(1)
    append(tmp_path / "p2.jsonl", b"2\n")
    inlet.wait_records(2)
    assert inlet.announced == [f"files/predictions/{tmp_path}/p1.jsonl", f"files/predictions/{tmp_path}/p2.jsonl"]
    assert inlet.early == []
    assert source.status().ready


def test_blank_lines_only_move_the_position(tmp_path, start):
    """Blank lines are no events; line ends of Windows are no part of an event."""
    append(tmp_path / "p.jsonl", b"\n1\r\n\n  \n2\n\n")
    inlet = FakeInlet()
    source = start(inlet)
    inlet.wait(source.finished, "the end of the file")
    assert inlet.records() == [b"1", b"2"]
    assert inlet.raws[-1].position == 11


def test_a_line_is_not_taken_while_it_is_written(tmp_path, start):
    """The part of a line that is there waits for the rest."""
    path, inlet = tmp_path / "p.jsonl", FakeInlet()
    append(path, b"1\n{")
    source = start(inlet, quiet="1h")
    inlet.wait_records(1)
    assert not source.finished()
    append(path, b"}\n")
    inlet.wait_records(2)
    assert inlet.records() == [b"1", b"{}"]
    assert source.finished()


def test_a_last_line_without_newline_is_taken_when_quiet(tmp_path, start):
    """A file that rests is complete, with or without a newline at its end."""
    path, inlet = tmp_path / "p.jsonl", FakeInlet()
    append(path, b"1\n2")
    source = start(inlet, quiet="50ms")
    inlet.wait(source.finished, "the end of the file")
    assert inlet.records() == [b"1", b"2"]


def test_without_follow_files_are_read_once(tmp_path, start):
    """Without `follow` every file is read to its very end, and what comes later is not read."""
    path, inlet = tmp_path / "p.jsonl", FakeInlet()
    append(path, b"1\n2")
    source = start(inlet, follow=False, quiet="1h")
    inlet.wait(source.finished, "the end of the file")
    source._thread.join(10)
    assert not source._thread.is_alive()
    append(path, b"\n3\n")
    assert inlet.records() == [b"1", b"2"]
    assert not source.finished()


def test_a_truncated_file_is_read_from_its_beginning(tmp_path, start):
    """A file shorter than its position is another file: it is read anew, and the log says so."""
    path, inlet = tmp_path / "p.jsonl", FakeInlet()
    append(path, b"old 1\nold 2\n")
    start(inlet)
    inlet.wait_records(2)
    with capture_logs() as logs:
        path.write_bytes(b"new\n")
        inlet.wait_records(3)
    assert inlet.records() == [b"old 1", b"old 2", b"new"]
    assert inlet.raws[-1].position == 4
    assert [(log["event"], log["position"]) for log in logs] == [("file_truncated", 12)]


def test_a_saved_position_beyond_the_end(tmp_path, start):
    """The same when it was replaced while nobody read."""
    append(tmp_path / "p.jsonl", b"new\n")
    inlet = FakeInlet()
    start(inlet, {f"files/predictions/{tmp_path}/p.jsonl": 99})
    inlet.wait_records(1)
    assert inlet.records() == [b"new"]


def test_a_vanished_file_harms_nobody(tmp_path, start):
    """A file that is deleted stays done; the others are read on."""
    gone, kept, inlet = tmp_path / "p1.jsonl", tmp_path / "p2.jsonl", FakeInlet()
    append(gone, b"1\n")
    append(kept, b"2\n")
    source = start(inlet)
    inlet.wait_records(2)
    gone.unlink()
    append(kept, b"3\n")
    inlet.wait_records(3)
    assert source.status().ready
    assert source.finished()


def test_an_unreadable_file_is_named(tmp_path, start, monkeypatch):
    """A file that cannot be opened makes the source not ready and holds up no other."""
    append(tmp_path / "p1.jsonl", b"1\n")
    append(tmp_path / "p2.jsonl", b"2\n")
    opened = Path.open
    locked = [True]

    def refuse(path, *args, **kwargs):
        if locked[0] and path.name == "p1.jsonl":
            raise PermissionError(13, os.strerror(13), str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    inlet = FakeInlet()
    source = start(inlet)
    inlet.wait_records(1)
    inlet.wait(lambda: "p1.jsonl" in source.status().error, "the error")
    assert not source.status().ready
    locked[0] = False
    inlet.wait_records(2)
    inlet.wait(lambda: source.status().ready, "the source to be ready")
    assert inlet.records() == [b"2", b"1"]


def test_a_huge_line_comes_in_pieces(tmp_path, start):
    """A line beyond the bound is cut, so that memory stays bounded; the next line is whole again."""
    append(tmp_path / "p.jsonl", b"x" * ((16 << 20) + 5) + b"\n1\n")
    inlet = FakeInlet()
    start(inlet)
    inlet.wait_records(3)
    assert [len(record) for record in inlet.records()] == [16 << 20, 5, 1]


def test_files_are_read_in_turn(tmp_path, start):
    """No file is read to its end while another waits: each gives a portion in turn."""
    line = b"x" * 999 + b"\n"
    append(tmp_path / "p1.jsonl", line * 9_000)
    append(tmp_path / "p2.jsonl", line * 9_000)
    inlet = FakeInlet()
    start(inlet)
    inlet.wait_records(18_000)
    assert [raw.partition[-7] for raw in inlet.raws] == ["1", "2"] * (len(inlet.raws) // 2)


def test_streams_have_their_own_globs(tmp_path, start):
    """Labels and predictions are told apart by the glob that found them; "**" finds files at any depth."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    append(tmp_path / "p.jsonl", b"1\n")
    append(folder / "l.jsonl", b"2\n")
    inlet = FakeInlet()
    start(inlet, labels=[f"{tmp_path}/**/l.jsonl"])
    inlet.wait_records(2)
    assert {(raw.stream, raw.records) for raw in inlet.raws} == {
        (Stream.PREDICTIONS, (b"1",)),
        (Stream.LABELS, (b"2",)),
    }


def test_a_source_of_nothing_is_refused():
    """A files source without any glob is a mistake."""
    with pytest.raises(ValidationError, match="name at least one file or glob"):
        FilesSpec(type="files")
