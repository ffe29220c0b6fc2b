"""What tests of the wire between a target and its receiver are written with."""

import socket
from typing import Any

import pytest

from driftwatch.sinks.attempts import Result, UnansweredError
from driftwatch.sinks.exchange import Exchange
from driftwatch.sinks.targets.target import Reply, Request
from driftwatch.sinks.targets.webhook import WebhookSpec
from driftwatch.sinks.wire import Found, Wire
from tests.servers.faulty import Line

PUBLIC = "93.184.216.34"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def spec(url: str = "http://trainer/", **changes: Any) -> WebhookSpec:
    return WebhookSpec.model_validate({"name": "trainer", "url": url, "secret_env": "HOOK"} | changes)


class Names:
    """A resolver that gives its answers in turn, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = answers, list[str]()

    def __call__(self, host: str, port: int, *, flags: int = 0, **_: Any) -> Found:
        if flags & socket.AI_NUMERICHOST:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
        self.asked.append(host)
        addresses = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(0, 0, 0, "", (address, port)) for address in addresses]


def ask(written: WebhookSpec, *, url: str = "", **network: Any) -> Reply:
    return Exchange(written, transport=Wire(written, **network)).ask(Request(url or written.url, {}, b"{}"))


def outcome(written: WebhookSpec, **network: Any) -> tuple[Result, str]:
    with pytest.raises(UnansweredError) as caught:
        ask(written, **network)
    return caught.value.result, str(caught.value)


def accept(line: Line) -> None:
    line.request()
    line.say(OK)


def refuse(_: tuple[Any, ...], __: float) -> socket.socket:
    raise ConnectionRefusedError
