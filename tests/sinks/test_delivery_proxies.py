"""Proxies of targets, and that nothing of the surroundings is used."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driftwatch.sinks.attempts import Result
from driftwatch.sinks.exchange import Exchange
from driftwatch.sinks.targets.target import Request
from driftwatch.sinks.wire import Found
from tests.receiver import Receiver
from tests.servers.certificates import Authority
from tests.servers.faulty import Faulty, Line, server_tls
from tests.servers.proxy import Proxy
from tests.sinks.wiring import PUBLIC, Names, accept, ask, outcome, spec


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_through_a_proxy(tmp_path: Path, scheme: str) -> None:
    """Http is forwarded, https tunnelled and verified by the target's own authority; the name is left to the proxy."""
    authority = Authority(tmp_path)
    tls = server_tls(*authority.issue("server")) if scheme == "https" else None
    with Faulty(accept, tls=tls) as receiver, Proxy() as proxy:
        host = "127.0.0.1" if tls else "trainer.example"
        url = f"{scheme}://{host}:{receiver.port}/hook"
        credentials = proxy.url.replace("://", "://user:word@")
        reply = ask(spec(url, proxy=credentials, ca_file=str(authority.certificate)))
        wanted = f"CONNECT {host}:{receiver.port} HTTP/1.1" if tls else f"POST {url} HTTP/1.1"

    assert (reply.status, proxy.asked, proxy.credentials) == (200, [wanted], ["Basic dXNlcjp3b3Jk"])


def test_a_proxy_that_refuses() -> None:
    """Its refusal of a tunnel is a failed connection; to an http target it answers in the target's place."""
    with Proxy(refuses=True) as proxy:
        https = outcome(spec("https://trainer.example/", proxy=proxy.url))
        http = ask(spec("http://trainer.example/", proxy=proxy.url)).status

    assert https == (Result.CONNECTION_FAILED, "ProxyError")
    assert http == 407


@pytest.mark.parametrize(
    ("addresses", "result"),
    [([PUBLIC], None), (["10.0.0.1"], Result.BLOCKED), ([PUBLIC, "10.0.0.1"], Result.BLOCKED),
     ([], Result.CONNECTION_FAILED)],
)  # fmt: skip
def test_behind_a_proxy_a_public_target_is_looked_up_here(addresses: list[str], result: Result | None) -> None:
    """Of a target that may not be private every address must be allowed, and there must be one."""
    names = Names(addresses)
    with Receiver() as receiver, Proxy() as proxy:
        port = receiver.url.split(":")[2].split("/")[0]
        written = spec(f"http://trainer.example:{port}/hook", proxy=proxy.url, private=False)
        if result is None:
            assert ask(written, look_up=_here(names, proxy)).status == 200
        else:
            assert outcome(written, look_up=_here(names, proxy))[0] is result

    assert len(proxy.asked) == (result is None)


def _here(names: Names, proxy: Proxy) -> Callable[..., Found]:
    """The proxy's own address is found, whatever else is."""

    def look_up(host: str, port: int, **options: Any) -> Found:
        if host in proxy.url:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return names(host, port, **options)

    return look_up


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither proxies nor passwords are taken from variables or .netrc."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with Receiver() as receiver:
        status = ask(spec(receiver.url)).status

    assert status == 200
    assert "authorization" not in receiver.received[0].headers


def test_nothing_is_remembered_between_requests() -> None:
    """A cookie is not sent back, and each request has a connection of its own."""
    taken = list[bytes]()

    def answer(line: Line) -> None:
        taken.append(line.request())
        line.say(b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n")

    with Faulty(answer) as receiver:
        written = spec(receiver.url)
        exchange = Exchange(written)
        for _ in range(2):
            exchange.ask(Request(written.url, {}, b"{}"))

    assert receiver.connections == 2
    assert b"cookie" not in b"".join(taken).lower()
