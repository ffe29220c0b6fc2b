"""The whole life of a letter that nobody takes, on a clock that is set by hand."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from driftwatch.ports.answers import Query
from driftwatch.sinks.attempts import SCHEDULE_MS, Result
from driftwatch.sinks.courier import Courier
from driftwatch.sinks.exchange import Exchange
from driftwatch.sinks.targets.webhook import Webhook, WebhookSpec, sign
from driftwatch.store.checkpoint import SqliteStore
from driftwatch.store.database import Database
from driftwatch.store.history import SqliteHistory
from driftwatch.store.outbox import SqliteOutbox
from tests.store.examples import START, checkpoint, letter


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(("thrown", "share"), [(0.0, 1.0), (0.5, 1.05)])
def test_the_whole_schedule(database: Database, monkeypatch: pytest.MonkeyPatch, thrown: float, share: float) -> None:
    """Ten attempts over 75 h 35 min 5 s (plus jitter) with one id, each signed for its own time; then a dead letter."""
    monkeypatch.setenv("HOOK", "secret")
    now_ms = START
    sent: list[tuple[int, httpx.Request]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append((now_ms, request))
        return httpx.Response(500)

    store, outbox = SqliteStore(database), SqliteOutbox(database)
    store.save(checkpoint(letters=(letter(), letter("next"))))
    target = Webhook(WebhookSpec(name="trainer", url="http://trainer/", secret_env="HOOK"))
    ask = Exchange(target.spec, transport=httpx.MockTransport(answer)).ask
    courier = Courier(target, outbox, ask=ask, clock=lambda: now_ms, dice=lambda: thrown)
    assert courier.deliver_once() is Result.HTTP_ERROR
    while (due := outbox.due("trainer", 2 * START, limit=1)[0]).id == "msg_1":
        now_ms = due.next_ms - 1
        early = courier.deliver_once()
        now_ms = due.next_ms

        assert (early, courier.deliver_once()) == (None, Result.HTTP_ERROR)

    times = [at - START for at, _ in sent]
    assert times == [round(sum(SCHEDULE_MS[:n]) * share) for n in range(10)]
    assert times[-1] == round(((75 * 60 + 35) * 60 + 5) * 1000 * share)
    for at, request in sent:
        signature = sign(letter().body, b"secret", webhook_id="msg_1", seconds=at // 1000)
        assert request.headers["webhook-id"] == "msg_1"
        assert request.headers["webhook-timestamp"] == str(at // 1000)
        assert request.headers["webhook-signature"] == signature
    assert outbox.pending() == {"trainer": (1, 1, START)}
    (dead,) = SqliteHistory(database).deliveries(Query(state="dead")).items
    assert (dead["attempts"], dead["last_result"]) == (10, "http_error")
