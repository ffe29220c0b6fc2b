"""The way to a target: names that change their address, proxies, certificates that are rotated, one deadline."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driftwatch.errors import SinkError
from driftwatch.sinks.attempts import Result, UnansweredError
from driftwatch.sinks.certificates import Certificates
from driftwatch.sinks.exchange import Exchange
from driftwatch.sinks.targets.target import Reply, Request
from driftwatch.sinks.targets.webhook import WebhookSpec
from driftwatch.sinks.wire import Found, Wire, connected
from tests.receiver import Receiver
from tests.servers.certificates import Authority
from tests.servers.faulty import Faulty, Line, server_tls
from tests.servers.proxy import Proxy
from tests.sinks.postroom import Post
from tests.store.examples import letter

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


def test_a_name_that_is_bound_again(post: Post) -> None:
    """A name that was public when it was looked at and is private when it is connected to leads nowhere."""
    with Receiver() as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
        written, names = spec(f"http://evil.example:{port}/hook", private=False), Names([PUBLIC], ["127.0.0.1"])
        first = outcome(written, look_up=names, connect=refuse)
        second = outcome(written, look_up=names)

    assert first == (Result.CONNECTION_FAILED, "ConnectError")
    assert second == (Result.BLOCKED, "127.0.0.1: the target may not be in a private network")
    assert receiver.received == []


def test_a_name_is_looked_up_once() -> None:
    """What was judged is what is connected to: between the two nobody is asked again."""
    names, places = Names([PUBLIC], ["127.0.0.1"]), list[tuple[Any, ...]]()

    def note(place: tuple[Any, ...], seconds: float) -> socket.socket:
        places.append(place)
        return refuse(place, seconds)

    outcome(spec("http://evil.example:81/", private=False), look_up=names, connect=note)

    assert (names.asked, places) == (["evil.example"], [(PUBLIC, 81)])


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_peer_is_judged_before_a_byte_is_sent(scheme: str) -> None:
    """An address that is translated on the way to a private one is found out, before TLS too."""
    taken = list[bytes]()
    with Faulty(lambda line: taken.append(line.peer.recv(100))) as receiver:
        place = ("127.0.0.1", receiver.port)
        written = spec(f"{scheme}://evil.example/", private=False)
        found = outcome(written, look_up=Names([PUBLIC]), connect=lambda _, seconds: connected(place, seconds))

    assert found[0] is Result.BLOCKED
    assert taken == [b""]


def test_only_allowed_addresses_of_a_name_are_tried() -> None:
    """Of a name with several addresses the refused ones are left out, and the others tried in turn."""
    with Receiver() as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
        written = spec(f"http://trainer.example:{port}/hook")
        names = Names(["169.254.169.254", "127.0.0.99", "127.0.0.1"])
        status = ask(written, look_up=names).status

    assert status == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/",
        "http://2852039166/", "http://0xa9fea9fe/", "http://0.0.0.0/",
        "http://[::]/", "http://169.254.43518/",
    ],
)  # fmt: skip
def test_metadata_is_never_reached(url: str) -> None:
    """However it is written: nothing is even connected to, and a letter that would go there is retried."""

    def never(place: tuple[Any, ...], _: float) -> socket.socket:
        raise AssertionError(place)

    for proxy in (None, "http://proxy.example:3128"):
        result, why = outcome(spec(url, proxy=proxy), connect=never)
        assert result is Result.BLOCKED
        assert "must be named in allow_networks" in why


def test_a_blocked_letter_waits(post: Post) -> None:
    """The configuration can be put right: the letter is retried as others are, and the circuit stays closed."""
    post.put(letter())
    with Receiver() as receiver:
        courier = post.courier(receiver.url, private=False)
        blocked = courier.deliver_once()
        waited = post.next_in_ms()
        post.now_ms += waited
        allowed = post.courier(receiver.url, private=False, allow_networks=["127.0.0.1"]).deliver_once()

    assert (blocked, waited, allowed) == (Result.BLOCKED, 5_000, Result.DELIVERED)
    assert (len(receiver.received), courier.circuit()) == (1, 0)


def test_a_name_without_address() -> None:
    """It is a failed connection."""
    assert outcome(spec(), look_up=Names([])) == (Result.CONNECTION_FAILED, "ConnectError")


def test_a_resolver_that_does_not_answer() -> None:
    """Looking a name up is within the deadline too."""
    over = threading.Event()

    def wait(*_: Any, **__: Any) -> Found:
        over.wait(30)
        return []

    began = time.monotonic()
    result, _ = outcome(spec(timeout="100ms"), look_up=wait)
    took = time.monotonic() - began
    over.set()

    assert result is Result.TIMEOUT
    assert took < 5


def test_silent_addresses_share_the_time() -> None:
    """The last of three addresses still gets a third of the time after two that never answered."""
    given = list[float]()

    def silent(_: tuple[Any, ...], seconds: float) -> socket.socket:
        given.append(seconds)
        raise TimeoutError

    result, _ = outcome(spec(timeout="30s"), look_up=Names(["10.0.0.1", "10.0.0.2", "10.0.0.3"]), connect=silent)

    assert result is Result.TIMEOUT
    assert [round(seconds) for seconds in given] == [10, 15, 30]


# Proxies


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


# Certificates


def test_a_rotated_authority_is_read_again(tmp_path: Path) -> None:
    """Between two requests the file of the authority changes, as when a secret is mounted anew."""
    old, new = (Authority(folder, name=folder.name) for folder in (made(tmp_path / "old"), made(tmp_path / "new")))
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(old.certificate.read_bytes())
    with Faulty(accept, tls=server_tls(*new.issue("server"))) as receiver:
        written = spec(receiver.url, ca_file=str(trusted))
        exchange = Exchange(written)
        request = Request(written.url, {}, b"{}")
        with pytest.raises(UnansweredError, match="certificate refused"):
            exchange.ask(request)
        trusted.unlink()
        trusted.write_bytes(new.certificate.read_bytes())
        reply = exchange.ask(request)

    assert reply.status == 200


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize("apart", [True, False])
def test_a_client_certificate(tmp_path: Path, *, apart: bool) -> None:
    """It is shown to a server that asks for one; its key may stand in the same file."""
    authority = Authority(tmp_path)
    key, certificate = authority.issue("client")
    files = {"cert_file": str(certificate), "key_file": str(key)}
    if not apart:
        both = tmp_path / "both.pem"
        both.write_bytes(key.read_bytes() + certificate.read_bytes())
        files = {"cert_file": str(both)}
    tls = server_tls(*authority.issue("server"))
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(authority.certificate)
    with Faulty(accept, tls=tls) as receiver:
        trusted = {"ca_file": str(authority.certificate)}
        status = ask(spec(receiver.url, **trusted, **files)).status
        without = outcome(spec(receiver.url, **trusted))[0]

    assert (status, without) == (200, Result.CONNECTION_FAILED)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"ca_file": "missing"}, "target trainer: ca_file .*: No such file or directory"),
        ({"ca_file": "text"}, "target trainer: ca_file .*: no certificate in PEM form"),
        ({"cert_file": "authority.pem"}, "no certificate with its unencrypted key"),
        ({"cert_file": "authority.pem", "key_file": "locked"}, "no certificate with its unencrypted key"),
        ({"cert_file": "authority.pem", "key_file": "missing"}, "key_file .*: No such file"),
    ],
)
def test_unusable_certificates(tmp_path: Path, keys: dict[str, str], words: str) -> None:
    """The start and each attempt say which file is wrong; nobody is asked for a password."""
    Authority(tmp_path)
    (tmp_path / "text").write_text("no certificate")
    (tmp_path / "locked").write_text(_LOCKED)
    certificates = Certificates(spec("https://trainer/", **{key: str(tmp_path / name) for key, name in keys.items()}))

    for use in (certificates.check, certificates.context):
        with pytest.raises(SinkError, match=words):
            use()


_LOCKED = """-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,00000000000000000000000000000000

AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
-----END RSA PRIVATE KEY-----
"""


def test_an_unreadable_certificate_is_retried(post: Post, tmp_path: Path) -> None:
    """Like a secret that is not there: nothing is sent, and the target is not taken to be down."""
    post.put(letter())
    courier = post.courier("https://127.0.0.1:1/", ca_file=str(tmp_path / "later.pem"))

    assert courier.deliver_once() is Result.SECRET_UNREADABLE
    assert (post.states(), courier.circuit()) == ({"msg_1": "pending"}, 0)


# Keys


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"proxy": "https://proxy:3128"}, "write the proxy as"),
        ({"proxy": "proxy:3128"}, "write the proxy as"),
        ({"proxy": "http://"}, "write the proxy as"),
        ({"proxy": "http://proxy/path"}, "write the proxy as"),
        ({"proxy": "socks5://proxy"}, "write the proxy as"),
        ({"allow_networks": ["10.1.2.3/8"]}, "write a network as"),
        ({"allow_networks": ["trainer"]}, "write a network as"),
        ({"allow_networks": [7.5]}, "write a network as"),
        ({"allow_networks": "10.0.0.0/8"}, "tuple"),
        ({"private": "no"}, "boolean"),
        ({"key_file": "key.pem"}, "name that by cert_file"),
    ],
)
def test_wrong_keys(keys: dict[str, Any], words: str) -> None:
    """Each mistake is named."""
    with pytest.raises(ValueError, match=words):
        spec(**keys)
