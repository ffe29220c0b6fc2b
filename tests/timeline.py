"""Windows drawn as timelines: columns are moments in the order of arrival, lines are partitions.

    a      | 1    11   12   25
    b      |   2            .
    closes |           10

A number on a partition's line is the event time of a row that arrives; numbers on neighbouring columns that touch no
blank do not exist, so every token is one row. `clock` sets the wall clock and ticks. What must follow is drawn below:
`closes` the point up to which windows become due in that column, when rows lie before it; `late` an x where the row is
too late.
"""

import re
from collections.abc import Sequence

import numpy as np

from driftwatch.stream.windows import Windows, WindowSpec

_EXPECTED = {"closes", "late"}


def spec(**milliseconds) -> WindowSpec:
    """A WindowSpec with plain numbers of milliseconds."""
    return WindowSpec.model_validate({name: f"{value}ms" for name, value in milliseconds.items()})


def assert_timeline(form: WindowSpec, drawing: str, *, announced: Sequence[str] = ()) -> Windows:
    """Play a drawing row by row; what follows must be what is drawn. Returns the windows for more questions."""
    lines = dict(_line(line) for line in drawing.splitlines() if "|" in line)
    arriving = {name: tokens for name, tokens in lines.items() if name not in _EXPECTED}
    events = sorted((column, name, token) for name, tokens in arriving.items() for column, token in tokens.items())
    windows, now = Windows(form), 0
    least: int | None = None
    windows.announce(announced, now_ms=now)
    seen: dict[str, dict[int, str]] = {"closes": {}, "late": {}}
    for column, name, token in events:
        close: int | None
        if name == "clock":
            now = int(token)
            close = windows.tick(now_ms=now)
        else:
            least = int(token) if least is None else min(least, int(token))
            (step,) = windows.place(np.array([int(token)]), name, received_ms=now)
            close = step.close
            if step.late[0]:
                seen["late"][column] = "x"
        if close is not None and least is not None and least < close:
            seen["closes"][column] = str(close)
    assert seen == {name: lines.get(name, {}) for name in seen}
    return windows


def _line(line: str) -> tuple[str, dict[int, str]]:
    name, _, tokens = line.partition("|")
    return name.strip(), {len(name) + match.start(): match.group() for match in re.finditer(r"[^\s.]+", tokens)}
