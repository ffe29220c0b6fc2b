"""Identity law: a transition is called by what it is."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.evaluation.alerts import State, Transition, identity
from driftwatch.stream.windows import WindowSpec
from tests.monitors import MODEL, SLIDING, SPECS, TUMBLING, Row, add, monitor, play, streams


def transitions_of(form: WindowSpec, arrivals: list) -> list[Transition]:
    target = monitor(form)
    outcome = play(target, arrivals)
    add(outcome, target.finish())
    return outcome.transitions


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(SPECS), streams())
def test_identities_are_unique(form: WindowSpec, arrivals: list) -> None:
    """No two steps of one run have one name."""
    names = [step.identity for step in transitions_of(form, arrivals)]
    assert len(set(names)) == len(names)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([TUMBLING, SLIDING]), streams())
def test_identity_is_what_the_step_is(form: WindowSpec, arrivals: list) -> None:
    """Model, rule, version, segment, column, window start and new state make the name, and nothing else does."""
    for step in transitions_of(form, arrivals):
        assert step.identity == identity(
            MODEL, step.rule, step.version, step.segment, step.column, step.window_start_ms, step.state
        )


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(SPECS), streams())
def test_episodes(form: WindowSpec, arrivals: list) -> None:
    """One alert id goes from pending or firing to its end, in one rule and column, and is not used again."""
    episodes: dict[str, list[Transition]] = defaultdict(list)
    for step in transitions_of(form, arrivals):
        episodes[step.alert_id].append(step)
    allowed = [
        [State.PENDING],
        [State.PENDING, State.INACTIVE],
        [State.PENDING, State.FIRING],
        [State.PENDING, State.FIRING, State.RESOLVED],
        [State.FIRING],
        [State.FIRING, State.RESOLVED],
    ]
    for alert_id, steps in episodes.items():
        assert [step.state for step in steps] in allowed
        assert steps[0].identity == alert_id
        assert len({(step.rule, step.version, step.column, step.started_ms) for step in steps}) == 1
        assert steps[0].started_ms == steps[0].window_start_ms


def test_counted_windows_of_one_moment() -> None:
    """Windows counted in rows may all begin in one millisecond; their steps have different names all the same."""
    quiet = [Row("a", 5, "1", n, n % 2) for n in range(7)]
    loud = [Row("a", 5, "1", 8, 2)] * 7
    steps = [step for step in transitions_of(SPECS[2], [*quiet, *loud, *quiet, *loud]) if step.rule == "at once"]
    assert [step.state for step in steps if step.column == "country"] == [State.FIRING, State.RESOLVED, State.FIRING]
    assert len({step.identity for step in steps}) == len(steps)
