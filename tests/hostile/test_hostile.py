"""A real process and everything that means it no good: each answered as stated, in time, and events go on."""

import json

import pytest

from tests.bounds.load import MEBIBYTE, rss_bytes
from tests.hostile.corpus import BODIES, EVENT, NESTED, WIRE
from tests.hostile.wire import exchange, head, request
from tests.scenarios import world
from tests.scenarios.fixtures import reference
from tests.scenarios.probe import Probe
from tests.scenarios.process import Process

__all__ = ["reference"]

ANSWER_SECONDS = 10.0
PROMISE = 256 * MEBIBYTE
LIMITS = """head_timeout = "1s"
body_timeout = "1s"
answer_timeout = "1s"
max_connections = 40
"""


@pytest.fixture(scope="module")
def process(reference, tmp_path_factory):
    """One process for all of them: each finds what the others left."""
    path = world.configuration(tmp_path_factory.mktemp("hostile"), reference)
    path.write_text(path.read_text().replace("[server]\n", "[server]\n" + LIMITS), encoding="utf-8")
    with Process(path) as process:
        process.port()
        yield process
        assert process.terminate() == 0, process.log()
        assert "Traceback" not in process.log()


@pytest.fixture
def port(process):
    """Where it listens; afterwards it still takes events, and has never held too much."""
    yield process.port()
    good = exchange(process.port(), request(json.dumps({**EVENT, "id": "good"}).encode()))
    assert json.loads(good.body) == {"accepted": 1, "rejected": []}
    assert rss_bytes(process.pid, key="VmHWM") <= PROMISE


@pytest.mark.parametrize("name", [*NESTED, *BODIES])
def test_a_hostile_body(port, name):
    """Its status, and the reasons of the events that are refused in it; a value that is wrong leaves its row."""
    case = (NESTED | BODIES)[name]
    answer = exchange(port, request(case.body, *case.headers))

    assert answer.status == case.status
    assert answer.seconds < ANSWER_SECONDS
    document = json.loads(answer.body)
    if case.status == 200:
        assert tuple(entry["reason"] for entry in document["rejected"]) == case.reasons
    else:
        assert set(document["error"]) == {"code", "message"}


@pytest.mark.parametrize("name", WIRE)
def test_a_hostile_request(port, name):
    """What can be read in two ways is refused; nothing hangs."""
    data, statuses = WIRE[name]
    answer = exchange(port, data)

    assert answer.status in statuses
    assert answer.seconds < ANSWER_SECONDS
    if answer.status >= 400:
        assert set(json.loads(answer.body)["error"]) == {"code", "message"}


def test_a_smuggled_request_is_not_answered(port):
    """Behind a request that was refused, the connection is closed: what follows is no request."""
    data = head(b"Content-Length: 5", b"Content-Length: 6") + b"{}GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"

    assert b"driftwatch is healthy" not in exchange(port, data).body


def test_what_was_counted_adds_up(process):
    """After all of it: the sum of the results is the sum of what was received, and the counters are whole."""
    with Probe(process.port()) as probe:
        probe.wait(lambda: probe.metrics().total("queue_records") == 0, "the queue to be worked off")
        metrics = probe.metrics()
        assert sum(metrics.reasons().values()) == metrics.results()["rejected"]
        assert metrics.results()["accepted"] > 0
