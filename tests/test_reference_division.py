"""A reference that is divided: a profile of each segment's own rows, in bounded memory, whatever the data holds."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftwatch.config import ModelSpec
from driftwatch.daemon.dividing import divided, unmet_values
from driftwatch.daemon.referencing import build_reference
from driftwatch.errors import ConfigError
from driftwatch.summaries.importance import ranking
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.reference import Reference

ALL = [
    "channel", "amount", {"name": "big", "where": "amount > 1 and channel in ['a', 'zzz']"},
    {"cross": ["channel", "member"]},
]  # fmt: skip


def spec(**more):
    return ModelSpec.model_validate({"name": "m", "task": "none", **more})


def build(path, **more):
    return build_reference([str(path)], spec(**more), now_ms=5, progress=lambda *_: None)


def rows(count=3000, seed=0):
    """Columns with missing values; a channel of few frequent values and many rare ones."""
    rng = np.random.default_rng(seed)
    amount = rng.normal(size=count)
    amount[rng.random(count) < 0.05] = np.nan
    channel = np.array(["a", "b", "c", *(f"r{place}" for place in range(300))])[
        np.minimum(rng.geometric(0.02, count) - 1, 302)
    ]
    member = [None if each == 2 else bool(each) for each in rng.integers(0, 3, count)]
    return pa.table({"amount": pa.array(amount, from_pandas=True), "channel": channel, "member": member})


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(rows(), path)
    return path


def same(one: Profile, other: Profile) -> None:
    assert (one.rows, one.first_ms, one.last_ms) == (other.rows, other.first_ms, other.last_ms)
    for name, array in one.arrays().items():
        np.testing.assert_allclose(array, other.arrays()[name], rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("most", [20, 50, 100])
def test_the_members_of_each_dimension_add_up_to_the_whole(path, most):
    """Rows, every bin, every sum: what is in no named segment is in `_other`."""
    reference = build(path, segments=ALL, max_segments=most)
    assert len(reference.segments) == len(reference.dimensions.segment_names) <= most
    offsets = reference.dimensions.segment_offsets.tolist()
    for place, dimension in enumerate(reference.dimensions.segments):
        if dimension.name != "big":
            parts = reference.segments[offsets[place] : offsets[place + 1]]
            whole = parts[0]
            for part in parts[1:]:
                whole = whole.merge(part)
            same(whole, reference.profile)


def test_a_segment_is_the_profile_of_its_own_rows(path, tmp_path):
    """As if the table held no others; over the layout of the whole."""
    reference = build(path, segments=["channel"])
    table = pq.read_table(path)
    held = np.flatnonzero(np.array(table["channel"]) == "b")
    segment = reference.segments[reference.dimensions.segment_names.index("channel=b")]
    amounts = table["amount"].to_numpy()[held]
    assert segment.rows == held.size
    assert segment.numeric.counts[0].sum() == held.size
    assert segment.numeric.maxima[0] == np.nanmax(amounts)
    assert (segment.first_ms, segment.last_ms) == (held[0] * 1000, held[-1] * 1000)


def test_cutting_changes_no_segment(path, tmp_path):
    """One file or three give the same dimensions and profiles, and so does what is stored."""
    whole = build(path, segments=ALL, protected=["member"], max_segments=30)
    table = pq.read_table(path)
    for place, start in enumerate((0, 700, 2500)):
        pq.write_table(table.slice(start, (700, 1800, 500)[place]), tmp_path / f"p{place}.parquet")
    parts = build(tmp_path / "p*.parquet", segments=ALL, protected=["member"], max_segments=30)
    for other in (parts, Reference.from_bytes(whole.to_bytes())):
        assert other.dimensions.segment_names == whole.dimensions.segment_names
        assert other.protected_rows == whole.protected_rows
        for one, another in zip(whole.segments, other.segments, strict=True):
            same(one, another)


def test_a_column_of_the_segment_object_is_one_of_the_reference(tmp_path):
    """Where the features do not have it; without segments it is none."""
    path = tmp_path / "a.jsonl"
    events = [{"features": {"x": row}, "segment": {"channel": "ab"[row % 2], "tier": 1}} for row in range(50)]
    path.write_text("\n".join(map(json.dumps, events)))
    assert build(path).layout.names == ("x",)
    reference = build(path, segments=["channel", {"name": "high", "where": "tier > 0"}])
    assert reference.layout.names == ("x", "tier", "channel")
    assert [segment.rows for segment in reference.segments] == [25, 25, 0, 50]


def test_what_the_data_does_not_have_is_refused(path):
    """In one line, with the model's name and the place in the configuration."""
    with pytest.raises(ConfigError, match=r'^model "m": segments\[0\]: the reference has no column "chanel"; did you'):
        build(path, segments=["chanel"])
    with pytest.raises(
        ConfigError, match=r'^model "m": protected\[0\].where: column 1: the reference has no column "x"'
    ):
        build(path, protected=[{"name": "a", "where": "x > 1"}])


def test_values_that_never_occur_are_reported(path):
    """A condition on them is no mistake, but it is never surely met."""
    assert unmet_values(build(path, segments=ALL)) == (
        '"big": channel is never "zzz" in the reference, so no row surely meets that',
    )


def test_a_configuration_may_ask_for_less(path):
    """Another order and fewer segments, none at all; profiles follow."""
    reference = build(path, segments=ALL, protected=["member", "channel"])
    less = divided(spec(segments=[ALL[2], "channel"], protected=["channel"]), reference, where="models[0]")
    assert [each.name for each in less.dimensions.all] == ["big", "channel", "channel"]
    rows_of = dict(zip(reference.dimensions.segment_names, reference.segments, strict=True))
    for name, segment in zip(less.dimensions.segment_names, less.segments, strict=True):
        assert segment is rows_of[name]
    assert sum(less.protected_rows) == reference.rows
    none = divided(spec(), reference, where="models[0]")
    assert (none.dimensions.all, none.segments, none.protected_rows) == ((), (), ())
    assert divided(spec(segments=ALL, protected=["member", "channel"]), reference, where="x") is reference


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"segments": ["member"]}, 'segments[0]: the reference was built without "member"; build the reference again'),
        ({"segments": [{"column": "amount", "quantiles": 3}]}, "segments[0]: the reference was built with another"),
        ({"segments": [{"name": "big", "where": "amount > 2"}]}, "segments[0]: the reference was built with another"),
        ({"protected": ["amount"]}, 'protected[0]: the reference was built without "amount"'),
        ({"segments": ["channel"], "max_segments": 7}, "max_segments: is 7, but the reference was built with 100"),
    ],
)  # fmt: skip
def test_a_configuration_that_asks_for_other_segments_is_refused(path, wanted, words):
    """They are chosen from the data: it says to build the reference again."""
    with pytest.raises(ConfigError) as refused:
        divided(spec(**wanted), build(path, segments=ALL, protected=["member"]), where="models[0]")
    assert str(refused.value).startswith(f"models[0].{words}")


def test_importance_finds_what_the_prediction_depends_on(tmp_path):
    """A column that decides it, one that hints at it, one that has nothing to do with it; the outputs are 1."""
    rng = np.random.default_rng(2)
    decides, other = rng.normal(size=(2, 20_000))
    hints = np.where(rng.random(20_000) < 0.8, decides > 0, rng.random(20_000) < 0.5)
    names = rng.integers(0, 900, 20_000).astype(str)
    score = 1 / (1 + np.exp(-2 * decides))
    pq.write_table(
        pa.table({"decides": decides, "other": other, "hints": hints, "names": names, "score": score}),
        tmp_path / "a.parquet",
    )
    reference = build(tmp_path / "a.parquet", task="binary")
    found = ranking(reference.layout.names, reference.importance, {})
    assert next(iter(found)) == "score"
    assert found["decides"] > 0.8 > found["hints"] > 0.1
    assert found["other"] < 0.005
    assert found["names"] < 0.06
    given = ranking(reference.layout.names, reference.importance, {"other": 2.0, "score": 0.0})
    assert (next(iter(given)), given["score"]) == ("other", 0.0)
    assert build(tmp_path / "a.parquet", task="none", ignore=["score"], fields={"score": "nowhere"}).importance is None


ATTACK = """
import resource, sys
from driftwatch.config import ModelSpec
from driftwatch.daemon.referencing import build_reference
segments = ["user", {"cross": ["user", "number"]}, {"cross": ["user", "few"]}] if sys.argv[2] else []
spec = ModelSpec.model_validate({"name": "m", "task": "none", "segments": segments})
reference = build_reference([sys.argv[1]], spec, now_ms=0, progress=lambda *_: None)
offsets = reference.dimensions.segment_offsets.tolist()
sums = [sum(part.rows for part in reference.segments[a:b]) for a, b in zip(offsets, offsets[1:])]
print(reference.rows, len(reference.segments), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, *sums)
"""


def test_a_million_values_take_bounded_memory_and_lose_no_row(tmp_path):
    """A column of ids among the segments: a hundred segments, the rest in `_other`, and little more than without."""
    count = 1_000_000
    path = tmp_path / "a.parquet"
    few = pa.array(np.arange(count) % 3).cast(pa.string())
    pq.write_table(
        pa.table({"user": pa.array(np.arange(count)).cast(pa.string()), "number": np.arange(count), "few": few}), path
    )
    peaks = []
    for divide in ("", "yes"):
        done = subprocess.run(
            [sys.executable, "-c", ATTACK, path, divide], capture_output=True, text=True, check=True, timeout=300
        )
        total, segments, peak_kib, *sums = map(int, done.stdout.split())
        peaks.append(peak_kib)
    assert (total, segments) == (count, 100)
    assert sums == [count] * 3
    assert peaks[1] - peaks[0] < 150 * 1024
