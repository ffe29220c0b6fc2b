"""A monitor's memory in bytes, and back: what a checkpoint holds of one model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType

import msgspec
import numpy as np

from driftwatch.daemon.learning import Learner, Lesson
from driftwatch.errors import StateError
from driftwatch.evaluation.alerts import Alerts, Episode
from driftwatch.monitor import Monitor
from driftwatch.quality import control_state, state
from driftwatch.quality.attendance import Attended
from driftwatch.quality.repeats import Repeated
from driftwatch.stream.windows import NEVER, Progress, WindowSpec
from driftwatch.summaries.codec import profile_bytes, profile_from_bytes, unpack
from driftwatch.summaries.layout import Layout
from driftwatch.summaries.segment_panes import PaneKey

FORMAT = 1
SEEN, QUALITY, SEGMENTS, CONTROL = "seen/", "quality/", "segments/", "control/"
REPEATS, AGAINST, SLOW = "repeats/", "against/", "slow/"
"""Chunks of ids, of predictions that wait for their labels, of panes' segments, of golden sets, of unique values, of
what windows are compared with, and of detectors of slow change stand among the panes under these and their names."""
_KINDS = (SEEN, QUALITY, SEGMENTS, CONTROL, REPEATS, AGAINST, SLOW)
_PANES = ""


class _Head(msgspec.Struct):
    format: int


class _Alert(msgspec.Struct):
    key: tuple[str, str, str, str]
    episode: Episode


class _Stored(msgspec.Struct, omit_defaults=True):
    """What stands beside the panes.

    panes_of: layout fingerprint and window form that the panes were counted for. segments_of: digest of the dimensions
    that they were divided by, "" for none. since: the first pane of a rolling reference.
    lesson: of a model that learns its reference; of it there is nothing else then but the watermark and the ids.
    learnt_before_ms: rows before that have been learnt from, and are not counted.
    first_ms: version → time of its earliest row; earlier releases did not keep it.
    """

    format: int
    panes_of: str
    greatest: dict[str, int]
    idle: list[str]
    closed_ms: int
    counted: int
    issued: int
    revisions: list[tuple[int, str, int]]
    touched: list[PaneKey]
    versions: list[str]
    alerts: list[_Alert]
    segments_of: str = ""
    attended: Attended | None = None
    repeated: Repeated | None = None
    since: int | None = None
    lesson: Lesson | None = None
    learnt_before_ms: int | None = None
    first_ms: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A monitor's state: its core whole; of its panes and chunks of ids what changed, None for what is gone."""

    core: bytes
    panes: Mapping[str, bytes | None] = field(default_factory=dict)


def encode(monitor: Monitor, *, learnt_before_ms: int | None = None) -> Snapshot:
    """Take a snapshot; the monitor is left for the caller to tell once it is saved."""
    progress, memory, repeats = monitor.windows.progress, monitor.memory, monitor.attendance.repeats
    stored = _Stored(
        format=FORMAT,
        panes_of=_form(monitor.layout, monitor.windows.spec),
        greatest=dict(progress.greatest),
        idle=sorted(progress.idle),
        closed_ms=progress.closed_ms,
        counted=progress.counted,
        issued=memory.issued,
        revisions=[(end, version, revision) for (end, version), revision in sorted(memory.revisions.items())],
        touched=sorted(memory.touched),
        versions=memory.versions.known,
        # In the order in which they began, which is the order in which reports list them.
        alerts=[_Alert(key, episode) for key, episode in memory.alerts.episodes.items()],
        segments_of=_divided_by(monitor),
        attended=None if monitor.attendance.attended == Attended() else monitor.attendance.attended,
        repeated=None if repeats is None else repeats.repeated,
        since=memory.against.since,
        learnt_before_ms=learnt_before_ms,
        first_ms=dict(sorted(memory.versions.first_ms.items())),
    )
    panes: dict[str, bytes | None] = {
        _name(key): profile_bytes(memory.panes[key]) if key in memory.panes else None for key in sorted(monitor.changed)
    }
    for number, chunk in memory.seen.changes().items():
        panes[f"{SEEN}{number}"] = None if chunk is None else chunk.astype("<u8").tobytes()
    if monitor.quality is not None:
        panes |= {QUALITY + name: chunk for name, chunk in state.changes(monitor.quality).items()}
    if memory.controls is not None:
        panes |= {CONTROL + name: chunk for name, chunk in control_state.changes(memory.controls).items()}
    if repeats is not None:
        panes |= {REPEATS + name: chunk for name, chunk in repeats.changes().items()}
    panes |= {SEGMENTS + name: chunk for name, chunk in monitor.segments.changes().items()}
    panes |= {AGAINST + name: chunk for name, chunk in memory.against.changes().items()}
    panes |= {SLOW + name: chunk for name, chunk in memory.detectors.changes(monitor.layout).items()}
    # What stands in the store and nothing needs now has to be deleted. A checkpoint that failed may be durable, too.
    panes |= dict.fromkeys(monitor.told - panes.keys())
    monitor.told |= panes.keys()
    return Snapshot(msgspec.json.encode(stored), panes)


def encode_learner(learner: Learner) -> Snapshot:
    """Take a snapshot of a model that is learning; what it has kept must be durable, up to `lesson.length`."""
    progress = learner.windows.progress
    learner.lesson.length = learner.spool.length
    stored = _Stored(
        format=FORMAT, panes_of="", greatest=dict(progress.greatest), idle=sorted(progress.idle),
        closed_ms=progress.closed_ms, counted=0, issued=NEVER, revisions=[], touched=[], versions=[],
        alerts=[_Alert(key, episode) for key, episode in learner.alerts.episodes.items()],
        lesson=learner.lesson,
    )  # fmt: skip
    panes = {f"{SEEN}{n}": None if each is None else each.astype("<u8").tobytes()
             for n, each in learner.seen.changes().items()}  # fmt: skip
    panes |= dict.fromkeys(learner.told - panes.keys())
    learner.told |= panes.keys()
    return Snapshot(msgspec.json.encode(stored), panes)


def resume_learner(learner: Learner, stored: _Stored, stored_panes: Mapping[str, bytes]) -> None:
    """Let a new learner go on from its state, or from its model's, of which only the alerts are left then."""
    learner.alerts = Alerts(MappingProxyType({alert.key: alert.episode for alert in stored.alerts}))
    if stored.lesson is None:
        learner.told |= stored_panes.keys()  # the next checkpoint deletes them
        return
    learner.windows.progress = Progress(stored.greatest, frozenset(stored.idle), stored.closed_ms)
    learner.seen.resume({int(name): np.frombuffer(data, "<u8") for name, data in _parts(stored_panes)[SEEN].items()})


def resume(monitor: Monitor, core: bytes, stored_panes: Mapping[str, bytes]) -> int:
    """Let a new monitor go on from its state; StateError when that is damaged or of a newer release.

    stored_panes: what the snapshots' `panes` have come to. Returns how many rows of open windows are left out.
    When the reference or the form of the windows has changed since, open windows cannot be gone on with, nor the
    predictions that wait for their labels; nor can these when their own form has changed. Divided by other dimensions,
    open windows stay whole, without segments. The next checkpoint deletes what is left out. Watermarks, alerts and ids
    stay in any case.
    """
    stored = stored_core(core, monitor.model)
    memory, windows = monitor.memory, monitor.windows
    parts = _parts(stored_panes)
    memory.seen.resume({int(name): np.frombuffer(data, "<u8") for name, data in parts[SEEN].items()})
    memory.alerts = Alerts(MappingProxyType({alert.key: alert.episode for alert in stored.alerts}))
    memory.versions.known, memory.versions.first_ms = stored.versions, dict(stored.first_ms)
    same = stored.panes_of == _form(monitor.layout, windows.spec)
    windows.progress = Progress(
        stored.greatest, frozenset(stored.idle), stored.closed_ms if same else NEVER, stored.counted if same else 0
    )
    if monitor.quality is None or not same or not state.resume(monitor.quality, parts[QUALITY]):
        monitor.told |= {QUALITY + name for name in parts[QUALITY]}
    if same and stored.segments_of == _divided_by(monitor):
        monitor.segments.resume(parts[SEGMENTS])
    else:
        monitor.told |= {SEGMENTS + name for name in parts[SEGMENTS]}
    useless = list(parts[CONTROL])
    if memory.controls is not None:
        useless = control_state.resume(memory.controls, parts[CONTROL])
    monitor.told |= {CONTROL + name for name in useless}
    useless = list(parts[REPEATS])
    if same and monitor.attendance.repeats is not None:
        useless = monitor.attendance.repeats.resume(stored.repeated or Repeated(), parts[REPEATS])
    monitor.told |= {REPEATS + name for name in useless}
    gone = memory.against.resume(parts[AGAINST], since=stored.since) if same else list(parts[AGAINST])
    monitor.told |= {AGAINST + name for name in gone}
    monitor.told |= {SLOW + name for name in memory.detectors.resume(monitor.layout, parts[SLOW])}
    if not same:
        monitor.changed |= set(map(_key, parts[_PANES]))
        return sum(int(unpack(data)[1]["scalars"][0]) for data in parts[_PANES].values())
    memory.panes = {_key(name): profile_from_bytes(monitor.layout, data) for name, data in parts[_PANES].items()}
    for (_, version), profile in memory.panes.items():
        if version not in stored.first_ms and profile.rows:  # saved by an earlier release: as far back as rows are held
            first_ms = memory.versions.first_ms
            first_ms[version] = min(profile.first_ms, first_ms.get(version, profile.first_ms))
    memory.revisions = {(end, version): revision for end, version, revision in stored.revisions}
    memory.touched, memory.issued = set(stored.touched), stored.issued
    monitor.attendance.attended = stored.attended or Attended()
    return 0


def _parts(stored: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    """A monitor's stored chunks, by kind and the rest of their names."""
    parts: dict[str, dict[str, bytes]] = {kind: {} for kind in (*_KINDS, _PANES)}
    for name, data in stored.items():
        kind = next((kind for kind in _KINDS if name.startswith(kind)), _PANES)
        parts[kind][name[len(kind) :]] = data
    return parts


def stored_core(core: bytes, model: str) -> _Stored:
    """Read what stands beside the panes; StateError when it is damaged or of a newer release."""
    try:
        written = msgspec.json.decode(core, type=_Head).format
        if written != FORMAT:
            raise StateError(f"the stored state of model {model} has format {written}; this release reads {FORMAT}")
        return msgspec.json.decode(core, type=_Stored)
    except msgspec.DecodeError as error:
        raise StateError(f"the stored state of model {model} cannot be read: {error}") from error


def _form(layout: Layout, spec: WindowSpec) -> str:
    return f"{layout.fingerprint}/{spec.size}/{spec.pane_ms}/{spec.rows}"


def _divided_by(monitor: Monitor) -> str:
    segments = monitor.dimensions.segments
    return sha256(repr(segments).encode()).hexdigest()[:32] if segments else ""


def _name(key: PaneKey) -> str:
    return f"{key[0]}/{key[1]}"


def _key(name: str) -> PaneKey:
    start, _, version = name.partition("/")
    return int(start), version
