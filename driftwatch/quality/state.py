"""What a checkpoint holds of predictions and their labels: chunks by name, written only when they have changed.

labels/… is the join's, learnt/… the assessor's, windows/… one for each window that may be reported again; `head` is
written whole and says what they were made for.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from driftwatch.errors import StateError
from driftwatch.quality.learnt import under
from driftwatch.quality.pending import Pending, WindowKey
from driftwatch.quality.quality import Quality
from driftwatch.quality.segments import WHOLE
from driftwatch.quality.standing import Counting
from driftwatch.stream.frontier import Reach
from driftwatch.summaries.codec import unpack

HEAD, JOIN, LEARNT, WINDOWS = "head", "labels/", "learnt/", "windows/"


class Head(msgspec.Struct):
    """What stands beside the chunks.

    form: of outputs and outcomes, and what their groups mean. totals: version → labelled, cancelled and waiting
    predictions, for whoever compares two states: unlike everything else they do not depend on the order in which
    partitions were read, as long as all labels come within `label_wait` and there is room for all predictions.
    """

    form: str
    greatest: dict[str, int]
    idle: list[str]
    codes: dict[str, int]
    latest_ms: int
    counting: Counting
    totals: dict[str, tuple[int, int, int]]


def changes(quality: Quality) -> dict[str, bytes | None]:
    """The chunks to write, None for those that are gone; the same until `Quality.saved`."""
    known, reach = quality.known, quality.frontier.reach
    names = {code: version for version, code in known.codes.items()}
    head = Head(
        form=_form(quality),
        greatest=dict(reach.greatest),
        idle=sorted(reach.idle),
        codes=known.codes,
        latest_ms=known.latest_ms,
        counting=known.counting,
        totals={
            names[code]: (total.labelled, total.cancelled, total.waiting)
            for code, total in sorted(quality.join.totals().items())
        },
    )
    return {
        HEAD: msgspec.json.encode(head),
        **{_window_name(key): _window(known.windows.get(key)) for key in sorted(quality.agenda.changed)},
        **{JOIN + name: chunk for name, chunk in quality.join.changes().items()},
        **{LEARNT + name: chunk for name, chunk in quality.assessor.learnt.changes().items()},
    }


def resume(quality: Quality, chunks: Mapping[str, bytes]) -> bool:
    """Go on, as a new Quality, from what was written; False when that was for other outputs and none of it fits.

    StateError when it is damaged.
    """
    if HEAD not in chunks:
        if chunks:
            raise StateError("predictions are stored without their head")
        return True
    head = read_head(chunks[HEAD])
    if head.form != _form(quality):
        return False
    quality.frontier.reach = Reach(head.greatest, frozenset(head.idle))
    quality.known.codes |= head.codes
    quality.known.latest_ms, quality.known.counting = head.latest_ms, head.counting
    for name, data in under(WINDOWS, chunks).items():
        end, _, version = name.partition("/")
        quality.known.windows[int(end), version] = read_window(data)
    quality.join.resume(under(JOIN, chunks))
    quality.assessor.learnt.resume(under(LEARNT, chunks))
    return True


def check(name: str, data: bytes) -> None:
    """Raise StateError when a chunk cannot be read; those of the join tell only when all are read together."""
    if name == HEAD:
        read_head(data)
    elif name.startswith(WINDOWS):
        read_window(data)
    elif name.startswith(LEARNT):
        unpack(data)


def read_head(data: bytes) -> Head:
    """Read the head; StateError when it is damaged."""
    try:
        return msgspec.json.decode(data, type=Head)
    except msgspec.DecodeError as error:
        raise StateError(f"what is stored of predictions cannot be read: {error}") from error


def read_window(data: bytes) -> Pending:
    """Read what is stored of one window; StateError when it is damaged."""
    try:
        written = msgspec.json.decode(data, type=dict[str, Any])
        # Before there were segments a rule stood for itself.
        written["decided"] = [[each, WHOLE] if isinstance(each, str) else each for each in written["decided"]]
        return msgspec.convert(written, Pending)
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise StateError(f"what is stored of a window cannot be read: {error}") from error


def _window_name(key: WindowKey) -> str:
    return f"{WINDOWS}{key[0]}/{key[1]}"


def _window(pending: Pending | None) -> bytes | None:
    return None if pending is None else msgspec.json.encode(pending, order="deterministic")


def _form(quality: Quality) -> str:
    form = quality.join.form
    kept = (form.task.value, form.classes, form.outputs.descr, form.outcomes.descr)
    if not form.groups:
        return repr(kept)
    # A group's code means something only beside the dimensions that it was made by.
    return repr((*kept, sha256(repr(quality.dimensions.all).encode()).hexdigest()))
