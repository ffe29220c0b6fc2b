"""The commands that operate a service, where none answers, or another one does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Stranger(BaseHTTPRequestHandler):
    """Answers every request with what its server has been told."""

    def do_GET(self) -> None:
        status, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard = (self.path, json.loads(body))  # type: ignore[attr-defined]
        self.do_GET()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def stranger() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "command",
    [["alerts", "list"], ["alerts", "ack", "a"], ["deliveries", "list"], ["deliveries", "replay", "--dead"],
     ["silences", "list"], ["silences", "add", "rule=x", "-d", "1h"], ["incidents", "list"],
     ["incidents", "close", "i"], ["incidents", "deployed", "fraud", "2"]],
    ids=" ".join,
)  # fmt: skip
def test_without_a_service(driftwatch, command):
    """One line, exit 2, and what to do."""
    ended = driftwatch(*command, "--url", "http://127.0.0.1:1")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "--url" in ended.err


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>", "not of this service"),
        (502, b"bad gateway", "not of this service"),
        (200, b"[]", "HTTP 200"),
        (404, b'{"error": {"code": "unknown", "message": "there is none"}}', "there is none (404 unknown)"),
    ],
)
def test_what_is_answered(driftwatch, stranger, status, body, words):
    """Another server's pages are no answer, and a fault is its message."""
    stranger.answer = (status, body)
    ended = driftwatch("alerts", "list", "--url", f"http://127.0.0.1:{stranger.server_address[1]}")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert words in ended.err


def test_a_table_obeys_no_producer(driftwatch, stranger):
    """What is not printable is shown as such; `--json` escapes it."""
    item = {"id": "a", "column": "x\x1b[2Jy" + "z" * 100, "acknowledged": {"author": "ann"}}
    stranger.answer = (200, json.dumps({"items": [item], "next": None}).encode())
    url = f"http://127.0.0.1:{stranger.server_address[1]}"
    ended = driftwatch("alerts", "list", "--url", url)
    assert (ended.code, ended.err) == (0, "")
    assert "\x1b" not in ended.out
    assert "ann" in ended.out.splitlines()[1]
    assert json.loads(driftwatch("alerts", "list", "--json", "--url", url).out) == item


def test_incidents_and_how_long_they_took(driftwatch, stranger):
    """Below the table, of the model that is asked for; JSON lines are the incidents alone."""
    times = {
        "fraud": {"summary": ["mean time to recovery 2 h 10 min (3 incidents)", "time to deploy 1 h (4 incidents)"]},
        "pr\x1bice": {"summary": ["time to deploy 1 h (1 incident)"]},
        "spam": {"summary": []},
    }
    stranger.answer = (200, json.dumps({"items": [{"id": "i1", "incidents": times}], "next": None}).encode())
    listed = ("incidents", "list", "--url", f"http://127.0.0.1:{stranger.server_address[1]}")
    fraud = "fraud: mean time to recovery 2 h 10 min (3 incidents), time to deploy 1 h (4 incidents)"
    assert driftwatch(*listed).out.splitlines()[2:] == [fraud, "pr?ice: time to deploy 1 h (1 incident)"]
    assert driftwatch(*listed, "--model", "fraud").out.splitlines()[2:] == [fraud]
    assert driftwatch(*listed, "--json").out.count("\n") == 1


def test_wrong_usage(driftwatch):
    """Nothing is replayed by mistake."""
    for arguments in (["replay"], ["replay", "a", "--dead"], ["replay", "a", "--target", "t"]):
        assert driftwatch("deliveries", *arguments).code == 2


@pytest.mark.parametrize(
    ("command", "heard"),
    [
        (["close", "i1", "--author", "ann", "-c", "over"],
         ("/api/v1/incidents/i1/close", {"author": "ann", "comment": "over"})),
        (["deployed", "team/fraud", "2"], ("/api/v1/models/team%2Ffraud/retrained", {"version": "2"})),
        (["deployed", "fraud", "2", "--author", "ann"],
         ("/api/v1/models/fraud/retrained", {"version": "2", "author": "ann"})),
    ],
)  # fmt: skip
def test_what_incidents_are_told(driftwatch, stranger, command, heard):
    """The words as the API wants them, and one line of what comes of it."""
    stranger.answer = (200, b"{}")
    ended = driftwatch("incidents", *command, "--url", f"http://127.0.0.1:{stranger.server_address[1]}")
    assert (ended.code, ended.err, ended.out.count("\n")) == (0, "", 1)
    assert stranger.heard == heard
