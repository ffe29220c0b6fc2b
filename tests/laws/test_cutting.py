"""Cutting law: where rows are cut into batches decides nothing; nor does, for counts, how partitions interleave."""

from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.monitor import Memory
from driftwatch.stream.versions import Versions
from driftwatch.stream.windows import WindowSpec
from tests.monitors import (
    SLIDING,
    SPECS,
    TUMBLING,
    Row,
    add,
    interleaved,
    last_words,
    monitor,
    play,
    remembered,
    rows,
    said,
    streams,
)

places = st.sets(st.integers(0, 60))


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(SPECS), streams(), places, st.data())
def test_batches(form: WindowSpec, arrivals: list, cut: set[int], data) -> None:
    """The same arrivals in other batches give the same reports, transitions, late rows and memory, to the bit."""
    whole, pieces, single = monitor(form), monitor(form), monitor(form)
    expected = play(whole, arrivals)
    assert said(play(pieces, arrivals, cut=cut)) == said(expected)
    assert said(play(single, arrivals, cut=range(len(arrivals)))) == said(expected)
    assert said(pieces.finish()) == said(single.finish()) == said(whole.finish())
    assert remembered(pieces) == remembered(single) == remembered(whole)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(SPECS), streams(), places)
def test_more_versions_than_are_told_apart(form: WindowSpec, arrivals: list, cut: set[int]) -> None:
    """The law holds for which versions are counted together, too."""
    whole, pieces = (monitor(form, memory=Memory(versions=Versions(1))) for _ in range(2))
    expected = said(play(whole, arrivals))
    assert said(play(pieces, arrivals, cut=cut)) == expected
    assert remembered(pieces) == remembered(whole)
    assert len(whole.memory.versions.known) <= 1


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([TUMBLING, SLIDING]), streams(ticks=False, partitions="abc"), st.data())
def test_interleavings(form: WindowSpec, arrivals: list[Row], data) -> None:
    """Announced partitions may interleave anyhow: each counts its own rows as late, and the last words are the same."""
    order = data.draw(st.permutations([row.partition for row in arrivals]))
    as_it_is, woven = interleaved(lambda: monitor(form), arrivals, order)
    assert as_it_is == woven


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([TUMBLING, SLIDING]), st.lists(rows("a"), min_size=1, max_size=40))
def test_late_rows_are_made_up_for(form: WindowSpec, disordered: list[Row]) -> None:
    """While windows are kept, rows in any order end in the reports that rows in order give, by revisions."""
    patient = form.model_copy(update={"keep": 1000})
    expected, found = (monitor(patient) for _ in range(2))
    ordered = play(expected, sorted(disordered, key=lambda row: row.time))
    add(ordered, expected.finish())
    outcome = play(found, disordered)
    add(outcome, found.finish())
    assert outcome.late == 0
    assert last_words(outcome.reports) == last_words(ordered.reports)
    assert {report.revision for report in ordered.reports} == {1}
