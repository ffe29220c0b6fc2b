"""One target's letters, one attempt at a time; the delivery thread of the target drives it."""

from urllib.parse import urlsplit

import structlog

from driftwatch.errors import SinkError
from driftwatch.failpoints import Point, reached
from driftwatch.ports.letters import Letter, Outbox
from driftwatch.ports.streams import Clock
from driftwatch.sinks.attempts import (
    Answer,
    Dice,
    Result,
    UnansweredError,
    hold_ms,
    next_attempt_ms,
    says_down,
)
from driftwatch.sinks.breaker import Breaker, Circuit
from driftwatch.sinks.targets.target import Ask, Reply, Request, Target

_log = structlog.get_logger(__name__)


class Courier:
    """Delivers to one target. ask: sends one request, see `Exchange`.

    Throttling, the circuit and a 410 are remembered until the process ends, letters in the outbox.
    """

    def __init__(self, target: Target, outbox: Outbox, *, ask: Ask, clock: Clock, dice: Dice) -> None:
        self._target, self._outbox, self._ask, self._clock, self._dice = target, outbox, ask, clock, dice
        self._breaker = Breaker()
        self._held_until_ms = 0
        self._throttled = 0
        self._asked = ""
        self.disabled = False
        self.counts = dict.fromkeys(Result, 0)

    def deliver_once(self) -> Result | None:
        """Attempt the letter that has been due longest; None when none is due or the target is to be left alone.

        Raises StateError when the outcome could not be saved: the letter will be sent again under the same id.
        """
        now_ms = self._clock()
        if self.disabled or now_ms < self._held_until_ms or self._breaker.state(now_ms) is Circuit.OPEN:
            return None
        letters = self._outbox.due(self._target.spec.name, now_ms, limit=1)
        if not letters:
            return None
        reached(Point.BEFORE_POST)
        answer = self._attempt(letters[0], now_ms=now_ms)
        reached(Point.POSTED)
        self.counts[answer.result] += 1
        self._judge_target(answer)
        self._settle(letters[0], answer)
        reached(Point.RECORDED)
        return answer.result

    def hold(self, milliseconds: int) -> None:
        """Leave the target alone for so long."""
        self._held_until_ms = max(self._held_until_ms, self._clock() + milliseconds)

    def circuit(self) -> Circuit:
        """Say how the circuit stands now."""
        return self._breaker.state(self._clock())

    def _attempt(self, letter: Letter, *, now_ms: int) -> Answer:
        name = self._target.spec.name
        try:
            answer = self._target.deliver(letter, now_ms=now_ms, ask=self._noted)
        except UnansweredError as error:
            answer = Answer(error.result, detail=str(error))
        except SinkError as error:
            _log.warning("secret unreadable", target=name, webhook_id=letter.sent_as, error=str(error))
            return Answer(Result.SECRET_UNREADABLE)
        note = _log.info if answer.result is Result.DELIVERED else _log.warning
        note(
            "delivery attempt",
            target=name,
            url=redacted(self._asked),
            webhook_id=letter.sent_as,
            event_type=letter.type,
            attempt=letter.attempts + 1,
            result=answer.result.value,
            detail=answer.detail,
        )
        return answer

    def _noted(self, request: Request) -> Reply:
        self._asked = request.known_as
        return self._ask(request)

    def _judge_target(self, answer: Answer) -> None:
        before, now_ms = self.circuit(), self._clock()
        down = says_down(answer)
        if down is False:
            self._breaker.answered()
        elif down:
            self._breaker.failed(now_ms)
        after = self._breaker.state(now_ms)
        if after is Circuit.OPEN and before is Circuit.CLOSED:
            _log.warning("circuit opened: the target is down", target=self._target.spec.name)
        elif after is Circuit.CLOSED and before is not after:
            _log.info("circuit closed: the target is back", target=self._target.spec.name)

    def _settle(self, letter: Letter, answer: Answer) -> None:
        now_ms = self._clock()
        if answer.result is Result.DELIVERED:
            self._throttled = 0
            self._outbox.delivered(letter, now_ms=now_ms, result=answer.result)
            return
        if answer.result is Result.GONE:
            self.disabled = True
            _log.error("target disabled: it answered 410 Gone; restart when it is back", target=self._target.spec.name)
            self._outbox.bury(letter, now_ms=now_ms, result=answer.result)
            return
        self._throttle(answer)
        next_ms = next_attempt_ms(letter.attempts + 1, now_ms=now_ms, dice=self._dice)
        if next_ms is None:
            _log.error("dead letter", target=self._target.spec.name, webhook_id=letter.sent_as, event_type=letter.type)
            self._outbox.bury(letter, now_ms=now_ms, result=answer.result)
        else:
            self._outbox.retry(letter, next_ms=max(next_ms, self._held_until_ms), result=answer.result)

    def _throttle(self, answer: Answer) -> None:
        if answer.result is not Result.THROTTLED and not answer.retry_after_ms:
            self._throttled = 0
            return
        self._throttled += 1
        self.hold(hold_ms(self._throttled, answer.retry_after_ms))


def redacted(url: str) -> str:
    """Give an address without credentials, query and fragment, fit for a log."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
