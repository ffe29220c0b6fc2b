"""What a checkpoint holds of predictions and their labels: chunks by name, written only when they have changed.

labels/… is the join's, learnt/… the assessor's; `head` is written whole and says what they were made for.
"""

from collections.abc import Mapping

import msgspec

from driftwatch.errors import StateError
from driftwatch.evaluation.report import Window
from driftwatch.quality.pending import Pending
from driftwatch.quality.quality import Quality
from driftwatch.quality.standing import Counting
from driftwatch.stream.frontier import Reach

HEAD, JOIN, LEARNT = "head", "labels/", "learnt/"


class Head(msgspec.Struct):
    """What stands beside the chunks.

    form: of outputs and outcomes. totals: version → labelled, cancelled and waiting predictions, for whoever compares
    two states: unlike everything else they do not depend on the order in which partitions were read, as long as all
    labels come within `label_wait` and there is room for all predictions.
    """

    form: str
    greatest: dict[str, int]
    idle: list[str]
    codes: dict[str, int]
    latest_ms: int
    counting: Counting
    windows: list[tuple[int, str, Window, int, int, list[str], bool]]
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
        windows=[
            (*key, each.window, each.looked, each.mark, sorted(each.decided), each.final)
            for key, each in sorted(known.windows.items())
        ],
        totals={
            names[code]: (total.labelled, total.cancelled, total.waiting)
            for code, total in sorted(quality.join.totals().items())
        },
    )
    return {
        HEAD: msgspec.json.encode(head),
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
    quality.known.windows |= {
        (end, version): Pending(window, looked, mark, frozenset(decided), final)
        for end, version, window, looked, mark, decided, final in head.windows
    }
    quality.join.resume(_under(JOIN, chunks))
    quality.assessor.learnt.resume(_under(LEARNT, chunks))
    return True


def read_head(data: bytes) -> Head:
    """Read the head; StateError when it is damaged."""
    try:
        return msgspec.json.decode(data, type=Head)
    except msgspec.DecodeError as error:
        raise StateError(f"what is stored of predictions cannot be read: {error}") from error


def _form(quality: Quality) -> str:
    form = quality.join.form
    return repr((form.task.value, form.classes, form.outputs.descr, form.outcomes.descr))


def _under(prefix: str, chunks: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name.removeprefix(prefix): chunk for name, chunk in chunks.items() if name.startswith(prefix)}
