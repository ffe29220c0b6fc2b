"""An incident, told one thing after another: where it then stands, by the table in its module."""

import msgspec
import pytest

from driftwatch.evaluation import incidents
from driftwatch.evaluation.alerts import Reason, State, Transition
from driftwatch.evaluation.events import EventType
from driftwatch.evaluation.incident_body import incident_body
from driftwatch.evaluation.incidents import Heard, Incident, Phase, Stretch, Turn
from driftwatch.evaluation.recovery import RecoverySpec
from driftwatch.evaluation.rules import Verdict

HOUR = 3_600_000
SPEC = RecoverySpec.model_validate({"windows": 2, "deploy_within": "10h", "recover_within": "20h"})
CLEAR, BREACH, UNKNOWN = Verdict.CLEAR, Verdict.BREACH, Verdict.UNKNOWN


def step(version: str, state: State, *, rule: str = "drift", name: str = "a") -> Transition:
    """A step of an alert that began in the first hour."""
    return Transition(
        f"{name} {state}", name, "fraud", version, "", rule, "amount", "psi", "warning", "retrain", state,
        Reason.CROSSED, 0, 0, HOUR, 0.3, 0.2, 0.1,
    )  # fmt: skip


def heard(version: str, hour: int, *steps: Transition, kinds: tuple[str, ...] = (), **verdicts: Verdict) -> Heard:
    """What a window that ends in this hour says."""
    fires = any(each.state is State.FIRING for each in steps)
    return Heard(version, (hour * HOUR, 0), steps, verdicts, kinds=kinds or (("covariate",) if fires else ()))


def told(*things: object) -> Incident:
    """An incident of version 1 that was detected in hour 2, after it was told these; a window takes an hour."""
    incident = incidents.opened(heard("1", 1, step("1", State.FIRING)), now_ms=2 * HOUR)
    for thing in things:
        match thing:
            case Heard():
                bad = incidents.is_bad(incident, thing)
                joined = incidents.joined(incident, thing)
                now_ms = thing.place[0] + HOUR
                incident = incidents.judged(joined, thing, bad=bad, spec=SPEC, now_ms=now_ms)
            case ("requested", int(hour)):
                incident = incidents.requested(incident, at_ms=hour * HOUR)
            case ("deployed", str(version), int(hour)):
                incident = incidents.deployed(incident, version, at_ms=hour * HOUR)
            case ("passed", int(hour)):
                incident = incidents.passed(incident, spec=SPEC, now_ms=hour * HOUR)
    return incident


ENDED = step("1", State.RESOLVED)
REQUESTED, V2, V3 = ("requested", 3), ("deployed", "2", 5), ("deployed", "3", 9)
AGAIN = step("2", State.FIRING, name="b")
WELL = [heard("2", hour, drift=CLEAR) for hour in (6, 7)]


@pytest.mark.parametrize(
    ("things", "state", "turn"),
    [
        ([], Phase.DETECTED, Turn.NONE),
        ([REQUESTED], Phase.REQUESTED, Turn.NONE),
        ([REQUESTED, V2], Phase.DEPLOYED, Turn.NONE),
        ([V2, REQUESTED], Phase.DEPLOYED, Turn.NONE),
        ([REQUESTED, V2, *WELL], Phase.RECOVERED, Turn.CALM),
        ([REQUESTED, V2, *WELL[:1]], Phase.DEPLOYED, Turn.NONE),
        # The same window twice is one window, and a breach begins anew.
        ([REQUESTED, V2, WELL[0], WELL[0]], Phase.DEPLOYED, Turn.NONE),
        ([REQUESTED, V2, WELL[0], heard("2", 7, drift=BREACH), heard("2", 8, drift=CLEAR)], Phase.DEPLOYED, Turn.NONE),
        # Windows that were not judged, and those of the old version, count neither way.
        ([REQUESTED, V2, WELL[0], heard("2", 7, drift=UNKNOWN)], Phase.DEPLOYED, Turn.NONE),
        (
            [REQUESTED, V2, WELL[0], heard("2", 7, drift=UNKNOWN), heard("2", 8, drift=CLEAR)],
            Phase.RECOVERED, Turn.CALM,
        ),
        ([REQUESTED, V2, *(heard("1", hour, ENDED, drift=CLEAR) for hour in (6, 7, 8))], Phase.DEPLOYED, Turn.NONE),
        ([REQUESTED, V2, heard("2", 6, AGAIN, drift=BREACH)], Phase.NOT_RECOVERED, Turn.BAD_VERSION),
        # The same kind by another rule is the same trouble; another kind is not, but has to be calm, too.
        (
            [REQUESTED, V2, heard("2", 6, step("2", State.FIRING, rule="psi", name="c"))],
            Phase.NOT_RECOVERED, Turn.BAD_VERSION,
        ),
        (
            [V2, heard("2", 6, step("2", State.FIRING, rule="missing", name="c"), kinds=("quality",)), *WELL],
            Phase.DEPLOYED, Turn.NONE,
        ),
        # It had fired there before anybody said that it is the new version.
        ([heard("2", 3, AGAIN, drift=BREACH), V2, heard("2", 6, drift=BREACH)], Phase.NOT_RECOVERED, Turn.BAD_VERSION),
        ([REQUESTED, V2, heard("2", 6, AGAIN), V3], Phase.DEPLOYED, Turn.NONE),
        (
            [REQUESTED, V2, heard("2", 6, AGAIN), V3, *(heard("3", hour, drift=CLEAR) for hour in (10, 11))],
            Phase.RECOVERED, Turn.CALM,
        ),
        # Trouble may end by itself, once its alert has ended.
        ([heard("1", 3, drift=CLEAR), heard("1", 4, ENDED, drift=CLEAR)], Phase.RECOVERED, Turn.CALM),
        ([heard("1", 3, drift=CLEAR), heard("1", 4, drift=CLEAR)], Phase.DETECTED, Turn.NONE),
        ([REQUESTED, ("passed", 13)], Phase.REQUESTED, Turn.NONE),
        ([REQUESTED, ("passed", 14)], Phase.NOT_RECOVERED, Turn.NOT_DEPLOYED),
        ([("passed", 1_000)], Phase.DETECTED, Turn.NONE),
        ([REQUESTED, V2, ("passed", 25)], Phase.DEPLOYED, Turn.NONE),
        ([REQUESTED, V2, ("passed", 26)], Phase.NOT_RECOVERED, Turn.NOT_CALM),
        ([REQUESTED, ("passed", 14), V2], Phase.DEPLOYED, Turn.NONE),
    ],
)  # fmt: skip
def test_where_it_stands(things, state, turn):
    """After each story."""
    incident = told(*things)
    assert (incident.state, incident.turn) == (state, turn)
    assert incident.is_open is (state not in {Phase.RECOVERED, Phase.CLOSED})


def test_what_it_took():
    """Each stretch by its two ends, None until it has ended; a deployment without a request counts from the alert."""
    incident = told(REQUESTED, V2, *WELL)
    assert {stretch: incident.seconds(stretch) for stretch in Stretch} == {
        "detect": 2 * 3600, "request": 3600, "deploy": 2 * 3600, "recover": 6 * 3600,
    }  # fmt: skip
    assert told(V2).seconds(Stretch.DEPLOY) == 3 * 3600
    assert told(V2).seconds(Stretch.RECOVER) is None


def test_a_replay_calls_it_the_same():
    """Whatever the time of the wall: its name is made of the model and of the first alert."""
    first = heard("1", 1, step("1", State.FIRING))
    assert incidents.opened(first, now_ms=1).id == incidents.opened(first, now_ms=2).id
    other = heard("1", 1, step("1", State.FIRING, name="other"))
    assert incidents.opened(other, now_ms=1).id != incidents.opened(first, now_ms=1).id


def test_it_is_read_as_it_was_written():
    """Through the JSON that the state holds."""
    incident = told(REQUESTED, V2, heard("2", 6, AGAIN, drift=BREACH))
    assert msgspec.json.decode(msgspec.json.encode(incident), type=Incident) == incident


def test_a_webhook_of_it_is_not_too_long():
    """Columns may be many and their names long."""
    columns = tuple(f"{number}" * 150 for number in range(100, 200))
    wide = Heard("1", (HOUR, 0), (step("1", State.FIRING),), {}, columns=columns)
    incident = incidents.opened(wide, now_ms=HOUR)
    body = incident_body(EventType.NOT_RECOVERED, incidents.deployed(incident, "2", at_ms=HOUR))
    assert len(body) < 20_000
    assert len(msgspec.json.decode(body)["data"]["cause"]["columns"]) == 20
