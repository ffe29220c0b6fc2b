"""Made monitor_v1.state and monitor_v1.json, which must be readable for ever: do not run it over them.

python -m tests.golden.make_monitor DIRECTORY
"""

import base64
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from driftwatch.daemon.snapshot import encode
from driftwatch.evaluation.alerts import Alerts, Episode, Reason, State
from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.monitor import Memory, Monitor
from driftwatch.statistics.drift import Baseline
from driftwatch.stream.batch import Batch
from driftwatch.stream.schema import Column, Kind
from driftwatch.stream.seen import Seen
from driftwatch.stream.versions import Versions
from driftwatch.stream.windows import Progress, Windows, WindowSpec
from driftwatch.summaries.building import build_layout
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.profile import Profile, profiles
from driftwatch.summaries.survey import NumericSurvey

START, HOUR = 1_767_571_200_000, 3_600_000
HASHES = np.arange(1, 5_001, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
"""Ids of events that are known: more than one stored chunk of them."""
SPEC = WindowSpec.model_validate({"size": "1h", "slide": "30m", "keep": "2h"})


def layout() -> Layout:
    """One number and one text, made without dice."""
    survey = NumericSurvey(1)
    survey.add(np.arange(500, dtype=np.float64)[None, :] ** 1.5, first_row=0)
    return build_layout([Column("amount", Kind.NUMERIC)], [Column("country", Kind.CATEGORICAL, ("DE", "FR"))], survey)


def rows(count: int, *, first: int = 0) -> Batch:
    """Rows with values in and out of range, and missing ones."""
    place = np.arange(first, first + count)
    amounts = np.where(place % 13 == 0, np.nan, (place * 7919 % 1009).astype(np.float64) * 13.7)
    return Batch(
        partition="kafka/predictions/0",
        times=START + place * 1_000,
        ids=(place + 1).astype(np.uint64),
        versions=np.zeros(count, dtype=np.int32),
        version_names=("7",),
        numeric=amounts[None, :],
        categorical=(place % 4).astype(np.int32)[None, :],
    )


def profile(count: int, *, first: int = 0) -> Profile:
    """The profile of such rows."""
    return profiles(rows(count, first=first), np.zeros(count, dtype=np.int64), count=1, layout=layout())[0]


def memory() -> Memory:
    """Everything that a monitor may hold, once."""
    pending = Episode(State.PENDING, "a" * 32, START, 1, 0, Reason.CROSSED)
    firing = Episode(State.FIRING, "b" * 32, START - HOUR, 3, 1, Reason.HELD)
    seen = Seen(100_000)
    seen.new(HASHES)
    return Memory(
        panes={
            (START, "7"): profile(100),
            (START + HOUR // 2, "7"): profile(50, first=1_800),
            (START, "a/b ü"): profile(9),
        },
        revisions={(START + HOUR, "7"): 2, (START + HOUR // 2, "a/b ü"): 1},
        touched={(START, "7"), (START, "a/b ü")},
        issued=START + HOUR,
        alerts=Alerts(MappingProxyType({("shift", "7", "", "country"): firing, ("drift", "7", "", "amount"): pending})),
        versions=Versions(known=["7", "a/b ü"]),
        seen=seen,
    )


def monitor() -> Monitor:
    """A monitor with all of that, every pane of which has changed."""
    progress = Progress(
        {"kafka/predictions/0": START + 2 * HOUR, "http/predictions": START}, frozenset({"http/predictions"}),
        START + HOUR, 0,
    )  # fmt: skip
    held = layout()
    evaluator = Evaluator(Baseline.of(held, profile(1_000), groups=10), [])
    made = Monitor("fraud", windows=Windows(SPEC, progress), evaluator=evaluator, memory=memory())
    made.changed = set(made.memory.panes)
    return made


def described(panes: Mapping[tuple[int, str], Profile], progress: Progress, memory: Memory) -> dict:
    """Every value of a monitor's memory, as JSON holds it exactly."""
    return {
        "panes": [
            [start, version, pane.fingerprint, pane.rows, pane.first_ms, pane.last_ms,
             {name: _texts(array) for name, array in pane.arrays().items()}]
            for (start, version), pane in sorted(panes.items())
        ],
        "greatest": dict(sorted(progress.greatest.items())), "idle": sorted(progress.idle),
        "closed_ms": progress.closed_ms, "counted": progress.counted, "issued": memory.issued,
        "revisions": [[*key, revision] for key, revision in sorted(memory.revisions.items())],
        "touched": [list(key) for key in sorted(memory.touched)], "versions": memory.versions.known,
        "seen": [memory.seen.forgotten, memory.seen.total],
        "alerts": [
            [list(key), episode.state.value, episode.alert_id, episode.started_ms, episode.breaches, episode.clears,
             episode.reason.value]
            for key, episode in memory.alerts.episodes.items()
        ],
    }  # fmt: skip


def _texts(array: np.ndarray) -> list:
    return np.vectorize(repr, otypes=[object])(np.atleast_1d(array).astype(object)).tolist()


def main(out: Path) -> None:
    """Write both files."""
    made = monitor()
    snapshot = encode(made)
    stored = {
        "core": snapshot.core.decode(),
        "panes": {name: base64.b64encode(pane or b"").decode() for name, pane in snapshot.panes.items()},
    }
    (out / "monitor_v1.state").write_text(json.dumps(stored, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    values = described(made.memory.panes, made.windows.progress, made.memory)
    (out / "monitor_v1.json").write_text(json.dumps(values, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
