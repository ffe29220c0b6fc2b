"""From what a person wrote to the dimensions of one reference: the largest are kept, the rest is `_other`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.errors import ConfigError
from driftwatch.stream.dimensions import ByRange
from driftwatch.stream.division import SegmentSpec
from driftwatch.stream.schema import Column, Kind
from driftwatch.summaries.building import cut_points
from driftwatch.summaries.dimension_codec import dimensions_from_json, dimensions_to_json
from driftwatch.summaries.dividing import Divider, Division
from driftwatch.summaries.layout import Layout
from tests.summaries.divided import batch_of

LETTERS = tuple("abcdefgh")
NUMERIC = (Column("amount", Kind.NUMERIC), Column("age", Kind.NUMERIC))
CATEGORICAL = (
    Column("channel", Kind.CATEGORICAL, LETTERS), Column("member", Kind.BOOLEAN, ("false", "true")),
    Column("odd", Kind.CATEGORICAL, ("_other", "x" * 300, "a\u202eb", "fine", "big")),
)  # fmt: skip
LAYOUT = Layout(NUMERIC, CATEGORICAL, np.zeros((2, 129)), np.zeros(2), np.ones(2))


def rows(count=1000, seed=0):
    """Values of every kind, a few letters frequent and the rest rare."""
    rng = np.random.default_rng(seed)
    numeric = np.where(rng.random((2, count)) < 0.1, np.nan, rng.normal(size=(2, count)))
    codes = [
        np.minimum(rng.geometric(0.4, count) - 1, 10), rng.integers(0, 5, count), rng.integers(0, 8, count),
    ]  # fmt: skip
    return batch_of(numeric, np.array(codes, dtype=np.int32))


def divided(*segments, protected=(), most=100, batch=None, layout=LAYOUT):
    """The dimensions, after seeing the rows where that is needed."""
    specs = [tuple(map(SegmentSpec.model_validate, some)) for some in (segments, protected)]
    divider = Divider(Division(*specs, most), layout, lambda place, ranges: np.arange(ranges - 1) + place * 0.5)
    if divider.must_count:
        divider.add(batch or rows())
    return divider.dimensions()


def test_every_form_has_its_members():
    """A category's values, a boolean's, quarters, a condition, and pairs that occur."""
    found = divided("channel", "member", "amount", {"name": "big", "where": "amount > 1"}, {"cross": ["member", "age"]})
    members = [each.members for each in found.segments]
    assert members[0] == (*(f"channel={letter}" for letter in LETTERS), "channel=_other")
    assert members[1] == ("member=false", "member=true", "member=_other")
    assert members[2] == ("amount<=0", "0<amount<=1", "1<amount<=2", "amount>2", "amount=_other")
    assert members[3] == ("big",)
    assert "member=true&0.5<age<=1.5" in members[4]
    assert members[4][-1] == "member&age=_other"
    assert [each.name for each in found.segments] == ["channel", "member", "amount", "big", "member&age"]


def test_a_protected_condition_has_its_contrary():
    """There has to be somebody to compare with; a segment stands by itself."""
    spec = {"name": "senior", "where": "age > 1"}
    found = divided(spec, protected=[spec])
    assert [each.members for each in found.all] == [("senior",), ("senior", "not senior")]


@pytest.mark.parametrize("most", [12, 20, 24])
def test_the_largest_are_kept(most):
    """Of all dimensions together, by rows; what must be there counts too."""
    batch = rows()
    whole = divided("channel", {"cross": ["channel", "member"]}, most=1000, batch=batch)
    found = divided("channel", {"cross": ["channel", "member"]}, most=most, batch=batch)
    assert len(found.segment_names) == most
    sizes = {name: size for dimension in whole.segments for name, size in counted(dimension, batch).items()}
    kept = {sizes[name] for name in found.segment_names if not name.endswith("=_other")}
    dropped = {size for name, size in sizes.items() if name not in found.segment_names}
    assert min(kept) >= max(dropped)


def counted(dimension, batch):
    """Rows of each member."""
    codes = dimension.codes(batch.numeric, batch.categorical)
    return dict(
        zip(dimension.members, np.bincount(codes[codes >= 0], minlength=len(dimension.members)).tolist(), strict=True)
    )


@given(st.integers(0, 50), st.sampled_from([10, 14, 25, 100]))
def test_members_conserve_rows(seed, most):
    """Every row is in exactly one member of every dimension that is no condition, values of no kind among them."""
    batch = rows(200, seed)
    for dimension in divided("channel", "odd", {"cross": ["channel", "amount"]}, most=most, batch=batch).segments:
        assert sum(counted(dimension, batch).values()) == batch.rows


def test_names_that_cannot_be_shown_or_are_taken_are_other():
    """A value called `_other`, one of 300 letters, one that turns the line around, one with a condition's name."""
    found = divided({"name": "odd=big", "where": "age > 1"}, "odd")
    assert found.segment_names == ("odd=big", "odd=fine", "odd=_other")
    codes = found.segments[1].codes(np.zeros((2, 8)), np.array([[0] * 8, [0] * 8, range(8)], dtype=np.int32))
    assert codes.tolist() == [1, 1, 1, 0, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("segments", "most", "words"),
    [
        (["chanel"], 100, 'segments[0]: the reference has no column "chanel"; did you mean "channel"?'),
        (["channel", "zzz"], 100, 'segments[1]: the reference has no column "zzz"; the data has to have it, and'),
        ([{"column": "channel", "quantiles": 3}], 100, 'segments[0].quantiles: "channel" is no number and has none'),
        (
            [{"name": "a", "where": "amuont > 1"}],
            100,
            'segments[0].where: column 1: the reference has no column "amuont"',
        ),
        (
            ["amount", "age"],
            9,
            "max_segments: is 9, but there are 10 segments that cannot be left out; write at least 10",
        ),
    ],
)
def test_what_does_not_fit_is_refused(segments, most, words):
    """In one line, with the place in the configuration."""
    with pytest.raises(ConfigError) as refused:
        divided(*segments, most=most)
    assert str(refused.value).startswith(words)


def test_rows_are_counted_only_where_that_decides():
    """A further pass over the data costs time."""

    def asks(*segments, most=100):
        specs = tuple(map(SegmentSpec.model_validate, segments))
        return Divider(Division(specs, (), most), LAYOUT, lambda *_: np.zeros(1)).must_count

    assert not asks("channel", "amount", {"name": "a", "where": "age > 1"})
    assert asks("channel", "amount", most=9)
    assert asks({"cross": ["channel", "member"]})


def test_stored_and_made_anew():
    """JSON gives back dimensions that put every row where the first ones did."""
    found = divided("channel", "amount", {"name": "big", "where": "amount > 0"}, {"cross": ["channel", "age"]},
                    protected=["member", {"name": "old", "where": "age > 0"}], most=20)  # fmt: skip
    again = dimensions_from_json(dimensions_to_json(found, LAYOUT), LAYOUT)
    batch = rows(seed=9)
    assert again.segment_names == found.segment_names
    np.testing.assert_array_equal(
        again.codes(batch.numeric, batch.categorical), found.codes(batch.numeric, batch.categorical)
    )


def test_ranges_have_names_of_their_own():
    """Edges that six digits do not tell apart are written with more."""
    assert ByRange("x", 0, (1_000_000.1, 1_000_000.2)).members[1] == "1000000.1<x<=1000000.2"
    close = np.nextafter(0.1, 1)
    assert len(set(ByRange("x", 0, (0.1, close)).members)) == 4


@given(st.lists(st.floats(-1e9, 1e9), max_size=200), st.integers(2, 20))
def test_cut_points(values, ranges):
    """Ascending, at least one, and no range is empty where there are two values."""
    ordered = np.sort(np.array(values, dtype=np.float64))
    edges = cut_points(ordered, ranges)
    assert 1 <= edges.size < max(ranges, 2)
    assert (np.diff(edges) > 0).all()
    if np.unique(ordered).size > 1:
        assert np.bincount(np.searchsorted(edges, ordered), minlength=edges.size + 1).min() > 0
