"""Made segments_v1.json, which must be readable for ever: do not run it over it.

python -m tests.golden.make_segments DIRECTORY
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np

from driftwatch.summaries.profile import profiles
from driftwatch.summaries.segment_panes import SegmentPanes
from tests.golden.make_monitor import _texts, layout, rows

COUNT = 40
"""More segments than one chunk holds."""
KEY = (1_767_571_200_000, "a/b ü")


def panes() -> SegmentPanes:
    """A pane in which some segments of two dimensions have rows."""
    made, batch = SegmentPanes(layout(), COUNT), rows(300)
    place = np.arange(batch.rows)
    numbers = np.stack([np.where(place % 5, place % 3, -1), 33 + place % 7]).astype(np.int16)
    cells = np.zeros(batch.rows, dtype=np.int64)
    division = made.divide([KEY], cells, numbers=numbers, times=batch.times, whole={})
    profiles(batch, cells, count=1, layout=made.layout, division=division)
    return made


def described(held: SegmentPanes) -> dict:
    """Every value of every segment, as JSON holds it exactly."""
    state = held.window([KEY])
    assert state is not None
    return {
        str(number): {name: _texts(array) for name, array in state.profile(number).arrays().items()}
        for number in state.present
    }


def main(out: Path) -> None:
    """Write the file."""
    made = panes()
    chunks = {name: base64.b64encode(chunk or b"").decode() for name, chunk in made.changes().items()}
    stored = {"chunks": chunks, "segments": described(made)}
    (out / "segments_v1.json").write_text(json.dumps(stored, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
