"""A monitor's memory in bytes: what comes back is what went in, today and in every later release."""

import base64
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.daemon.snapshot import SLOW, encode, resume
from driftwatch.errors import StateError
from driftwatch.evaluation.alerts import Alerts, Cell, Episode, Reason, State
from driftwatch.evaluation.detectors import Detectors
from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.monitor import Memory, Monitor
from driftwatch.statistics.drift import Baseline
from driftwatch.statistics.slow import SlowState
from driftwatch.stream.versions import Versions
from driftwatch.stream.windows import NEVER, Progress, Windows, WindowSpec
from tests.golden import make_monitor
from tests.golden.make_monitor import SPEC, described
from tests.monitors import SLIDING, TUMBLING, Row, alarming, detectors_held, play
from tests.strategies import batches, layouts, profile_of

GOLDEN = Path(__file__).parents[1] / "golden"
NAMES = st.text(st.characters(codec="utf-8"), max_size=20)
MOMENTS = st.integers(0, 2**42)
EPISODES = st.builds(
    Episode,
    state=st.sampled_from([State.PENDING, State.FIRING]), alert_id=st.text("0123456789abcdef", max_size=32),
    started_ms=MOMENTS, breaches=st.integers(0, 10**6), clears=st.integers(0, 10**6), reason=st.sampled_from(Reason),
)  # fmt: skip
COUNTED = WindowSpec(rows=500)


@st.composite
def monitors(draw) -> Monitor:
    """Any monitor that may stand at a checkpoint."""
    layout = draw(layouts())
    panes = draw(st.dictionaries(st.tuples(MOMENTS, NAMES), batches(layout, max_rows=30), max_size=3))
    partitions = draw(st.dictionaries(NAMES, st.one_of(st.just(NEVER), MOMENTS), max_size=3))
    memory = Memory(
        panes={key: profile_of(batch, layout) for key, batch in panes.items()},
        revisions=draw(st.dictionaries(st.tuples(MOMENTS, NAMES), st.integers(1, 99), max_size=4)),
        touched=draw(st.sets(st.tuples(MOMENTS, NAMES), max_size=3)),
        issued=draw(st.one_of(st.just(NEVER), MOMENTS)),
        alerts=Alerts(
            MappingProxyType(draw(st.dictionaries(st.tuples(NAMES, NAMES, NAMES, NAMES), EPISODES, max_size=3)))
        ),
        versions=Versions(
            known=draw(st.lists(NAMES, unique=True, max_size=3)),
            first_ms=draw(st.dictionaries(NAMES, MOMENTS, max_size=3)) | {version: 0 for _, version in panes},
        ),
    )
    idle = frozenset(draw(st.sets(st.sampled_from(sorted(partitions))))) if partitions else frozenset()
    progress = Progress(partitions, idle, draw(st.one_of(st.just(NEVER), MOMENTS)), draw(st.integers(0, 10**9)))
    spec = draw(st.sampled_from([SPEC, COUNTED]))
    evaluator = Evaluator(Baseline.of(layout, profile_of(draw(batches(layout)), layout), groups=10), [])
    monitor = Monitor("any", windows=Windows(spec, progress), evaluator=evaluator, memory=memory)
    monitor.changed = set(memory.panes)
    return monitor


@settings(max_examples=40, deadline=None)
@given(monitors(), st.sets(st.integers(1, 2**64 - 1), max_size=50))
def test_what_comes_back_is_what_went_in(monitor, hashes):
    """To the last bit, with the alerts in their order and every event that was seen."""
    known = np.array(sorted(hashes), dtype=np.uint64)
    monitor.memory.seen.new(known)
    snapshot = encode(monitor)
    panes = {name: data for name, data in snapshot.panes.items() if data is not None}
    restored = Monitor("any", windows=Windows(monitor.windows.spec), evaluator=monitor.evaluator)
    assert resume(restored, snapshot.core, panes) == 0
    assert what_it_knows(restored) == what_it_knows(monitor)
    assert restored.memory.versions == monitor.memory.versions
    assert (restored.changed, restored.told) == (set(), set())
    assert not restored.memory.seen.new(known).any()


def test_only_what_changed_is_written_and_what_is_gone_is_named():
    """A pane that was forgotten is deleted by its name."""
    monitor = make_monitor.monitor()
    kept, gone = sorted(monitor.memory.panes)[:2]
    monitor.saved()
    assert encode(monitor).panes == {}
    del monitor.memory.panes[gone]
    monitor.changed = {kept, gone}
    panes = encode(monitor).panes
    assert set(panes) == {f"{kept[0]}/{kept[1]}", f"{gone[0]}/{gone[1]}"}
    assert panes[f"{gone[0]}/{gone[1]}"] is None
    assert panes[f"{kept[0]}/{kept[1]}"] is not None


def what_it_knows(monitor: Monitor) -> Any:
    """In the words of the golden file."""
    return described(monitor.memory.panes, monitor.windows.progress, monitor.memory)


def fresh(spec: WindowSpec = SPEC) -> Monitor:
    """A new monitor of the golden model."""
    return Monitor("fraud", windows=Windows(spec), evaluator=make_monitor.monitor().evaluator)


def golden() -> tuple[bytes, dict[str, bytes]]:
    """The state that the first release wrote."""
    stored = json.loads((GOLDEN / "monitor_v1.state").read_text(encoding="utf-8"))
    return stored["core"].encode(), {name: base64.b64decode(pane) for name, pane in stored["panes"].items()}


def test_the_golden_state_of_format_1_reads_to_its_exact_values():
    """Whoever upgrades goes on where the old release stopped."""
    core, panes = golden()
    restored = fresh()
    assert resume(restored, core, panes) == 0
    expected = json.loads((GOLDEN / "monitor_v1.json").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(what_it_knows(restored))) == expected
    assert not restored.memory.seen.new(make_monitor.HASHES).any()


def test_versions_of_an_earlier_release_are_as_old_as_the_rows_that_are_held():
    """It did not note when a version was first seen; what is noted is never replaced by what is held."""
    core, panes = golden()
    held = fresh()
    resume(held, core, panes)
    first_ms = dict(held.memory.versions.first_ms)
    assert first_ms == {
        name: min(pane.first_ms for (_, version), pane in held.memory.panes.items() if version == name and pane.rows)
        for name in {version for (_, version), pane in held.memory.panes.items() if pane.rows}
    }
    assert first_ms
    noted = dict.fromkeys(first_ms, 5)
    restored = fresh()
    resume(restored, json.dumps(json.loads(core) | {"first_ms": noted}).encode(), panes)
    assert restored.memory.versions.first_ms == noted


def test_the_golden_state_is_still_what_is_written():
    """A change of the format must raise its number."""
    core, panes = golden()
    snapshot = encode(make_monitor.monitor())
    assert json.loads(snapshot.core) == json.loads(core)
    assert set(snapshot.panes) == set(panes)


@pytest.mark.parametrize(
    "spec",
    [
        {"size": "2h", "slide": "30m", "keep": "2h"},
        {"size": "1h", "slide": "20m", "keep": "2h"},
        {"rows": 500},
    ],
)
def test_panes_of_another_form_of_window_are_discarded_and_counted(spec):
    """They cannot be gone on with; alerts, versions and how far each partition was stay."""
    core, panes = golden()
    restored = fresh(WindowSpec.model_validate(spec))
    assert resume(restored, core, panes) == 159
    before = make_monitor.monitor()
    assert restored.memory.panes == {}
    assert restored.changed == set(before.memory.panes), "the next checkpoint deletes them"
    assert restored.memory.alerts == before.memory.alerts
    assert restored.memory.versions.known == before.memory.versions.known
    assert not restored.memory.seen.new(make_monitor.HASHES).any()
    assert restored.windows.progress.greatest == before.windows.progress.greatest
    assert restored.windows.progress.closed_ms == NEVER


def test_panes_of_another_reference_are_discarded_and_counted():
    """Profiles of different layouts never mix."""
    core, panes = golden()
    data = json.loads(core)
    other = data | {"panes_of": data["panes_of"].replace("0e2a", "ffff", 1)}
    assert other != data
    restored = fresh()
    assert resume(restored, json.dumps(other).encode(), panes) == 159
    assert restored.memory.panes == {}


def test_a_change_that_does_not_move_the_panes_keeps_them():
    """Lateness, idling and keeping may be changed at any time."""
    core, panes = golden()
    spec = WindowSpec.model_validate({"size": "1h", "slide": "30m", "keep": "9h", "lateness": "7m", "idle_after": "9m"})
    restored = fresh(spec)
    assert resume(restored, core, panes) == 0
    assert len(restored.memory.panes) == 3


@pytest.mark.parametrize(
    ("core", "words"),
    [
        (b"{", "cannot be read"),
        (b'{"format": 1}', "cannot be read"),
        (b'{"format": 2, "whatever": 1}', "has format 2; this release reads 1"),
    ],
)
def test_damaged_state_and_that_of_a_newer_release_is_refused(core, words):
    """Never guess."""
    with pytest.raises(StateError, match=words):
        resume(fresh(), core, {})


def test_a_damaged_pane_is_refused():
    """Its checksum tells."""
    core, panes = golden()
    name = next(iter(panes))
    damaged = panes | {name: panes[name][:-1] + b"\x00"}
    with pytest.raises(StateError, match="damaged"):
        resume(fresh(), core, damaged)


def test_what_a_failed_checkpoint_may_have_written_is_deleted_by_the_next():
    """A commit that failed may be durable; what it wrote and the state no longer has must not come back."""
    monitor = make_monitor.monitor()
    told = {name for name in encode(monitor).panes if not name.startswith("seen/")}
    monitor.changed.clear()
    assert told
    assert {name: encode(monitor).panes[name] for name in told} == dict.fromkeys(told)
    monitor.saved()
    assert encode(monitor).panes == {}


def detecting() -> tuple[Monitor, dict[str, bytes]]:
    """A monitor whose detectors of slow change have seen rows of two versions and their segments, and its chunks."""
    monitor = alarming(TUMBLING)
    play(monitor, [Row("a", time, "12"[time % 2], 7, 1) for time in range(60)])
    return monitor, {name: data for name, data in encode(monitor).panes.items() if data is not None}


def test_detectors_come_back_as_they_were():
    """By version and segment, to the last bit."""
    monitor, chunks = detecting()
    restored = alarming(TUMBLING)
    assert resume(restored, encode(monitor).core, chunks) == 0
    assert len(detectors_held(restored)) > len(monitor.memory.versions.known)
    assert detectors_held(restored) == detectors_held(monitor)
    assert (restored.told, encode(restored).panes) == (set(), {})


def test_detectors_of_another_reference_are_deleted_by_the_next_checkpoint():
    """What they have learnt says nothing about this one. The form of the windows may change: each is bet on alone."""
    monitor, chunks = detecting()
    foreign = Detectors()
    foreign.put(Cell("fraud", "1", ""), SlowState.empty(make_monitor.layout()))
    ((name, data),) = foreign.changes(make_monitor.layout()).items()
    restored = alarming(SLIDING)
    resume(restored, encode(monitor).core, chunks | {SLOW + name: data})
    assert encode(restored).panes[SLOW + name] is None
    expected = detectors_held(monitor)
    del expected["1", ""]
    assert detectors_held(restored) == expected


def test_a_damaged_detector_is_refused():
    """Its checksum tells."""
    monitor, chunks = detecting()
    name = next(name for name in chunks if name.startswith(SLOW))
    with pytest.raises(StateError, match="damaged"):
        resume(alarming(TUMBLING), encode(monitor).core, chunks | {name: chunks[name][:-1] + b"\x00"})
