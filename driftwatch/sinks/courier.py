"""One target's letters, one attempt at a time; the delivery thread of the target drives it."""

from urllib.parse import urlsplit

import httpx
import structlog

from driftwatch.errors import SinkError
from driftwatch.failpoints import Point, reached
from driftwatch.ports import Clock, Letter, Outbox
from driftwatch.sinks.attempts import Answer, Dice, Result, hold_ms, judge, next_attempt_ms
from driftwatch.sinks.targets.post import Post, Target

_log = structlog.get_logger(__name__)


class Courier:
    """Delivers to one target. Throttling and a 410 are remembered until the process ends, letters in the outbox."""

    def __init__(self, target: Target, outbox: Outbox, *, client: httpx.Client, clock: Clock, dice: Dice) -> None:
        self._target, self._outbox, self._client, self._clock, self._dice = target, outbox, client, clock, dice
        self._held_until_ms = 0
        self._throttled = 0
        self.disabled = False
        self.counts = dict.fromkeys(Result, 0)

    def deliver_once(self) -> Result | None:
        """Attempt the letter that has been due longest; None when none is due or the target is to be left alone.

        Raises StateError when the outcome could not be saved: the letter will be sent again under the same id.
        """
        now_ms = self._clock()
        if self.disabled or now_ms < self._held_until_ms:
            return None
        letters = self._outbox.due(self._target.name, now_ms, limit=1)
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
        try:
            post = self._target.post(letter, now_ms=now_ms)
        except SinkError as error:
            _log.warning("secret unreadable", target=self._target.name, webhook_id=letter.id, error=str(error))
            return Answer(Result.SECRET_UNREADABLE)
        answer, detail = self._send(post)
        note = _log.info if answer.result is Result.DELIVERED else _log.warning
        note(
            "delivery attempt",
            target=self._target.name,
            url=redacted(post.url),
            webhook_id=letter.id,
            event_type=letter.type,
            attempt=letter.attempts + 1,
            result=answer.result.value,
            detail=detail,
        )
        return answer

    def _send(self, post: Post) -> tuple[Answer, str]:
        """Send it, and give the judgement and a word on it; of the response only status and headers are read."""
        request = self._client.stream(
            "POST", post.url, headers=dict(post.headers), content=post.body, timeout=self._target.timeout_seconds
        )
        try:
            with request as response:
                answer = judge(response.status_code, response.headers.get("retry-after", ""), now_ms=self._clock())
                return answer, f"HTTP {response.status_code}"
        except httpx.TimeoutException as error:
            return Answer(Result.TIMEOUT), type(error).__name__
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            # A host name that IDNA refuses comes as UnicodeError. The text could quote the address, its type cannot.
            return Answer(Result.CONNECTION_FAILED), type(error).__name__

    def _settle(self, letter: Letter, answer: Answer) -> None:
        now_ms = self._clock()
        if answer.result is Result.DELIVERED:
            self._throttled = 0
            self._outbox.delivered(letter, now_ms=now_ms, result=answer.result)
            return
        if answer.result is Result.GONE:
            self.disabled = True
            _log.error("target disabled: it answered 410 Gone; restart when it is back", target=self._target.name)
            self._outbox.bury(letter, now_ms=now_ms, result=answer.result)
            return
        self._throttle(answer)
        next_ms = next_attempt_ms(letter.attempts + 1, now_ms=now_ms, dice=self._dice)
        if next_ms is None:
            _log.error("dead letter", target=self._target.name, webhook_id=letter.id, event_type=letter.type)
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
