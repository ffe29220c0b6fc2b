"""Conservation law: rows received = accepted + late + duplicate + rejected by reason, per stream and partition."""

import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.stream.decode import Decoder, Intake
from driftwatch.stream.raw import EVENT_STREAMS, Raw
from driftwatch.stream.schema import Column, Kind, Schema, Task
from driftwatch.stream.windows import WindowSpec
from tests.monitors import LAYOUT, MODEL, SPECS, monitor
from tests.stream_strategies import RECEIVED_MS

_SCHEMA = Schema(MODEL, Task.BINARY, LAYOUT.numeric, LAYOUT.categorical)
_OTHER = Schema("churn", Task.NONE, (Column("x", Kind.NUMERIC),), ())

_events = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from([MODEL, MODEL, MODEL, "churn", "nobody", None]),
        "id": st.sampled_from(["a", 7, None, True]),
        "time": st.integers(RECEIVED_MS - 100, RECEIVED_MS + 10) | st.sampled_from(["now", RECEIVED_MS + 9**9]),
        "version": st.sampled_from(["1", "2", True]),
        "label": st.sampled_from([0, 1, None, []]),
        "features": st.sampled_from([{}, {"amount": 3, "country": "DE"}, {"amount": "x"}, 5]),
    },
)
_records = st.lists(_events.map(json.dumps) | st.sampled_from(["{", "7", ""]), max_size=6)
_raws = st.lists(st.tuples(st.sampled_from(list(EVENT_STREAMS)), st.sampled_from("ab"), _records), max_size=8)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(SPECS), _raws, st.booleans())
def test_conservation(form: WindowSpec, raws: list, lines: bool) -> None:  # noqa: FBT001 - drawn
    """Every event of every delivery is counted once: on time, late, sent twice, or refused for one reason."""
    decoder = Decoder([Intake(_SCHEMA, 600_000), Intake(_OTHER, 600_000)])
    target = monitor(form)
    received, counted, panes = Counter(), Counter(), 0
    for stream, partition, records in raws:
        # Broken lines alone could as well be one broken object, and count as one.
        joined = lines and any(text.endswith("}") for text in records)
        texts = [text for text in records if text] if joined else records
        body = ("\n".join(texts),) if joined else tuple(texts)
        raw = Raw(stream, "test", partition, tuple(text.encode() for text in body), RECEIVED_MS, 1)
        decoded = decoder.decode(raw)
        key = (stream, partition)
        received[key] += len(texts)
        assert decoded.received == len(texts)
        for rejection in decoded.rejected:
            counted[*key, rejection.reason] += 1
        counted[*key, "labels"] += sum(labels.rows for labels in decoded.labels.values())
        for model, batch in decoded.batches.items():
            outcome = target.feed(batch, received_ms=RECEIVED_MS) if model == MODEL else None
            counted[*key, "accepted"] += outcome.accepted if outcome else batch.rows
            counted[*key, "late"] += outcome.late if outcome else 0
            counted[*key, "duplicate"] += outcome.duplicate if outcome else 0
            panes += outcome.accepted if outcome else 0
    for key, total in received.items():
        assert sum(count for (*where, _), count in counted.items() if tuple(where) == key) == total
    held = sum(pane.rows for pane in target.memory.panes.values())
    assert held <= panes
    if form.rows is None:
        assert held == panes, "nothing was forgotten in so short a time"
