"""The receiver: what it believes, what it refuses, what it keeps."""

import base64
import hashlib
import hmac
import http.client
import json

import httpx
import pytest

from driftwatch.demo.receiver import Check, Receiver, key_of, verify

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
NOW = 1_700_000_000
BODY = json.dumps({"type": "driftwatch.retrain.requested", "timestamp": "x", "data": {"model": "flights"}}).encode()


def signature(identity, sent, body, key=KEY):
    digest = hmac.new(key, f"{identity}.{sent}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def headers(identity="m1", sent=NOW, body=BODY, **changes):
    signed = {"webhook-id": identity, "webhook-timestamp": str(sent),
              "webhook-signature": signature(identity, sent, body)}  # fmt: skip
    return {name: value for name, value in {**signed, **changes}.items() if value is not None}


@pytest.fixture
def receiver():
    with Receiver(SECRET, clock=lambda: NOW) as running:
        yield running


def test_a_signature_of_the_specification_is_verified():
    """The example of the Standard Webhooks specification's libraries: secret, id, time and body with a known answer."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
              "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}  # fmt: skip
    assert verify(signed, b'{"test": 2432232314}', key=key, now_seconds=1_614_265_330) is Check.VERIFIED


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, Check.VERIFIED),
    ({"webhook-signature": "v1,AAAA " + signature("m1", NOW, BODY)}, Check.VERIFIED),
    ({"webhook-signature": signature("m1", NOW, BODY, key=b"another")}, Check.FORGED),
    ({"webhook-signature": signature("m1", NOW, BODY).replace("v1,", "v2,")}, Check.FORGED),
    ({"webhook-signature": "v1,\u00e9"}, Check.FORGED),
    ({"webhook-id": "m2"}, Check.FORGED),
    ({"webhook-timestamp": str(NOW + 1)}, Check.FORGED),
    ({"webhook-timestamp": "yesterday"}, Check.MALFORMED),
    ({"webhook-timestamp": "\u0661"}, Check.MALFORMED),
    ({"webhook-id": None}, Check.MALFORMED),
    ({"webhook-signature": None}, Check.MALFORMED),
])  # fmt: skip
def test_table_of_headers(changes, expected):
    assert verify(headers(**changes), BODY, key=KEY, now_seconds=NOW) is expected


def test_a_changed_body_is_forged():
    assert verify(headers(), BODY + b" ", key=KEY, now_seconds=NOW) is Check.FORGED


@pytest.mark.parametrize(("age", "expected"), [(300, Check.VERIFIED), (301, Check.STALE), (-300, Check.VERIFIED),
                                               (-301, Check.STALE)])  # fmt: skip
def test_an_old_or_future_timestamp_is_stale(age, expected):
    sent = NOW - age
    assert verify(headers(sent=sent), BODY, key=KEY, now_seconds=NOW) is expected


def test_a_verified_webhook_is_kept_and_answered_204(receiver):
    assert httpx.post(receiver.url, content=BODY, headers=headers()).status_code == 204
    assert receiver.wait(1, timeout_seconds=5)
    (arrival,) = receiver.arrivals()
    assert (arrival.id, arrival.type, arrival.check) == ("m1", "driftwatch.retrain.requested", Check.VERIFIED)
    assert arrival.data == {"model": "flights"}


def test_a_repeated_webhook_is_told_apart(receiver):
    """At least once with the same id: the second one is taken, and does not count again."""
    for _ in range(2):
        assert httpx.post(receiver.url, content=BODY, headers=headers()).status_code == 204
    assert [arrival.repeat for arrival in receiver.arrivals()] == [False, True]
    assert not receiver.wait(2, timeout_seconds=0)


@pytest.mark.parametrize(("body", "changes", "status"), [
    (BODY, {"webhook-signature": "v1,AAAA"}, 401),
    (BODY, {"webhook-id": ""}, 400),
    (b"not JSON", {"webhook-signature": signature("m1", NOW, b"not JSON")}, 400),
    (b"[]", {"webhook-signature": signature("m1", NOW, b"[]")}, 400),
    (b'{"type": 1, "data": {}}', {"webhook-signature": signature("m1", NOW, b'{"type": 1, "data": {}}')}, 400),
])  # fmt: skip
def test_what_cannot_be_trusted_is_refused_and_not_counted(receiver, body, changes, status):
    assert httpx.post(receiver.url, content=body, headers=headers(**changes)).status_code == status
    (arrival,) = receiver.arrivals()
    assert not arrival.verified
    assert arrival.data == {}


def test_a_body_that_is_too_large_is_refused(receiver):
    url = httpx.URL(receiver.url)
    client = http.client.HTTPConnection(url.host, url.port, timeout=5)
    client.request("POST", url.path, headers={**headers(), "content-length": str(1 << 21)})
    with client.getresponse() as answer:
        assert answer.status == 413
    client.close()
    assert receiver.arrivals() == ()


def test_a_body_without_length_is_refused(receiver):
    assert httpx.post(receiver.url, content=iter([BODY]), headers=headers()).status_code == 411


@pytest.mark.parametrize(("secret", "words"), [("plain", "starts with whsec_"), ("whsec_?", "base64")])
def test_a_secret_of_another_form_is_refused(secret, words):
    with pytest.raises(ValueError, match=words):
        key_of(secret)
