"""The way to a target: names that change their address, proxies, certificates that are rotated, one deadline."""

import socket
import threading
import time
from typing import Any

import pytest

from driftwatch.sinks.attempts import Result
from driftwatch.sinks.wire import Found, connected
from tests.receiver import Receiver
from tests.servers.faulty import Faulty
from tests.sinks.postroom import Post
from tests.sinks.wiring import PUBLIC, Names, ask, outcome, refuse, spec
from tests.store.examples import letter


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
