"""`[server]`."""

import pytest
from pydantic import ValidationError

from driftwatch.api.listen import Address, ServerSpec, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:9464", Address("0.0.0.0", 9464)),
        ("localhost:0", Address("localhost", 0)),
        (":9464", Address("", 9464)),
        ("[::]:9464", Address("::", 9464)),
        ("[fe80::1%eth0]:65535", Address("fe80::1%eth0", 65535)),
    ],
)
def test_addresses(text, address):
    """host:port; IPv6 in brackets."""
    assert parse_address(text) == address
    assert ServerSpec(listen=text).address == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9464", "write host:port"),
        ("localhost", "write host:port"),
        ("localhost:", "write host:port"),
        ("localhost:http", "write host:port"),
        ("localhost:65536", "write host:port"),
        ("localhost:-1", "write host:port"),
        ("localhost:٣", "write host:port"),
        ("::1:9464", "an IPv6 host stands in brackets"),
        ("[localhost]:9464", "only an IPv6 host stands in brackets"),
        ("http://localhost:9464", "stands in brackets"),
        ("user@host:9464", "is no host name"),
        ("my host:9464", "is no host name"),
    ],
)
def test_other_addresses_are_refused(text, message):
    """With a line that says how to write one."""
    with pytest.raises(ValidationError, match=message):
        ServerSpec(listen=text)


def test_defaults():
    """What holds when `[server]` is not written."""
    spec = ServerSpec()

    assert spec.address == Address("0.0.0.0", 9464)
    assert (spec.max_body, spec.max_body_decompressed, spec.max_arriving) == (4 * 2**20, 8 * 2**20, 16 * 2**20)
    assert spec.max_series == 10_000


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"max_body": 2**30}, "max_body_decompressed must be at least max_body"),
        ({"max_arriving": 2**20}, "max_arriving must be at least max_body"),
        ({"max_body": "16 MiB"}, "valid integer"),
        ({"max_series": 0}, "greater than or equal to 100"),
        ({"port": 9464}, "there is no such key"),
    ],
)
def test_wrong_keys_are_refused(keys, message):
    """Bounds must fit each other, and unknown keys are errors."""
    with pytest.raises(ValidationError, match=message):
        ServerSpec(**keys)
