"""From columns of clean values to a Batch or Labels, and the last judgement of each row: model, id, time, version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress
from typing import Any

import numpy as np
from msgspec import UNSET, Raw
from numpy.typing import NDArray

from driftwatch.kernels.hashing import hash_texts
from driftwatch.stream.answer_events import EventAnswers
from driftwatch.stream.batch import Batch, Codes, Floats, Hashes, Ints, Labels
from driftwatch.stream.control import Controls, take_apart
from driftwatch.stream.convert import Lookup, codes, numbers
from driftwatch.stream.form import ABSENT, Leaf, Path, Role, label_role
from driftwatch.stream.outputs import OutputForm, Records
from driftwatch.stream.raw import Stream
from driftwatch.stream.reject import NAMELESS, Reject, Rejection
from driftwatch.stream.schema import Schema, Task
from driftwatch.stream.times import BAD_TIME, times_ms
from driftwatch.stream.tolerant import UNREADABLE, clean, parse_any
from driftwatch.stream.unique import UniqueColumns

Columns = Mapping[Path, Sequence[Any]]

LONGEST_VERSION = 256
"""Characters; a version becomes a label of metrics."""

_REASONS = tuple(Reject)
_CODE = {reason: code + 1 for code, reason in enumerate(_REASONS)}


@dataclass(frozen=True, slots=True)
class Piece:
    """What came of some events: rows that are kept, the others with their reasons, and those of golden sets.

    places: (rows,) of the kept rows, each one's place among the events of its Raw.
    """

    batch: Batch | Labels | None
    rejected: tuple[Rejection, ...]
    places: Ints
    controls: Controls | None = None


class Assembler:
    """Makes batches of one model and stream; built once per schema.

    `max_future_ms`: how far an event may be dated after its receipt.
    """

    def __init__(
        self, schema: Schema, leaves: Sequence[Leaf], *, stream: Stream, form: OutputForm, max_future_ms: int
    ) -> None:
        self._schema = schema
        self._stream = stream
        self._max_future_ms = max_future_ms
        self._paths = {leaf.role: leaf.path for leaf in leaves if leaf.column is None}
        self._further = {leaf.column: leaf.path for leaf in leaves if leaf.further}
        first = [leaf for leaf in leaves if not leaf.further]
        self._numeric = [leaf for leaf in first if leaf.role is Role.NUMBER]
        self._categorical = [
            (leaf, Lookup(leaf.column)) for leaf in first if leaf.role is Role.CATEGORY and leaf.column
        ]
        self._answers = EventAnswers(schema, leaves, form)
        self._unique = UniqueColumns(schema) if schema.unique else None

    def assemble(self, columns: Columns, *, partition: str, stamps: Ints, received_ms: int, indices: Ints) -> Piece:
        """One batch from columns by path.

        stamps: (rows,) time in ms of rows that carry none. indices: (rows,) the event's place in its Raw.
        A path that is absent counts as null in every row.
        """
        rows = len(stamps)
        nulls = (None,) * rows
        times = times_ms(columns.get(self._paths[Role.TIME], nulls), stamps)
        ids = columns.get(self._paths[Role.ID], nulls)
        versions = columns.get(self._paths[Role.VERSION], nulls)
        verdicts = self._judge(
            columns, times=times, ids=ids, versions=versions, latest_ms=received_ms + self._max_future_ms
        )
        outcomes = self._outcomes(columns, verdicts) if self._stream is Stream.LABELS else None
        keep = verdicts == 0
        rejected = () if keep.all() else self._rejections(verdicts, indices)
        if not keep.any():
            return Piece(None, rejected, indices[:0])
        kept = keep if rejected else slice(None)
        whole = (partition, times[kept], hash_ids(ids)[kept])
        if outcomes is not None:
            records, cancelled = outcomes
            labels = Labels(*whole, records[kept], cancelled[kept])
            return self._piece(labels, rejected, columns, keep=keep, places=indices[kept])
        # A refused row's version leaves no trace, not even in the order of the names.
        version_codes, version_names = _versions(tuple(compress(versions, keep)) if rejected else versions)
        numeric, categorical = self._matrices(columns, rows)
        outputs = self._answers.outputs(columns, numeric, categorical)
        batch = Batch(*whole, version_codes, version_names, numeric[:, kept], categorical[:, kept], outputs[kept])
        if self._unique is not None:
            batch = replace(batch, uniques=self._unique.of_events(columns, numeric, categorical)[:, kept])
        return self._piece(batch, rejected, columns, keep=keep, places=indices[kept])

    def _piece(
        self, rows: Batch | Labels, rejected: tuple[Rejection, ...], columns: Columns, *, keep: NDArray[np.bool_],
        places: Ints,
    ) -> Piece:  # fmt: skip
        """Keep the events of golden sets apart: windows, joins and the memory of ids never hear of them."""
        sets = columns.get(self._paths.get(Role.CONTROL, ()))
        if sets is None or sets.count(None) == len(sets):
            return Piece(rows, rejected, places)
        ids = columns.get(self._paths[Role.ID], (None,) * len(sets))
        kept = tuple(compress(sets, keep))
        rest, controls = take_apart(rows, kept, tuple(compress(ids, keep)))
        answers = columns.get(self._paths.get(Role.ANSWER, ()))
        if controls is not None and answers is not None and isinstance(controls.rows, Batch):
            golden = (name is not None and name != "" for name in kept)
            controls = self._labelled(controls, tuple(compress(compress(answers, keep), golden)))
        return Piece(rest, rejected, places[[name is None or name == "" for name in kept]], controls)

    def _labelled(self, controls: Controls, answers: Sequence[Any]) -> Controls:
        """The labels that stand beside predictions of golden sets; what is no label is left out. answers: (rows,)."""
        leaf = Leaf(self._answers.label_path, label_role(self._schema.task))
        values = [UNSET if answer is ABSENT else clean(leaf, _sent(answer)) for answer in answers]
        records, said = self._answers.outcomes({leaf.path: values}, len(values))
        places = np.flatnonzero(~(said.absent | said.cancelled | said.wrong))
        batch = controls.rows
        none_cancelled = np.zeros(places.size, dtype=np.bool_)
        labels = Labels(batch.partition, batch.times[places], batch.ids[places], records[places], none_cancelled)
        return replace(controls, labels=labels, labelled=tuple(places.tolist()))

    def _judge(
        self, columns: Columns, *, times: Ints, ids: Sequence[Any], versions: Sequence[Any], latest_ms: int
    ) -> NDArray[np.int8]:
        verdicts = np.zeros(len(times), dtype=np.int8)
        mark = partial(_mark, verdicts)
        models = columns.get(("model",))
        if models is not None and models.count(self._schema.model) != len(models):
            mark([model is None for model in models], Reject.MISSING_MODEL)
            mark([model != self._schema.model for model in models], Reject.UNKNOWN_MODEL)
        joined = self._schema.task is not Task.NONE or self._stream is Stream.LABELS
        if joined and (None in ids or "" in ids):
            mark([identity is None or identity == "" for identity in ids], Reject.MISSING_ID)
        if UNREADABLE in ids:
            mark([identity == UNREADABLE for identity in ids], Reject.BAD_ID)
        mark(times == BAD_TIME, Reject.BAD_TIME)
        mark(times > latest_ms, Reject.FUTURE)
        unfit = {
            version for version in set(versions) if version == UNREADABLE or len(_version(version)) > LONGEST_VERSION
        }
        if unfit:
            mark([version in unfit for version in versions], Reject.BAD_VERSION)
        return verdicts

    def _outcomes(self, columns: Columns, verdicts: NDArray[np.int8]) -> tuple[Records, NDArray[np.bool_]]:
        records, said = self._answers.outcomes(columns, len(verdicts))
        _mark(verdicts, said.absent, Reject.MISSING_LABEL)
        _mark(verdicts, said.wrong, Reject.BAD_LABEL)
        return records, said.cancelled

    def _rejections(self, verdicts: NDArray[np.int8], indices: Ints) -> tuple[Rejection, ...]:
        model = self._schema.model
        reasons = [_REASONS[code - 1] for code in verdicts[verdicts > 0]]
        places = indices[verdicts > 0].tolist()
        return tuple(
            Rejection(place, reason, "" if reason in NAMELESS else model)
            for place, reason in zip(places, reasons, strict=True)
        )

    def _matrices(self, columns: Columns, rows: int) -> tuple[Floats, Codes]:
        numeric = np.empty((len(self._numeric), rows))
        for position, leaf in enumerate(self._numeric):
            assert leaf.column is not None
            numeric[position] = numbers(self._values(columns, leaf, rows), leaf.column)
        categorical = np.empty((len(self._categorical), rows), dtype=np.int32)
        for position, (leaf, lookup) in enumerate(self._categorical):
            categorical[position] = codes(self._values(columns, leaf, rows), lookup)
        return numeric, categorical

    def _values(self, columns: Columns, leaf: Leaf, rows: int) -> Sequence[Any]:
        """A column's values, (rows,), from its first field or, where that is null, its further one."""
        values = columns.get(leaf.path)
        further = columns.get(self._further[leaf.column]) if leaf.column in self._further else None
        if further is None or further.count(None) == rows:
            return (None,) * rows if values is None else values
        if values is None:
            return further
        return [second if first is None else first for first, second in zip(values, further, strict=True)]


def _sent(answer: Any) -> Any:
    """A value as it was sent: events hold it as raw bytes, columnar batches have been read already."""
    return parse_any(bytes(answer)) if isinstance(answer, Raw) else answer


def _mark(verdicts: NDArray[np.int8], bad: Any, reason: Reject) -> None:
    verdicts[np.asarray(bad) & (verdicts == 0)] = _CODE[reason]


def hash_ids(ids: Sequence[Any]) -> Hashes:
    """64-bit hashes of events' ids, (rows,); 0 where there is none. 17 and "17" are one id."""
    kinds = set(map(type, ids))
    if kinds == {type(None)}:
        return np.zeros(len(ids), dtype=np.uint64)
    texts = ids if kinds == {str} else ["" if identity is None else str(identity) for identity in ids]
    hashes = hash_texts(texts)
    if None in ids or "" in ids:  # what has no id is nobody's duplicate, whatever stands beside it
        hashes[[identity is None or identity == "" for identity in ids]] = 0
    return hashes


def _versions(versions: Sequence[Any]) -> tuple[Codes, tuple[str, ...]]:
    place = {version: code for code, version in enumerate(dict.fromkeys(versions))}
    names = list(map(_version, place))
    unique = tuple(dict.fromkeys(names))
    mapped = np.array([unique.index(name) for name in names], dtype=np.int32)
    return mapped[np.fromiter(map(place.__getitem__, versions), np.int32, len(versions))], unique


def _version(value: Any) -> str:
    # 7 and 7.0 are equal and must have one name, or it would depend on which of them stood first.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)
