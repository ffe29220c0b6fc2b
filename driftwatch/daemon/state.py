"""`driftwatch state`: what a state directory comes to, whether it is whole, and a copy of it."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from driftwatch.daemon.snapshot import CONTROL, QUALITY, REPEATS, SEEN, SLOW, stored_core
from driftwatch.daemon.teaching import place
from driftwatch.errors import StateError
from driftwatch.evaluation import detectors
from driftwatch.quality import control_state, repeats
from driftwatch.quality.state import HEAD, check, read_head
from driftwatch.store import inspection
from driftwatch.store.inspection import Contents
from driftwatch.store.spool import EVENTS
from driftwatch.summaries.codec import unpack


def state_hash(directory: Path) -> str:
    """Give 64 hex digits that two runs over the same input share, however often either was interrupted.

    Of every pane and its segments the whole numbers, the events counted, positions, watermarks, alerts with their
    states, the identities of their steps, the ids of webhooks, how many remembered predictions have their label, and
    the detectors of slow change, which are worked out from whole numbers in the order of the windows.
    Not in it: sums of real numbers, whose last bits depend on where the stream was cut; wall-clock times, attempts,
    idle partitions; and the memory of event ids and of unique columns' values, the revisions of reports and what labels
    have taught, which follow the order in which partitions happened to be read. StateError when the directory is not
    whole.
    """
    held = inspection.contents(directory)
    digest = hashlib.sha256()
    for part in _parts(held):
        digest.update(msgspec.json.encode(part, order="sorted") + b"\n")
    return digest.hexdigest()


def verify(directory: Path) -> str:
    """Say in one line what a whole directory holds; StateError says in one line what is wrong and what to do."""
    found = inspection.damage(directory)
    if not found:
        held = inspection.contents(directory)
        found = [*_undecodable(held), *_dangling(held), *_unkept(held, directory)]
        panes = sum(map(len, held.saved.panes.values()))
        whole = (
            f"{len(held.saved.monitors)} models, {panes} panes, {len(held.alerts)} alerts, {len(held.letters)} letters"
        )
    if found:
        more = f" (and {len(found) - 1} more faults)" if found[1:] else ""
        raise StateError(f"{directory}: {found[0]}{more}; stop the service and restore a backup of the directory")
    return f"{directory}: good: {whole}"


def backup(directory: Path, target: Path) -> str:
    """Copy a directory, in use or not, into a new one, check the copy, and say what it holds."""
    inspection.copy(directory, target)
    return verify(target)


def _parts(held: Contents) -> Iterator[Any]:
    yield ["positions", sorted(held.saved.positions.items())]
    yield ["events", sorted(_events(held.saved.engine))]
    for model, core in sorted(held.saved.monitors.items()):
        stored = stored_core(core, model)
        yield ["progress", model, sorted(stored.greatest.items()), stored.closed_ms, stored.counted, stored.issued]
        yield ["versions", model, sorted(stored.versions)]
        if stored.lesson is not None:
            yield ["learning", model, stored.lesson.rows, stored.lesson.size_bytes, stored.lesson.end is not None]
        episodes = [(alert.key, alert.episode) for alert in stored.alerts]
        yield [
            "alerts",
            model,
            sorted((key, each.state, each.alert_id, each.breaches, each.clears) for key, each in episodes),
        ]
        for key, data in sorted(held.saved.panes.get(model, {}).items()):
            if key == QUALITY + HEAD:
                yield ["labels", model, sorted(read_head(data).totals.items())]
            elif key.startswith((CONTROL, SLOW)):
                yield [key.partition("/")[0], model, key, hashlib.sha256(data).hexdigest()]
            elif not key.startswith((SEEN, QUALITY, REPEATS)):
                yield ["pane", model, key, _whole_numbers(data)]
    yield ["episodes", sorted(held.alerts.items())]
    yield ["steps", sorted(held.steps.items())]
    yield ["incidents", [(each.id, each.version, sorted(each.rules)) for each in held.saved.incidents]]
    yield ["letters", held.letters]


def _events(engine: bytes) -> Iterator[list[Any]]:
    """Counters of events that are not 0: which ones exist depends on the configuration."""
    events_and_rejected = (msgspec.json.decode(engine) if engine else ())[:2]
    for tally in events_and_rejected:
        yield from (counter for counter in tally if counter[1])


def _whole_numbers(data: bytes) -> Mapping[str, Any]:
    _, arrays = unpack(data)
    return {
        name: hashlib.sha256(repr(array.shape).encode() + array.astype("<i8").tobytes()).hexdigest()
        for name, array in sorted(arrays.items())
        if array.dtype.kind in "iub"
    }


def _undecodable(held: Contents) -> Iterator[str]:
    for model, core in held.saved.monitors.items():
        try:
            stored_core(core, model)
        except StateError as error:
            yield str(error)
    for model, panes in held.saved.panes.items():
        for key, data in panes.items():
            try:
                _check_chunk(key, data)
            except StateError as error:
                yield f"pane {key} of model {model}: {error}"


def _check_chunk(key: str, data: bytes) -> None:
    checks: dict[str, Callable[[str, bytes], object]] = {
        SEEN: _check_ids, QUALITY: check, REPEATS: repeats.check, CONTROL: control_state.read, SLOW: detectors.check,
    }  # fmt: skip
    kind = next((kind for kind in checks if key.startswith(kind)), None)
    if kind is None:
        unpack(data)
    else:
        checks[kind](key[len(kind) :], data)


def _unkept(held: Contents, directory: Path) -> Iterator[str]:
    """Models whose events to learn from are not there, or not all of them."""
    for model, core in held.saved.monitors.items():
        lesson, spool = stored_core(core, model).lesson, place(directory, model, EVENTS)
        there = spool.stat().st_size if spool.is_file() else 0
        if lesson is not None and there < lesson.length:
            yield f"model {model} learns from {lesson.length} bytes of events, and {spool.name} holds {there}"


def _check_ids(_: str, data: bytes) -> None:
    if len(data) % 8:
        raise StateError(f"{len(data)} bytes are no whole number of ids")


def _dangling(held: Contents) -> Iterator[str]:
    """What speaks of something that is not there."""
    for model in held.saved.panes.keys() - held.saved.monitors.keys():
        yield f"there are panes of model {model}, but not the model"
    for identity, alert in held.steps.items():
        if alert not in held.alerts:
            yield f"step {identity} belongs to alert {alert}, which is not there"
    standing: dict[str, str] = {}
    for model, core in held.saved.monitors.items():
        standing |= {alert.episode.alert_id: alert.episode.state.value for alert in stored_core(core, model).alerts}
    listed = {name: state for name, state in held.alerts.items() if state in {"pending", "firing"}}
    for name in sorted(standing.keys() | listed.keys()):
        if standing.get(name) != listed.get(name):
            inside, outside = standing.get(name, "over"), listed.get(name, "over")
            yield f"alert {name} is {inside} in its model and {outside} in the listing"
