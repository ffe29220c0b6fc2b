"""The reference file: every version is readable for ever, and no half or damaged file is."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.config import ModelSpec
from driftwatch.daemon.referencing import build_reference
from driftwatch.errors import DataError, StateError
from driftwatch.store import references
from driftwatch.stream.schema import Task
from driftwatch.summaries.codec import pack, unpack
from driftwatch.summaries.reference import Reference
from tests.golden.make_reference import DIVIDED, built, described, written_data

GOLDEN = Path(__file__).parent / "golden"
BYTES = (GOLDEN / "reference_v1.reference").read_bytes()


def test_golden_file_of_version_1_reads_to_its_exact_values():
    """Every number, name and word that version 1 wrote, bit for bit."""
    expected = json.loads((GOLDEN / "reference_v1.json").read_text(encoding="utf-8"))
    assert described(references.load(GOLDEN / "reference_v1.reference")) == expected


@pytest.mark.parametrize("task", [Task.BINARY, Task.REGRESSION])
def test_golden_files_of_version_2_read_to_their_exact_values(task, tmp_path):
    """What version 2 wrote of labels, bit for bit; the same table still has the same outcomes."""
    golden = references.load(GOLDEN / f"reference_v2_{task}.reference")
    assert described(golden) == json.loads((GOLDEN / f"reference_v2_{task}.json").read_text(encoding="utf-8"))
    outcomes = built(tmp_path, task).outcomes
    assert (outcomes.rows, outcomes.refused, outcomes.classes) == (
        golden.outcomes.rows, golden.outcomes.refused, golden.outcomes.classes,
    )  # fmt: skip
    assert outcomes.losses == pytest.approx(golden.outcomes.losses, rel=1e-12)
    for name, array in golden.outcomes.arrays().items():
        np.testing.assert_allclose(outcomes.arrays()[name], array, rtol=1e-9, atol=1e-9, err_msg=name)


def test_golden_file_of_version_3_reads_to_its_exact_values(tmp_path):
    """What version 3 wrote of segments, importance and rhythm, bit for bit; the same table still has the same ones."""
    golden = references.load(GOLDEN / "reference_v3_binary.reference")
    assert described(golden) == json.loads((GOLDEN / "reference_v3_binary.json").read_text(encoding="utf-8"))
    again = built(tmp_path, Task.BINARY, **DIVIDED)
    assert again.dimensions.segment_names == golden.dimensions.segment_names
    assert again.protected_rows == golden.protected_rows
    for one, other in zip(again.segments, golden.segments, strict=True):
        assert one.rows == other.rows
        np.testing.assert_array_equal(one.numeric.counts, other.numeric.counts)
        np.testing.assert_array_equal(one.categories, other.categories)
    np.testing.assert_allclose(again.importance, golden.importance, rtol=1e-9)
    np.testing.assert_array_equal(again.rhythm.rows, golden.rhythm.rows)


def test_golden_file_of_version_4_reads_to_its_exact_values(tmp_path):
    """What version 4 wrote of consecutive rows, bit for bit; the same table still has the same pyramid."""
    golden = references.load(GOLDEN / "reference_v4_binary.reference")
    expected = json.loads((GOLDEN / "reference_v4_binary.json").read_text(encoding="utf-8"))
    assert described(golden, version=4) == expected
    assert described(built(tmp_path, Task.BINARY, **DIVIDED), version=4)["pyramid"] == expected["pyramid"]


def test_blocks_of_older_references_say_what_they_can_of_consecutive_rows():
    """Two blocks of 256 rows are the only level; written anew, the file holds the same."""
    for name in ("reference_v1", "reference_v2_binary", "reference_v3_binary"):
        old = references.load(GOLDEN / f"{name}.reference")
        assert old.pyramid.lengths.tolist() == [256]
        assert old.pyramid.blocks.tolist() == [2]
        assert (old.pyramid.counts.sum(axis=1) == old.rows).all()
        assert described(Reference.from_bytes(old.to_bytes()), version=4) == described(old, version=4)


def test_older_references_know_nothing_of_segments():
    """They load as those of a model that is looked at as a whole, and are written in the newest version."""
    for name in ("reference_v1", "reference_v2_binary"):
        old = references.load(GOLDEN / f"{name}.reference")
        assert (old.dimensions.all, old.segments, old.importance, old.rhythm) == ((), (), None, None)
        assert described(Reference.from_bytes(old.to_bytes())) == described(old)


@pytest.mark.parametrize("name", ["pyramid_counts", "pyramid_moments"])
def test_a_pyramid_that_does_not_fit_is_refused(name):
    """A column or a level too few."""
    meta, arrays = unpack((GOLDEN / "reference_v4_binary.reference").read_bytes())
    with pytest.raises(StateError, match="pyramid"):
        Reference.from_bytes(pack(meta, {**arrays, name: arrays[name][1:]}))


@pytest.mark.parametrize("name", ["segment_scalars", "segment_counts", "rhythm", "importance"])
def test_parts_that_do_not_fit_are_refused(name):
    """A profile too few, hours too few, columns too few."""
    meta, arrays = unpack((GOLDEN / "reference_v3_binary.reference").read_bytes())
    with pytest.raises(StateError):
        Reference.from_bytes(pack(meta, {**arrays, name: arrays[name][1:]}))


def test_labels_that_do_not_fit_their_bins_are_refused():
    """Outcomes over another grid than the one that stands beside them."""
    meta, arrays = unpack((GOLDEN / "reference_v2_binary.reference").read_bytes())
    with pytest.raises(StateError, match="do not fit"):
        Reference.from_bytes(pack(meta, {**arrays, "outcome_edges": arrays["outcome_edges"][1:]}))


def test_golden_data_still_builds_to_the_same_counts(tmp_path):
    """The same table gives the same layout and profile as when the golden file was made."""
    spec = ModelSpec(name="golden", task=Task.BINARY)
    data = written_data(tmp_path)
    built = build_reference([str(data)], spec, now_ms=1_767_225_600_000, progress=lambda *_: None)
    golden = Reference.from_bytes(BYTES)
    assert built.layout.fingerprint == golden.layout.fingerprint
    assert built.source_hash == golden.source_hash
    for name, array in golden.profile.arrays().items():
        np.testing.assert_allclose(built.profile.arrays()[name], array, rtol=1e-12, atol=1e-12, err_msg=name)
    np.testing.assert_array_equal(built.blocks.numeric, golden.blocks.numeric)


def test_bytes_give_back_the_reference():
    """What is written is what is read."""
    once = Reference.from_bytes(BYTES)
    assert described(Reference.from_bytes(once.to_bytes())) == described(once)


def test_save_and_load_leave_one_whole_readable_file(tmp_path):
    """No temporary file stays; the new file replaces the old one and others may read it."""
    path = tmp_path / "a.reference"
    reference = Reference.from_bytes(BYTES)
    references.save(reference, path)
    references.save(replace(reference, model="second"), path)
    assert references.load(path).model == "second"
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    """A full disk costs the new file, not the old one."""
    path = tmp_path / "a.reference"
    references.save(Reference.from_bytes(BYTES), path)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(references.os, "fsync", full)
    with pytest.raises(DataError, match=r"a\.reference: cannot be written: No space left on device"):
        references.save(replace(Reference.from_bytes(BYTES), model="second"), path)
    monkeypatch.undo()
    assert references.load(path).model == "golden"
    assert list(tmp_path.iterdir()) == [path]


def test_errors_name_the_path_in_one_line(tmp_path):
    """A missing file, a folder, an unwritable place, a foreign file."""
    with pytest.raises(DataError, match=r"none\.reference: no such reference: make one with"):
        references.load(tmp_path / "none.reference")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        references.load(tmp_path)
    with pytest.raises(DataError, match="cannot be written: No such file or directory"):
        references.save(Reference.from_bytes(BYTES), tmp_path / "no" / "a.reference")
    foreign = tmp_path / "a.parquet"
    foreign.write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(StateError, match=r"a\.parquet: not written by driftwatch"):
        references.load(foreign)


@settings(deadline=None, max_examples=60)
@given(place=st.integers(0, len(BYTES) - 1), bits=st.integers(1, 255))
def test_any_flipped_byte_is_noticed(place, bits):
    """A reference that was damaged on disk is refused, never used."""
    damaged = bytearray(BYTES)
    damaged[place] ^= bits
    with pytest.raises(StateError):
        Reference.from_bytes(bytes(damaged))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "profile"}, "holds a profile, not a reference"),
        ({"version": 5}, "version 5 is newer than 4: upgrade"),
        ({"fingerprint": "0" * 32}, "fingerprint"),
    ],
)
def test_content_that_does_not_fit_is_refused(changes, words):
    """A whole container with another kind, a later version, or a layout that is not the one that was counted over."""
    meta, arrays = unpack(BYTES)
    with pytest.raises(StateError, match=words):
        Reference.from_bytes(pack({**meta, **changes}, arrays))
