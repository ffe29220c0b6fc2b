"""Certificates of targets: rotated, shown, refused; and keys of the network that cannot be meant."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from driftwatch.errors import SinkError
from driftwatch.sinks.attempts import Result, UnansweredError
from driftwatch.sinks.certificates import Certificates
from driftwatch.sinks.exchange import Exchange
from driftwatch.sinks.targets.target import Request
from tests.servers.certificates import Authority
from tests.servers.faulty import Faulty, server_tls
from tests.sinks.postroom import Post
from tests.sinks.wiring import accept, ask, outcome, spec
from tests.store.examples import letter


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
