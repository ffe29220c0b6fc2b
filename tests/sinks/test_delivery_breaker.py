"""The circuit of a target: when it opens, whom it holds back, and that it costs no letter an attempt."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.ports.answers import Query
from driftwatch.sinks.attempts import JITTER, SCHEDULE_MS, Answer, Result, judge, says_down
from driftwatch.sinks.breaker import FAILURES, Breaker, Circuit
from driftwatch.sinks.courier import Courier
from driftwatch.sinks.exchange import Exchange
from tests.sinks.postroom import HOUR, Post
from tests.store.examples import letter

_ALL = Query(limit=500)
SPAN_MS = ((75 * 60 + 35) * 60 + 5) * 1000


class Trainer:
    """A receiver that answers by a status, or not at all (0), and counts."""

    def __init__(self, post: Post) -> None:
        self.post, self.status, self.asked = post, 500, list[int]()

    def courier(self, thrown: float = 0.0) -> Courier:
        target = self.post.target("http://trainer/")
        ask = Exchange(target.spec, transport=httpx.MockTransport(self._answer)).ask
        return Courier(target, self.post.outbox, ask=ask, clock=self.post.clock, dice=lambda: thrown)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(self.post.now_ms)
        if not self.status:
            raise httpx.ConnectError("nobody", request=request)
        return httpx.Response(self.status)


@pytest.fixture
def trainer(post: Post) -> Trainer:
    return Trainer(post)


def test_opening_times() -> None:
    """Half a minute, doubled with each probe that fails, at most five minutes; a success begins anew."""
    breaker, now_ms, waits = Breaker(), 0, []
    for _ in range(FAILURES - 1):
        breaker.failed(now_ms)
        assert breaker.state(now_ms) is Circuit.CLOSED
    for _ in range(6):
        assert breaker.state(now_ms) is not Circuit.OPEN
        breaker.failed(now_ms)
        began = now_ms
        while breaker.state(now_ms) is Circuit.OPEN:
            now_ms += 1_000
        waits.append((now_ms - began) // 1000)
        assert breaker.state(now_ms) is Circuit.HALF_OPEN
    breaker.answered()

    assert waits == [30, 60, 120, 240, 300, 300]
    assert breaker.state(now_ms) is Circuit.CLOSED


@given(steps=st.lists(st.tuples(st.sampled_from(["failed", "answered"]), st.integers(0, 10**7)), max_size=60))
def test_it_is_never_stuck(steps: list[tuple[str, int]]) -> None:
    """Whatever happens, five minutes later something may be sent, and an answer closes it."""
    breaker, now_ms = Breaker(), 0
    for step, passed_ms in steps:
        now_ms += passed_ms
        if step == "failed":
            breaker.failed(now_ms)
        else:
            breaker.answered()
            assert breaker.state(now_ms) is Circuit.CLOSED
        assert breaker.state(now_ms + 300_000) is not Circuit.OPEN


@pytest.mark.parametrize(
    ("answer", "down"),
    [
        *((judge(status, "", now_ms=0), False) for status in (200, 302, 400, 401, 404, 410)),
        *((judge(status, "", now_ms=0), True) for status in (429, 500, 501, 502, 503, 504)),
        (Answer(Result.TIMEOUT), True),
        (Answer(Result.CONNECTION_FAILED), True),
        (Answer(Result.NOT_STARTED), False),
        (Answer(Result.BLOCKED), None),
        (Answer(Result.SECRET_UNREADABLE), None),
    ],
)
def test_what_says_that_a_target_is_down(answer: Answer, *, down: bool | None) -> None:
    """No answer, one that throttles and a fault of the server do; what never was asked says nothing."""
    assert says_down(answer) is down


def test_waiting_letters_use_up_no_attempt(post: Post, trainer: Trainer) -> None:
    """A hundred letters and a target that is down for two hours: five attempts open the circuit, then one at a time."""
    post.put(*(letter(f"m{n}", alert_id=f"a{n}") for n in range(100)))
    courier, trainer.status = trainer.courier(), 0
    opened: list[int] = []
    began = post.now_ms
    while post.now_ms < began + 2 * HOUR:
        if courier.deliver_once() is None:
            opened.append(courier.circuit())
            post.now_ms += 1_000

    assert len([at for at in trainer.asked if at == began]) == FAILURES
    gaps = [later - at for at, later in zip(trainer.asked[FAILURES - 1 :], trainer.asked[FAILURES:], strict=False)]
    assert gaps[:4] == [30_000, 60_000, 120_000, 240_000]
    assert set(gaps[4:]) == {300_000}
    assert {item["attempts"] for item in listed(post)} <= {0, 1}
    assert Circuit.OPEN in opened

    trainer.status = 200
    post.now_ms += 300_000
    assert courier.circuit() is Circuit.HALF_OPEN
    assert courier.deliver_once() is Result.DELIVERED
    assert courier.circuit() is Circuit.CLOSED
    post.now_ms += 2 * HOUR
    while courier.deliver_once() is not None:
        continue
    assert set(post.states().values()) == {"delivered"}


def listed(post: Post) -> list[dict[str, Any]]:
    return [dict(item) for item in post.history.deliveries(_ALL).items]


def test_one_probe_at_a_time(post: Post, trainer: Trainer) -> None:
    """A circuit that has been open for long enough lets one letter through, and a failure shuts it again."""
    post.put(*(letter(f"m{n}", alert_id=f"a{n}") for n in range(20)))
    courier = trainer.courier()
    while courier.deliver_once() is not None:
        continue
    post.now_ms += 30_000
    before = len(trainer.asked)
    half_open = courier.circuit()
    results = [courier.deliver_once(), courier.deliver_once()]

    assert (before, half_open) == (FAILURES, Circuit.HALF_OPEN)
    assert (results, courier.circuit()) == ([Result.HTTP_ERROR, None], Circuit.OPEN)


def test_an_answer_of_any_kind_closes_it(post: Post, trainer: Trainer) -> None:
    """A target that says 404 is there: its letters fail one by one, each by its own schedule."""
    post.put(*(letter(f"m{n}", alert_id=f"a{n}") for n in range(12)))
    courier = trainer.courier()
    while courier.deliver_once() is not None:
        continue
    post.now_ms += 30_000
    trainer.status = 404
    while courier.deliver_once() is not None:
        continue

    assert courier.circuit() is Circuit.CLOSED
    assert len(trainer.asked) == FAILURES + 12


@pytest.mark.parametrize("status", [0, 500, 503])
@pytest.mark.parametrize("thrown", [0.0, 0.999])
def test_the_schedule_of_one_letter_is_not_stretched(post: Post, trainer: Trainer, status: int, thrown: float) -> None:
    """Ten attempts at the published times, circuit or not, then a dead letter."""
    post.put(letter())
    courier, trainer.status = trainer.courier(thrown), status
    while post.states()["msg_1"] == "pending":
        assert courier.deliver_once() is not None
        if post.states()["msg_1"] == "pending":
            post.now_ms += post.next_in_ms()

    waits = [later - at for at, later in zip(trainer.asked, trainer.asked[1:], strict=False)]
    assert waits == [wait + round(wait * JITTER * thrown) for wait in SCHEDULE_MS]
    assert SPAN_MS <= trainer.asked[-1] - trainer.asked[0] <= SPAN_MS * (1 + JITTER)
    assert post.states() == {"msg_1": "dead"}
