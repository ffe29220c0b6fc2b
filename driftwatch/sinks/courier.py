"""One target's letters, one attempt at a time; the delivery thread of the target drives it."""

from urllib.parse import urlsplit

import httpx
import structlog

from driftwatch.errors import SinkError
from driftwatch.failpoints import Point, reached
from driftwatch.ports.letters import Letter, Outbox
from driftwatch.ports.streams import Clock
from driftwatch.sinks.attempts import Answer, Dice, Result, hold_ms, next_attempt_ms
from driftwatch.sinks.targets.target import MAX_REPLY_BYTES, Reply, Request, Target

_log = structlog.get_logger(__name__)


class Courier:
    """Delivers to one target. Throttling and a 410 are remembered until the process ends, letters in the outbox."""

    def __init__(self, target: Target, outbox: Outbox, *, client: httpx.Client, clock: Clock, dice: Dice) -> None:
        self._target, self._outbox, self._client, self._clock, self._dice = target, outbox, client, clock, dice
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
        if self.disabled or now_ms < self._held_until_ms:
            return None
        letters = self._outbox.due(self._target.spec.name, now_ms, limit=1)
        if not letters:
            return None
        reached(Point.BEFORE_POST)
        answer = self._attempt(letters[0], now_ms=now_ms)
        reached(Point.POSTED)
        self.counts[answer.result] += 1
        self._settle(letters[0], answer)
        reached(Point.RECORDED)
        return answer.result

    def hold(self, milliseconds: int) -> None:
        """Leave the target alone for so long."""
        self._held_until_ms = max(self._held_until_ms, self._clock() + milliseconds)

    def _attempt(self, letter: Letter, *, now_ms: int) -> Answer:
        name = self._target.spec.name
        try:
            answer = self._target.deliver(letter, now_ms=now_ms, ask=self._ask)
        except SinkError as error:
            _log.warning("secret unreadable", target=name, webhook_id=letter.sent_as, error=str(error))
            return Answer(Result.SECRET_UNREADABLE)
        except httpx.TimeoutException as error:
            answer = Answer(Result.TIMEOUT, detail=type(error).__name__)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            # A host name that IDNA refuses comes as UnicodeError. The text could quote the address, its type cannot.
            answer = Answer(Result.CONNECTION_FAILED, detail=type(error).__name__)
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

    def _ask(self, request: Request) -> Reply:
        """Send a request; of the reply's body only so much is read as may be needed."""
        self._asked = request.url
        sent = self._client.stream(
            "POST", request.url, headers=dict(request.headers), content=request.body,
            timeout=self._target.spec.timeout / 1000,
        )  # fmt: skip
        with sent as response:
            body = b""
            for part in response.iter_bytes() if request.reads else ():
                body += part
                if len(body) >= MAX_REPLY_BYTES:
                    break
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status_code, headers, body[:MAX_REPLY_BYTES])

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
