"""A monitor's memory in bytes, and back: what a checkpoint holds of one model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec
import numpy as np

from driftwatch.errors import StateError
from driftwatch.evaluation.alerts import Alerts, Episode
from driftwatch.monitor import REMEMBERED, Memory, Monitor, PaneKey
from driftwatch.stream.seen import Seen
from driftwatch.stream.windows import NEVER, Progress, WindowSpec
from driftwatch.summaries.codec import profile_bytes, profile_from_bytes, unpack
from driftwatch.summaries.layout import Layout

FORMAT = 1
SEEN = "seen/"
"""Chunks of ids stand among the panes under this and their number."""


class _Head(msgspec.Struct):
    format: int


class _Alert(msgspec.Struct):
    key: tuple[str, str, str, str]
    episode: Episode


class _Stored(msgspec.Struct):
    """What stands beside the panes. panes_of: layout fingerprint and window form that the panes were counted for."""

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


@dataclass(slots=True)
class Restored:
    """What came back.

    discarded, discarded_rows: the open panes that no longer fit the reference or the window's form, and their rows.
    """

    progress: Progress
    memory: Memory
    discarded: frozenset[PaneKey] = frozenset()
    discarded_rows: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A monitor's state: its core whole; of its panes and chunks of ids what changed, None for what is gone."""

    core: bytes
    panes: Mapping[str, bytes | None] = field(default_factory=dict)


def encode(monitor: Monitor) -> Snapshot:
    """Take a snapshot; the monitor is left for the caller to tell once it is saved."""
    progress, memory = monitor.windows.progress, monitor.memory
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
        versions=memory.versions,
        # In the order in which they began, which is the order in which reports list them.
        alerts=[_Alert(key, episode) for key, episode in memory.alerts.episodes.items()],
    )
    panes: dict[str, bytes | None] = {
        _name(key): profile_bytes(memory.panes[key]) if key in memory.panes else None for key in sorted(monitor.changed)
    }
    for number, chunk in memory.seen.changes().items():
        panes[f"{SEEN}{number}"] = None if chunk is None else chunk.astype("<u8").tobytes()
    return Snapshot(msgspec.json.encode(stored), panes)


def decode(
    core: bytes,
    stored_panes: Mapping[str, bytes],
    *,
    layout: Layout,
    spec: WindowSpec,
    model: str,
    seen: Seen | None = None,
) -> Restored:
    """Bring a monitor's state back; StateError when it is damaged or of a newer release.

    stored_panes: what the snapshots' `panes` have come to. seen: an empty memory of ids, to be filled.
    When the reference or the form of the windows has changed since, open windows cannot be gone on with: their panes
    are left out and counted, while watermarks, alerts and ids stay.
    """
    stored = stored_core(core, model)
    seen = seen or Seen(REMEMBERED)
    chunks = {name: data for name, data in stored_panes.items() if name.startswith(SEEN)}
    panes = {name: data for name, data in stored_panes.items() if name not in chunks}
    seen.resume({int(name.removeprefix(SEEN)): np.frombuffer(data, "<u8") for name, data in chunks.items()})
    alerts = Alerts(MappingProxyType({alert.key: alert.episode for alert in stored.alerts}))
    same = stored.panes_of == _form(layout, spec)
    progress = Progress(
        stored.greatest, frozenset(stored.idle), stored.closed_ms if same else NEVER, stored.counted if same else 0
    )
    if not same:
        rows = sum(int(unpack(data)[1]["scalars"][0]) for data in panes.values())
        memory = Memory(alerts=alerts, versions=stored.versions, seen=seen)
        return Restored(progress, memory, frozenset(map(_key, panes)), rows)
    memory = Memory(
        panes={_key(name): profile_from_bytes(layout, data) for name, data in panes.items()},
        revisions={(end, version): revision for end, version, revision in stored.revisions},
        touched=set(stored.touched),
        issued=stored.issued,
        alerts=alerts,
        versions=stored.versions,
        seen=seen,
    )
    return Restored(progress, memory)


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


def _name(key: PaneKey) -> str:
    return f"{key[0]}/{key[1]}"


def _key(name: str) -> PaneKey:
    start, _, version = name.partition("/")
    return int(start), version
