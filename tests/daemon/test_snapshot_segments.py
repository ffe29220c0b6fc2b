"""What is stored of segments: read for ever, never mistaken, and never taken for whole when it is damaged."""

import base64
import json
from pathlib import Path

import pytest

from driftwatch.errors import StateError
from driftwatch.summaries.segment_panes import SegmentPanes
from tests.golden.make_monitor import layout
from tests.golden.make_segments import COUNT, described, panes

GOLDEN = Path(__file__).parents[1] / "golden" / "segments_v1.json"


def golden() -> tuple[dict[str, bytes], dict]:
    """The chunks of the first release that had segments, and what they hold."""
    stored = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return {name: base64.b64decode(chunk) for name, chunk in stored["chunks"].items()}, stored["segments"]


def test_the_golden_chunks_read_to_their_exact_values() -> None:
    """Whoever upgrades goes on with the segments of open windows."""
    chunks, expected = golden()
    restored = SegmentPanes(layout(), COUNT)
    restored.resume(chunks)
    assert json.loads(json.dumps(described(restored))) == expected
    assert restored.changes() == {}


def test_the_golden_chunks_are_still_what_is_written() -> None:
    """By the same names; a change of what is in them must raise the number of the format."""
    chunks, expected = golden()
    assert set(panes().changes()) == set(chunks)
    assert json.loads(json.dumps(described(panes()))) == expected


@pytest.mark.parametrize(("name", "words"), [("5/x/7", "is called"), ("5/1", "is called"), ("5/0/7", "damaged")])
def test_damage_is_found_at_the_start(name: str, words: str) -> None:
    """Not when a late row comes, or the window closes."""
    chunk = next(iter(golden()[0].values()))
    with pytest.raises(StateError, match=words):
        SegmentPanes(layout(), COUNT).resume({name: chunk[:-1] + b"\x00"})


def test_panes_that_were_read_stay_as_small_as_they_were_stored() -> None:
    """Until a row comes for them."""
    chunks, _ = golden()
    restored = SegmentPanes(layout(), COUNT)
    restored.resume(chunks)
    assert restored.size_bytes == (0, sum(map(len, chunks.values())))
