"""The verdict on a simulation: each function raises AssertionError with the law that was broken."""

from collections import Counter
from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.daemon.snapshot import SLOW
from driftwatch.evaluation.alerts import Cell
from driftwatch.evaluation.detectors import Detectors
from driftwatch.evaluation.events import webhook_id
from driftwatch.evaluation.incidents import Incident
from driftwatch.evaluation.report import rfc3339
from driftwatch.monitor import Monitor
from driftwatch.ports.answers import Query
from driftwatch.stream.raw import EVENT_STREAMS, Raw, Stream
from tests.monitors import remembered
from tests.simulation.chance import Mode
from tests.simulation.labels import check_labels, check_said
from tests.simulation.laws import Account, Steady, account
from tests.simulation.models import FRAUD, SEGMENTS

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

_ALL = Query(limit=1_000)
_WHOLE = Query(segment="", limit=1_000)
_ACTIONS = ("notify", "retrain", "rollback")
_ATTEMPTS = 10
"""So many make a dead letter, unless the target is gone."""


def check_start(sim: "Simulation") -> Account:
    """What a new process begins with is what was saved, no more and no less."""
    positions = sim.process.saved.positions
    assert positions == sim.book.positions(), f"begins at {positions}, but {sim.book.positions()} is counted"
    found = account(sim.book.entries, sim.around.watches, sim.producer.events)
    _check_counts(sim, found)
    return found


def check_end(sim: "Simulation") -> None:
    """Nothing lost, nothing twice."""
    found = check_start_of_end(sim)
    for partition in sim.broker.partitions:
        _check_partition(sim, partition)
    for stream in EVENT_STREAMS:
        _check_door(sim, stream)
    stored = sim.process.store.load().panes
    for name, monitor in sim.process.engine.monitors.items():
        others = ("seen/", "quality/", "segments/", SLOW)
        panes = {key for key in stored.get(name, {}) if not key.startswith(others)}
        held = {f"{start}/{version}" for start, version in monitor.memory.panes}
        assert panes == held, f"{name}: the store keeps other panes than the monitor"
        divided = {key for key in stored.get(name, {}) if key.startswith("segments/")}
        chunks = {f"segments/{start}/0/{version}" for start, version in monitor.memory.panes if SEGMENTS[name]}
        assert divided == chunks, f"{name}: the store keeps segments of other panes"
        _check_detectors(name, monitor, stored.get(name, {}))
    steady = Steady(sim.around.watches)
    steady.replay(sim.book.entries)
    for name, monitor in sim.process.engine.monitors.items():
        assert remembered(monitor) == remembered(steady.monitors[name]), f"{name} is not as if it had never stopped"
    check_labels(sim, found, steady)
    _check_reports(sim, found, steady)
    _check_letters(sim, steady)
    if sim.plan.mode is not Mode.FREE:
        _check_uninterrupted(sim, found, steady)


def check_start_of_end(sim: "Simulation") -> Account:
    """The counts at the end, when everything is durable."""
    assert sim.book.durable == len(sim.book.entries), "something is not saved"
    found = account(sim.book.entries, sim.around.watches, sim.producer.events)
    _check_counts(sim, found)
    for name, oracle in found.oracles.items():
        progress = sim.process.engine.monitors[name].windows.progress
        mine = (oracle.greatest, oracle.closed) if not oracle.form.rows else (progress.greatest, progress.closed_ms)
        assert mine == (progress.greatest, progress.closed_ms), f"{name}: watermarks {mine} became {progress}"
    return found


def _check_counts(sim: "Simulation", found: Account) -> None:
    shown: Counter[tuple[str, str, str]] = Counter()
    for (_, stream, source, result), count in sim.process.telemetry._events.counts().items():
        # Whether a label is known already is the join's to say, and not this oracle's.
        known = stream == Stream.LABELS and result == "duplicate"
        shown[stream, source, "accepted" if known else result] += int(count)
    more, less = +(shown - found.counts), +(found.counts - shown)
    assert (more, less) == ({}, {}), f"the telemetry counts {dict(more)} too many and {dict(less)} too few"


def _check_partition(sim: "Simulation", name: str) -> None:
    """Each record of a partition exactly once and in order, but for those that retention removed."""
    partition, at = sim.broker.partitions[name], 0
    records = partition.records
    for raw in _raws(sim, name):
        if not raw.records:
            assert raw.position <= partition.first, f"{name}: nothing had removed what lies before {raw.position}"
            while at < len(records) and records[at].offset < raw.position:
                at += 1
            continue
        expected = tuple(record.value for record in records[at : at + len(raw.records)])
        assert raw.records == expected, f"{name}: records up to {raw.position} are lost, doubled or out of order"
        at += len(raw.records)
        assert raw.position == records[at - 1].offset + 1
    assert at == len(records), f"{name}: {len(records) - at} records were never read"


def _check_door(sim: "Simulation", stream: Stream) -> None:
    """Each durable body exactly once and in order, and nothing is left of them in the inbox."""
    taken = [record for raw in _raws(sim, f"http/{stream}") for record in raw.records]
    stored = [row.body for row in sim.door.stored[stream]]
    assert taken == stored, f"{stream}: {len(stored)} bodies were stored, {len(taken)} counted"
    missing = Counter(sim.clients[stream].answered) - Counter(taken)
    assert not missing, f"{stream}: a body was answered with 200 and never counted"
    if any(reader.stream is stream for reader in sim.process.readers):
        assert not sim.process.inbox.read(stream, -1, limit=1), "the inbox keeps bodies that are done"


def _raws(sim: "Simulation", partition: str) -> list[Raw]:
    return [raw for raw in sim.book.raws() if raw.partition == partition]


def _check_reports(sim: "Simulation", found: Account, steady: Steady) -> None:
    shown = Counter(
        (each["model"], each["version"], each["window"]["start"], each["window"]["rows"], each["revision"])
        for each in sim.process.history.reports(_WHOLE).items
    )
    defined = Counter(
        (name, version, rfc3339(start), rows, revision)
        for name, oracle in found.oracles.items()
        for (_, version), (start, rows, revision) in oracle.reported.items()
    )
    # Labels raise revisions, too; what has none says exactly what rows make of it.
    exact, rows = ({key: count for key, count in some.items() if key[0] != FRAUD} for some in (shown, defined))
    assert exact == rows, f"reports shown {exact}, but by definition {rows}"
    revised, least = ({key[:4]: key[4] for key in some if key[0] == FRAUD} for some in (shown, defined))
    assert revised.keys() == least.keys(), f"windows shown that differ: {revised.keys() ^ least.keys()}"
    assert all(revised[key] >= least[key] for key in least), "late rows did not raise a revision"
    said = Counter(
        (model, version, rfc3339(start), *outcome)
        for (model, version, start, _), outcome in steady.said.reports.items()
    )
    assert shown == said, "what is shown is not what was said"
    _check_segments(sim, steady)
    for oracle in found.oracles.values():
        for (_, version), (start, rows, _) in oracle.reported.items():
            assert oracle.form.rows or rows == oracle.truth(start, version), "a window does not hold its rows"


def _check_segments(sim: "Simulation", steady: Steady) -> None:
    """Each row of a window is in one segment of it, and every segment is shown as it was said."""
    for key, (rows, revision) in steady.said.reports.items():
        parts = steady.said.parts.get(key, {}).values()
        total = sum(count for count, _ in parts)
        assert total == (rows if SEGMENTS[key[0]] else 0), f"{key}: {rows} rows became {total} in segments"
        assert {other for _, other in parts} <= {revision}, f"{key}: a segment was left behind"
    said = {
        (model, version, rfc3339(start), segment, *outcome)
        for (model, version, start, _), parts in steady.said.parts.items()
        for segment, outcome in parts.items()
    }
    shown = {
        (each["model"], each["version"], each["window"]["start"], segment, each["window"]["rows"], each["revision"])
        for segment in {segment for parts in steady.said.parts.values() for segment in parts}
        for each in sim.process.history.reports(Query(segment=segment, limit=1_000)).items
    }
    assert shown == said, f"segments shown that differ: {sorted(shown ^ said)[:4]}"


def _check_letters(sim: "Simulation", steady: Steady) -> None:
    assert not sim.around.receiver.wrong, sim.around.receiver.wrong[0]
    alerts = {each["id"]: each["state"] for each in sim.process.history.alerts(_ALL).items}
    expected = {step.alert_id: step.state.value for step in steady.said.transitions}
    assert alerts == expected, f"alerts that differ: {sorted(set(alerts.items()) ^ set(expected.items()))[:4]}"
    deliveries = sim.process.history.deliveries(_ALL).items
    states = {each["id"]: each["state"] for each in deliveries}
    for each in deliveries:
        dead = each["state"] == "dead"
        assert not dead or each["last_result"] == "gone" or each["attempts"] == _ATTEMPTS, "a letter died too early"
    decided = steady.said.letters("trainer", _ACTIONS)
    trained = {letter for letters in decided.values() for letter in letters}
    asked = {
        letter for letters in steady.said.letters("pager", ("retrain",)).values() for letter in letters
    }  # fmt: skip
    turns = steady.said.turns("trainer")
    assert trained | turns <= set(states), "a letter was never written"
    assert set(states) <= trained | turns | asked, "a letter was written that nothing decided"
    if not sim.plan.cooldown_ms:
        first = {webhook_id(group, "pager") for group in steady.said.requests}
        assert asked & set(states) == first, "a request was never written, or more than one for an incident"
    ours, theirs = (
        {each.id: _course(each) for each in some.open.values()}
        for some in (sim.process.engine._casebook, steady.said.casebook)
    )
    assert ours == theirs, "incidents stand otherwise than if nothing had ever stopped"
    for target, taken in sim.around.receiver.taken.items():
        assert set(taken) <= set(states), f"{target} took a letter that nothing decided"
    received = {letter for taken in sim.around.receiver.taken.values() for letter in taken}
    cooled = {each["id"] for each in deliveries if (each["state"], each["last_result"]) == ("dropped", "cooldown")}
    assert cooled <= asked - received, "a letter was dropped for a cool-down that its target does not have, or was sent"
    assert sim.plan.cooldown_ms or not cooled, "a letter was dropped for a cool-down that there is not"
    for letter, state in states.items():
        assert state == "dead" or letter in (received if state == "delivered" else cooled), (
            f"letter {letter} is {state}"
        )
        sim.trace.faults["dead letter"] += state == "dead"
    for letters in decided.values():
        _check_order(sim, letters, states)


def _course(incident: Incident) -> tuple[object, ...]:
    """What of an incident depends on events alone."""
    return incident.version, incident.new_version, incident.turn, incident.rules, incident.firing, incident.calm


def _check_order(sim: "Simulation", letters: list[str], states: dict[str, str]) -> None:
    """The letters of one alert arrive in their order; none comes again once its successor has come."""
    taken = [letter for letter in sim.around.receiver.taken.get("trainer", []) if letter in letters]
    places = [letters.index(letter) for letter in taken]
    assert places == sorted(places), f"letters of one alert arrived in the order {places}"
    missing = [letter for letter in letters if letter not in taken]
    assert all(states[letter] == "dead" for letter in missing), "a letter was passed over"


def _check_uninterrupted(sim: "Simulation", found: Account, steady: Steady) -> None:
    """The same input, read once without a stop and cut otherwise, says the same."""
    other = Steady(sim.around.watches)
    if sim.plan.mode is Mode.LOG:
        records = sorted(
            (record.place, partition.name, record.value)
            for partition in sim.broker.partitions.values()
            for record in partition.records
        )
        pairs = [(name, value) for _, name, value in records]
    else:
        pairs = [(f"http/{stream}", body) for stream in EVENT_STREAMS for body in sim.clients[stream].answered]
    partitions = {name: each.stream for name, each in sim.broker.partitions.items()}
    partitions |= {} if sim.plan.mode is Mode.LOG else {f"http/{stream}": stream for stream in EVENT_STREAMS}
    other.play(partitions, pairs, dice=sim.dice, now_ms=sim.clock.now_ms)
    check_said(sim, other, steady)
    ours, theirs = ({step.identity for step in some.said.transitions} for some in (steady, other))
    assert ours == theirs, "an uninterrupted run names its alerts otherwise"
    ours, theirs = (some.said.turns("trainer") for some in (steady, other))
    assert ours == theirs, "an uninterrupted run tells of other turns of incidents"
    ours, theirs = ({webhook_id(each, "trainer") for each in some.said.groups} for some in (steady, other))
    assert ours == theirs, "an uninterrupted run puts its alerts together otherwise"
    for name, monitor in other.monitors.items():
        rows = sum(pane.rows for pane in monitor.memory.panes.values())
        assert rows == sum(pane.rows for pane in sim.process.engine.monitors[name].memory.panes.values())


def _check_detectors(name: str, monitor: Monitor, stored: Mapping[str, bytes]) -> None:
    """Those that are stored stand as the monitor's, and there are no others: of versions that still have rows."""
    saved, live = Detectors(), monitor.memory.detectors
    chunks = {key.removeprefix(SLOW): data for key, data in stored.items() if key.startswith(SLOW)}
    assert saved.resume(monitor.layout, chunks) == [], f"{name}: the store keeps detectors of another reference"
    places = list(product(monitor.memory.versions.known, ("", *monitor.dimensions.segment_names)))
    states = [(saved.of(Cell(name, *place)), live.of(Cell(name, *place))) for place in places]
    assert len(chunks) == sum(state is not None for _, state in states), f"{name}: the store keeps other detectors"
    for kept, state in states:
        same = (kept is None) == (state is None)
        if kept is not None and state is not None:
            ours = state.arrays()
            same = all(np.array_equal(array, ours[label]) for label, array in kept.arrays().items())
        assert same, f"{name}: a detector of slow change stands otherwise than was saved"
