"""A monitor's memory in bytes, and back: what a checkpoint holds of one model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec

from driftwatch.errors import StateError
from driftwatch.evaluation.alerts import Alerts, Episode
from driftwatch.monitor import Memory, Monitor, PaneKey
from driftwatch.stream.windows import NEVER, Progress, WindowSpec
from driftwatch.summaries.codec import profile_bytes, profile_from_bytes, unpack
from driftwatch.summaries.layout import Layout

FORMAT = 1


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
    """A monitor's state: its core whole, of its panes those that changed, None for those that are gone."""

    core: bytes
    panes: Mapping[str, bytes | None] = field(default_factory=dict)


def encode(monitor: Monitor) -> Snapshot:
    """Take a snapshot; the monitor's `changed` is left for the caller to clear once it is saved."""
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
    panes = {
        _name(key): profile_bytes(memory.panes[key]) if key in memory.panes else None for key in sorted(monitor.changed)
    }
    return Snapshot(msgspec.json.encode(stored), panes)


def decode(core: bytes, panes: Mapping[str, bytes], *, layout: Layout, spec: WindowSpec, model: str) -> Restored:
    """Bring a monitor's state back; StateError when it is damaged or of a newer release.

    When the reference or the form of the windows has changed since, open windows cannot be gone on with: their panes
    are left out and counted, while watermarks and alerts stay.
    """
    try:
        written = msgspec.json.decode(core, type=_Head).format
        if written != FORMAT:
            raise StateError(f"the stored state of model {model} has format {written}; this release reads {FORMAT}")
        stored = msgspec.json.decode(core, type=_Stored)
    except msgspec.DecodeError as error:
        raise StateError(f"the stored state of model {model} cannot be read: {error}") from error
    alerts = Alerts(MappingProxyType({alert.key: alert.episode for alert in stored.alerts}))
    same = stored.panes_of == _form(layout, spec)
    progress = Progress(
        stored.greatest, frozenset(stored.idle), stored.closed_ms if same else NEVER, stored.counted if same else 0
    )
    if not same:
        rows = sum(int(unpack(data)[1]["scalars"][0]) for data in panes.values())
        return Restored(progress, Memory(alerts=alerts, versions=stored.versions), frozenset(map(_key, panes)), rows)
    memory = Memory(
        panes={_key(name): profile_from_bytes(layout, data) for name, data in panes.items()},
        revisions={(end, version): revision for end, version, revision in stored.revisions},
        touched=set(stored.touched),
        issued=stored.issued,
        alerts=alerts,
        versions=stored.versions,
    )
    return Restored(progress, memory)


def _form(layout: Layout, spec: WindowSpec) -> str:
    return f"{layout.fingerprint}/{spec.size}/{spec.pane_ms}/{spec.rows}"


def _name(key: PaneKey) -> str:
    return f"{key[0]}/{key[1]}"


def _key(name: str) -> PaneKey:
    start, _, version = name.partition("/")
    return int(start), version
