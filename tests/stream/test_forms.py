"""The four event forms are the same rows, wherever they are cut."""

import json
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.stream.batch import Batch
from driftwatch.stream.decode import Decoded, Decoder
from driftwatch.stream.raw import Raw, Stream
from driftwatch.stream.reader import CHUNK_ROWS, Intake
from tests.stream_strategies import RECEIVED_MS, SCHEMA, assert_batches_equal, assert_decoded_equal, cuts, events


def decode(*records: str, decoder: Decoder | None = None) -> Decoded:
    decoder = decoder or Decoder([Intake(SCHEMA, 600_000)])
    encoded = tuple(record.encode() for record in records)
    return decoder.decode(Raw(Stream.PREDICTIONS, "test", "test/0", encoded, RECEIVED_MS, 1))


def columnar(rows: list[dict]) -> str:
    columns = {key: [row[key] for row in rows] for key in ("id", "time", "version", "score", "note")}
    columns |= {f"features.{key}": [row["features"][key] for row in rows] for key in rows[0]["features"]}
    return json.dumps({"model": "fraud", "columns": columns})


@settings(deadline=None, max_examples=150)
@given(st.lists(events(), min_size=1, max_size=8))
def test_forms_are_equal(rows: list[dict]) -> None:
    """Objects, an array, lines and columns of the same rows give the same batch, rejections and counts."""
    texts = [json.dumps(row) for row in rows]
    expected = decode(*texts)
    assert_decoded_equal(decode("[" + ", ".join(texts) + "]"), expected)
    assert_decoded_equal(decode("\n".join(texts)), expected)
    assert_decoded_equal(decode(columnar(rows)), expected)
    assert_decoded_equal(decode(*(json.dumps(row, indent=1) for row in rows)), expected)


@settings(deadline=None, max_examples=100)
@given(st.data(), st.lists(events(), min_size=1, max_size=12), st.booleans())
def test_cutting_law_of_decode(data, rows: list[dict], one_decoder: bool) -> None:  # noqa: FBT001 - drawn
    """The same records cut anywhere give the same rows, whatever the decoder has learnt before."""
    texts = [json.dumps(row) for row in rows]
    whole = decode(*texts)
    kept = Decoder([Intake(SCHEMA, 600_000)]) if one_decoder else None
    places = data.draw(cuts(len(texts)))
    parts = [decode(*texts[a:b], decoder=kept) for a, b in pairwise(places)]
    assert sum(part.received for part in parts) == whole.received
    assert sum(part.unknown_keys for part in parts) == whole.unknown_keys
    assert [r.reason for part in parts for r in part.rejected] == [r.reason for r in whole.rejected]
    batches = [part.batches["fraud"] for part in parts if part.batches]
    assert_batches_equal(Batch.joined(batches) if batches else None, whole.batches.get("fraud"))


@settings(deadline=None, max_examples=50)
@given(st.lists(events(), min_size=1, max_size=8))
def test_conservation(rows: list[dict]) -> None:
    """Every event is a row or a rejection, and no two rejections are of one event."""
    decoded = decode(*map(json.dumps, rows))
    kept = decoded.batches["fraud"].rows if decoded.batches else 0
    assert decoded.received == len(rows) == kept + len({rejection.index for rejection in decoded.rejected})


def test_chunks_are_not_seen() -> None:
    """A batch longer than a chunk, with a wrong event at each edge of one, is the sum of its rows."""
    size = 2 * CHUNK_ROWS + 3
    broken = {0, CHUNK_ROWS - 1, CHUNK_ROWS, 2 * CHUNK_ROWS - 1, size - 1}
    row = '{"model": "fraud", "id": %d, "score": %s, "features": {"amount": %d}}'
    texts = ["{" if n in broken else row % (n, '"x"' if n % 7 == 0 else "0.25", n) for n in range(size)]
    decoded = decode("\n".join(texts[1:-1]) + "\n" + texts[-1])
    batch = decoded.batches["fraud"]
    assert [rejection.index for rejection in decoded.rejected] == sorted(place - 1 for place in broken - {0})
    assert batch.numeric[0].tolist() == [float(n) for n in range(size) if n not in broken]
    assert batch.rows + len(decoded.rejected) == decoded.received == size - 1
