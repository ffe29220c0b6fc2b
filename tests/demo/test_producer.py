"""The producer against a small server of its own."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from driftwatch.demo.dataset import Body, Topic
from driftwatch.demo.producer import Producer
from driftwatch.errors import SinkError


class Service:
    """Answers with the given (status, headers, document)s one after the other, then accepts everything."""

    def __init__(self, *answers):
        self.answers, self.seen = list(answers), []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                service.seen.append((self.path, body))
                plain = (200, {}, {"accepted": len(json.loads(body)), "rejected": []})
                status, headers, document = service.answers.pop(0) if service.answers else plain
                content = json.dumps(document).encode()
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Stop(threading.Event):
    """An event that passes waiting over and remembers how long it was."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def wait(self, timeout=None):
        self.waits.append(timeout)
        return self.is_set()


def body(topic, start_ms, rows):
    return Body(topic=topic, start_ms=start_ms, rows=rows, content=json.dumps(list(range(rows))).encode())


BODIES = [body(Topic.PREDICTIONS, 0, 3), body(Topic.LABELS, 0, 2), body(Topic.PREDICTIONS, 60_000, 4)]


def test_bodies_are_posted_in_order_and_counted():
    with Service() as service:
        progress = Producer(service.url + "/", speed=None, stop=Stop()).run(BODIES)
    assert [path for path, _ in service.seen] == ["/v1/predictions", "/v1/labels", "/v1/predictions"]
    assert (progress.predictions, progress.labels, progress.accepted, progress.rejected) == (7, 2, 9, 0)
    assert progress.event_ms == 60_000


def test_rejected_events_are_counted():
    refused = (200, {}, {"accepted": 1, "rejected": [{"index": 0, "reason": "bad_time"}] * 2})
    with Service(refused) as service:
        progress = Producer(service.url, speed=None, stop=Stop()).run(BODIES[:1])
    assert (progress.accepted, progress.rejected) == (1, 2)


@pytest.mark.parametrize(("status", "headers", "seconds"), [
    (503, {"retry-after": "7"}, 7.0), (429, {"retry-after": "2"}, 2.0),
    (503, {}, 1.0), (503, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 1.0),
])  # fmt: skip
def test_a_busy_service_gets_the_same_body_again_after_the_time_it_asked_for(status, headers, seconds):
    stop = Stop()
    with Service((status, headers, {})) as service:
        progress = Producer(service.url, speed=None, stop=stop).run(BODIES)
    assert service.seen[0] == service.seen[1]
    assert (stop.waits, progress.waits, progress.accepted) == ([seconds], 1, 9)


def test_stopping_while_the_service_is_busy_ends_the_run():
    stop = threading.Event()
    with Service(*[(503, {"retry-after": "600"}, {})] * 2) as service:
        producer = Producer(service.url, speed=None, stop=stop)
        worker = threading.Thread(target=producer.run, args=(BODIES,))
        worker.start()
        stop.set()
        worker.join(10)
        assert not worker.is_alive()
    assert producer.progress.accepted == 0


def test_speed_is_event_time_over_wall_time():
    """A minute of event time at sixty seconds a second: the third body is due one second after the first."""
    stop = Stop()
    with Service() as service:
        Producer(service.url, speed=60.0, stop=stop, clock=lambda: 100.0).run(BODIES)
    assert stop.waits == [1.0]


def test_a_producer_that_is_behind_does_not_wait():
    stop, moments = Stop(), iter([0.0, 0.0, 0.5, 9.0])
    with Service() as service:
        Producer(service.url, speed=60.0, stop=stop, clock=lambda: next(moments)).run(BODIES)
    assert stop.waits == []


def test_a_refused_body_is_a_clear_error():
    with (
        Service((400, {}, {"error": {"code": "bad", "message": "no"}})) as service,
        pytest.raises(SinkError, match=r"/v1/predictions answered 400: .*no"),
    ):
        Producer(service.url, speed=None, stop=Stop()).run(BODIES)


def test_a_service_that_is_gone_is_a_clear_error():
    with Service() as service:
        url = service.url
    with pytest.raises(SinkError, match="lost the service"):
        Producer(url, speed=None, stop=Stop()).run(BODIES)


def test_a_speed_must_be_positive():
    with pytest.raises(ValueError, match="speed"):
        Producer("http://127.0.0.1", speed=0.0, stop=Stop())
