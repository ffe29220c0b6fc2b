"""What an operator was answered 200 to holds after SIGKILL, and comes about once: words around every named step."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from driftwatch.failpoints import Point
from tests.crash.nursery import Nursery
from tests.receiver import Receiver
from tests.scenarios import events
from tests.scenarios.operator_cases import Case, drift, hours, only, post_hours, say
from tests.scenarios.probe import Probe
from tests.scenarios.test_recovery import CALM, DRIFTED

WORD = {"author": "ann", "comment": "seen"}
DELIVERY = (None, Point.BEFORE_POST, Point.POSTED, Point.RECORDED)
CHECKPOINT = (None, Point.SNAPSHOT_TAKEN, Point.HALF_WRITTEN, Point.BEFORE_COMMIT, Point.COMMITTED)
"""None: with the answer."""
Open = Callable[..., Case]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="module")
def calm(nursery, reference, tmp_path_factory) -> Case:
    """A state after calm hours."""
    with Receiver() as receiver:
        case = Case(nursery, tmp_path_factory.mktemp("calm"), reference, receiver)
        with case.alive() as probe:
            post_hours(probe, hours(0, CALM))
    return case


@pytest.fixture(scope="module")
def held(calm, tmp_path_factory) -> Case:
    """A state in which a request for retraining waits for approval."""
    with Receiver() as receiver:
        case = Case(calm.nursery, tmp_path_factory.mktemp("held"), calm.reference, receiver)
        case.begin_from(calm)
        with case.alive() as probe:
            drift(probe)
            assert request_of(probe)["hold"] == "approval"
            case.ids = {what: only(probe, what)["id"] for what in ("alerts", "incidents")}
            case.ids["deliveries"] = request_of(probe)["id"]
        assert case.told("retrain.requested") == []
    return case


@pytest.fixture(scope="module")
def asked(held, tmp_path_factory) -> Case:
    """A state in which the request has been delivered."""
    with Receiver() as receiver:
        case = Case(held.nursery, tmp_path_factory.mktemp("asked"), held.reference, receiver)
        case.begin_from(held)
        with case.alive() as probe:
            assert say(probe, f"alerts/{only(probe, 'alerts')['id']}/approve", WORD) == 200
            probe.wait(lambda: only(probe, "incidents")["state"] == "requested", "the incident to hear of it")
    return case


@pytest.fixture
def open_case(tmp_path) -> Iterator[Open]:
    """Give a copy of a state, with a receiver of its own."""
    with Receiver() as receiver:

        def open_case(begun: Case, **parts: Any) -> Case:
            case = Case(begun.nursery, tmp_path / "case", begun.reference, receiver, **parts)
            case.begin_from(begun)
            return case

        yield open_case


def request_of(probe: Probe) -> dict[str, Any]:
    """The one request for retraining."""
    (found,) = [each for each in probe.listing("deliveries") if each["type"] == "driftwatch.retrain.requested"]
    return found


@pytest.mark.parametrize("point", DELIVERY)
def test_an_approved_request_goes_out_under_its_one_id(held, open_case, point):
    """Approved, killed, started again: delivered; twice only where nobody could know that it had come, as the same."""
    case = open_case(held)
    alert, letter = case.ids["alerts"], case.ids["deliveries"]
    assert case.says_and_dies(f"alerts/{alert}/approve", WORD, at=point) in ({200} if point is None else {200, None})
    with case.alive() as probe:
        probe.wait(lambda: request_of(probe)["state"] == "delivered", "the request to be delivered")
        assert (request_of(probe)["id"], request_of(probe)["hold"]) == (letter, "approved")
        assert say(probe, f"alerts/{alert}/approve", WORD) == 200  # of who did not hear the answer
        assert say(probe, f"alerts/{alert}/reject", WORD) == 409
    came = case.told("retrain.requested")
    assert set(came) == {letter}
    assert len(came) in ({1, 2} if point is None else {2} if point is Point.POSTED else {1})


def test_a_rejected_request_never_goes_out(held, open_case):
    """Neither after the kill, nor with an approval that comes later."""
    case = open_case(held)
    alert = case.ids["alerts"]
    assert case.says_and_dies(f"alerts/{alert}/reject", WORD) == 200
    with case.alive() as probe:
        assert (request_of(probe)["state"], request_of(probe)["hold"]) == ("dropped", "rejected")
        assert say(probe, f"alerts/{alert}/approve", WORD) == 409
    assert case.told("retrain.requested") == []


@pytest.mark.parametrize("point", CHECKPOINT)
def test_a_deployment_that_was_told_is_heard_once(asked, open_case, point):
    """The incident goes on with the version, is timed once, and its recovery is told once."""
    case = open_case(asked)
    path, said = f"models/{events.MODEL}/retrained", {"version": "2", "author": "trainer"}
    status = case.says_and_dies(path, said, at=point)
    with case.alive() as probe:
        if status is None:
            assert say(probe, path, said) == 200
        probe.wait(lambda: only(probe, "incidents")["state"] == "deployed", "the deployment to be heard")
        deploy = only(probe, "incidents")["seconds"]["deploy"]
        post_hours(probe, hours(CALM + DRIFTED, 2, version="2"))
        probe.wait(lambda: only(probe, "incidents")["state"] == "recovered", "the recovery")
        incident, metrics = only(probe, "incidents"), probe.metrics()
        assert (incident["new_version"], incident["seconds"]["deploy"]) == ("2", deploy)
        for phase in ("deploy", "recover"):
            assert metrics.total("incident_seconds_count", phase=phase) == 1
        assert metrics.total("incident_seconds_sum", phase="deploy") == deploy
    assert len(case.told("incident.recovered")) == 1
    assert case.told("retrain.requested") == case.told("rollback.requested") == []


@pytest.mark.parametrize("point", [None, Point.BEFORE_COMMIT])
def test_an_alert_that_was_ended_by_hand_ends_once(asked, open_case, point):
    """Its end is told once, under one id."""
    case = open_case(asked)
    alert = case.ids["alerts"]
    status = case.says_and_dies(f"alerts/{alert}/resolve", WORD, at=point)
    with case.alive() as probe:
        if status is None:
            assert say(probe, f"alerts/{alert}/resolve", WORD) in {200, 404}
        probe.wait(lambda: only(probe, "alerts")["state"] == "resolved", "the alert to end")
        assert only(probe, "alerts")["reason"] == "resolved_by_operator"
        probe.wait(lambda: case.told("alert.resolved") != [], "its end to be told")
    assert len(set(case.told("alert.resolved"))) == 1


@pytest.mark.parametrize("point", [None, Point.COMMITTED])
def test_an_incident_that_was_closed_stays_closed(asked, open_case, point):
    """And nothing is told of a recovery."""
    case = open_case(asked)
    incident = case.ids["incidents"]
    status = case.says_and_dies(f"incidents/{incident}/close", WORD, at=point)
    with case.alive() as probe:
        if status is None:
            assert say(probe, f"incidents/{incident}/close", WORD) in {200, 404}
        probe.wait(lambda: only(probe, "incidents")["state"] == "closed", "the incident to be closed")
        post_hours(probe, hours(CALM + DRIFTED, 2, version="2"))
        assert probe.metrics().total("incident_seconds_count", phase="recover") == 0
    assert case.told("incident.recovered") == []


def test_a_silence_holds_and_so_does_its_end(calm, open_case):
    """Killed with the answer to each: what it silences waits, and goes out once when it is lifted."""
    case = open_case(calm, policies="")
    silence = {"matchers": [f'model="{events.MODEL}"'], "author": "ann", "duration": "2h"}
    assert case.says_and_dies("silences", silence) == 200
    with case.alive() as probe:
        name = only(probe, "silences")["id"]
        assert only(probe, "silences")["state"] == "active"
        drift(probe)
        letters = {each["id"]: (each["state"], each["hold"]) for each in probe.listing("deliveries")}
        assert set(letters.values()) == {("held", "silenced")}
        request = request_of(probe)["id"]
    assert case.receiver.wait(0) == []

    assert case.says_and_dies(f"silences/{name}", None) == 200
    with case.alive() as probe:
        assert only(probe, "silences")["state"] == "expired"
        probe.wait(lambda: request_of(probe)["state"] == "delivered", "the request to be delivered")
    assert set(case.told("retrain.requested")) == {request}


def test_an_acknowledgement_stays(held, open_case):
    """Who has said it, and why."""
    case = open_case(held)
    alert = case.ids["alerts"]
    assert case.says_and_dies(f"alerts/{alert}/ack", WORD) == 200
    with case.alive() as probe:
        shown = only(probe, "alerts")["acknowledged"]
    assert (shown["author"], shown["comment"]) == ("ann", "seen")
