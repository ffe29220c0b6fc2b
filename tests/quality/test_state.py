"""What is stored of labels: it is covered by checksums, and older states go on without it."""

import base64
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from driftwatch.daemon.snapshot import QUALITY, encode, resume
from driftwatch.daemon.state import state_hash, verify
from driftwatch.errors import StateError
from driftwatch.monitor import Monitor, Outcome
from driftwatch.ports.storage import Checkpoint
from driftwatch.quality.building import QualityTerms, make_quality
from driftwatch.quality.state import HEAD, JOIN, LEARNT
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import FILE, Database
from driftwatch.stream.answers import outputs_of
from driftwatch.stream.windows import Windows
from tests.golden import make_monitor
from tests.labelled import DIMENSIONS, FORM, Prediction, Verdict, labels_of, monitor, play, quality_of
from tests.monitors import TUMBLING, Row

GOLDEN = Path(__file__).parents[1] / "golden" / "monitor_v1.state"


def followed(*, last: int | None = 1) -> tuple[Monitor, Outcome]:
    """A monitor with labels of every kind, and lessons from them; and what it said."""
    target = monitor(TUMBLING)
    rows = [Prediction(Row("p", 2 * event, "1", event % 8, 0), event, event % 11) for event in range(1, 60)]
    outcome = play(
        target,
        [each for row in rows for each in (row, Verdict("l", row.row.time + 3, row.event // 2 + 1, row.event % 2))],
    )
    play(target, [Verdict("l", 130, 59, last), Verdict("l", 130, 1_000, 1)])
    return target, outcome


def write(directory: Path, target: Monitor, outcome: Outcome) -> dict[str, bytes]:
    """Store it; its chunks."""
    snapshot = encode(target)
    checkpoint = Checkpoint(
        taken_ms=0, positions={}, monitors={"fraud": snapshot.core}, panes={"fraud": snapshot.panes}, engine=b"[]",
        reports=(), transitions=outcome.transitions,
    )  # fmt: skip
    with closing(Database(directory)) as database:
        SqliteStore(database).save(checkpoint)
    return {name: chunk for name, chunk in snapshot.panes.items() if chunk is not None}


def test_the_state_hash_covers_labels(tmp_path) -> None:
    """The same predictions with another label have another hash; the same label, the same one."""
    for name, last in (("one", 1), ("same", 1), ("none", None)):
        write(tmp_path / name, *followed(last=last))
    assert state_hash(tmp_path / "one") == state_hash(tmp_path / "same") != state_hash(tmp_path / "none")


@pytest.mark.parametrize("kind", [HEAD, JOIN, LEARNT])
def test_verify_notices_a_flipped_byte_in_what_is_stored_of_labels(kind: str, tmp_path) -> None:
    """In the head, in what was joined, and in what was learnt; wherever it is."""
    chunks = write(tmp_path / "state", *followed())
    assert verify(tmp_path / "state").startswith(f"{tmp_path / 'state'}: good")
    file, rng = tmp_path / "state" / FILE, np.random.default_rng(5)
    whole = file.read_bytes()
    chosen = [chunk for name, chunk in sorted(chunks.items()) if name.startswith(QUALITY + kind) and len(chunk) < 3_000]
    assert chosen
    for chunk in chosen:
        begins = whole.index(chunk)
        for place in rng.integers(len(chunk), size=3).tolist():
            damaged = bytearray(whole)
            damaged[begins + place] ^= int(rng.choice([1, 16, 255]))
            file.write_bytes(bytes(damaged))
            with pytest.raises(StateError, match="restore a backup"):
                verify(tmp_path / "state")
    file.write_bytes(whole)
    verify(tmp_path / "state")


def test_a_state_of_before_there_were_labels_goes_on() -> None:
    """Old windows stay as they are; from the next rows on, predictions wait for labels."""
    stored = json.loads(GOLDEN.read_text(encoding="utf-8"))
    panes = {name: base64.b64decode(pane) for name, pane in stored["panes"].items()}
    old = make_monitor.monitor()
    windows = Windows(make_monitor.SPEC)
    quality = make_quality(FORM, old.layout, windows, QualityTerms(10_000, 10_000_000, dimensions=DIMENSIONS))
    target = Monitor("fraud", windows=windows, evaluator=old.evaluator, quality=quality)
    assert resume(target, stored["core"].encode(), panes) == 0
    assert [report.arrivals for report, _ in target.recall()] == [None] * len(target.recall())
    first = 7_300
    rows = make_monitor.rows(1_900, first=first)
    rows = replace(rows, outputs=outputs_of(FORM, {"score": np.linspace(0, 1, rows.rows)}, rows.rows))
    outcome = target.feed(rows, received_ms=0)
    labels = labels_of([Verdict("l", make_monitor.START + 9_300_000, 1, 1)] * rows.rows)
    labels.ids[:] = rows.ids
    joined = target.label(labels, received_ms=0)
    assert joined is not None
    assert (outcome.accepted, joined.matched) == (rows.rows, rows.rows)
    reports = target.finish().reports
    said = [(report.window.rows, report.arrivals.labelled) for report in outcome.reports + reports if report.arrivals]
    assert max(said) >= (1_700, 1_700)
    assert all(rows == labelled for rows, labelled in said if labelled)
    assert quality_of(target).standing.results["matched"] == rows.rows
