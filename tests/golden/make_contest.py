"""Wrote the golden contest of two versions, which must be readable for ever: do not run it over that of a version."""

from pathlib import Path

import msgspec

from driftwatch.quality.contest import Contests
from driftwatch.stream.schema import Task
from tests.duels import MEASURES, answers, recalled

GOLDEN = Path(__file__).with_name("contest_v1")


def contests() -> Contests:
    """A contest of two rankings over three windows, which has come to a ruling."""
    made = Contests(MEASURES[Task.RANKING])
    for end in range(3):
        one, other = answers(Task.RANKING, end, 300), answers(Task.RANKING, end + 9, 150, noise=0.8)
        made.add({"6": recalled(one), "7": recalled(other, 1)}, end)
    return made


def written() -> dict[str, bytes | None]:
    """Its chunks."""
    return contests().changes()


def said_of(target: Contests) -> str:
    """Its readings."""
    said = [
        [each.statistic, *(round(part, 9) for part in (each.value, each.lower, each.upper, each.contrast.mde)),
         each.contrast.ruling, each.contrast.rows, each.contrast.decided_rows, each.contrast.decided_versus_rows]
        for each in target.readings("7")
        if each.contrast is not None
    ]  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(said)).decode()


if __name__ == "__main__":
    chunk = written()["1"]
    assert chunk is not None
    GOLDEN.with_suffix(".chunk").write_bytes(chunk)
    GOLDEN.with_suffix(".json").write_text(said_of(contests()))
