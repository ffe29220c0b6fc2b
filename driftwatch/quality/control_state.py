"""What a checkpoint holds of golden sets: parts of each set, written only when they have changed."""

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from driftwatch.errors import StateError
from driftwatch.quality.control import CHUNKS, Answer, ControlSets, Item, Key
from driftwatch.stream.outputs import OutputForm

FORMAT = 1


class _Item(msgspec.Struct, array_like=True):
    name: str
    identity: int
    text: str
    label: tuple[int, bytes] | None
    first: Answer | None
    last: list[Answer]


class _Chunk(msgspec.Struct):
    """form: of the records, which mean nothing to another one. digest: of the items' bytes."""

    format: int
    form: str
    digest: bytes
    items: msgspec.Raw


def changes(sets: ControlSets) -> dict[str, bytes | None]:
    """The chunks to write, None for those that are gone; the same until `ControlSets.saved`."""
    found: dict[tuple[str, int], list[_Item]] = {chunk: [] for chunk in sorted(sets.unsaved)}
    for (name, identity), item in sorted(sets.items.items()) if found else ():
        chunk = name, identity % CHUNKS
        if chunk in found:
            last = [item.last[version] for version in sorted(item.last)]
            found[chunk].append(_Item(name, identity, item.text, item.label, item.first, last))
    return {f"{part}/{name}": _packed(items, sets.form) if items else None for (name, part), items in found.items()}


def resume(sets: ControlSets, chunks: Mapping[str, bytes]) -> list[str]:
    """Go on from what was written; the names of chunks that are of no use any more. StateError when it is damaged.

    Those are of sets that are not followed now, and all when the model's outputs have another form.
    """
    items: dict[Key, Item] = {}
    useless = []
    for chunk, data in chunks.items():
        stored = read(chunk, data)
        if stored.form != _form(sets.form) or chunk.partition("/")[2] not in sets.names:
            useless.append(chunk)
            continue
        for each in msgspec.msgpack.decode(stored.items, type=list[_Item]):
            last = {answer[1]: answer for answer in each.last}
            items[each.name, each.identity] = Item(each.text, each.label, each.first, last)
    sets.adopt(items)
    return useless


def read(chunk: str, data: bytes) -> _Chunk:
    """Check one chunk; StateError when it is damaged or of a newer release."""
    try:
        stored = msgspec.msgpack.decode(data, type=_Chunk)
    except msgspec.DecodeError as error:
        raise StateError(f"part {chunk} of a golden set cannot be read: {error}") from error
    if stored.format != FORMAT:
        raise StateError(f"part {chunk} of a golden set has format {stored.format}; this release reads {FORMAT}")
    if sha256(stored.items).digest() != stored.digest:
        raise StateError(f"part {chunk} of a golden set is damaged")
    return stored


def _packed(items: list[_Item], form: OutputForm) -> bytes:
    body = msgspec.msgpack.encode(items)
    return msgspec.msgpack.encode(_Chunk(FORMAT, _form(form), sha256(body).digest(), msgspec.Raw(body)))


def _form(form: OutputForm) -> str:
    return f"{form.outputs.descr}{form.outcomes.descr}{form.classes}"
