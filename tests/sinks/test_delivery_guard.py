"""Where a target may be: the table of addresses."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.sinks.guard import BlockedError, Guard, Reach, embedded, reach

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1",
    "192.0.1.1", "198.17.255.255", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001::200e",
    "::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "::8.8.8.8",
    "2001:0:808:808:0:0:f7f7:f7f7", "2606:4700::5efe:8.8.8.8",
]  # fmt: skip
PRIVATE = [
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "127.0.0.1", "127.255.255.254",
    "100.64.0.1", "100.127.255.255", "198.18.0.1", "198.19.255.255", "::1", "fc00::1", "fd12:3456::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:192.168.1.1", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1", "64:ff9b:1::7f00:1", "64:ff9b:1::8.8.8.8", "64:ff9b:1:a00:0:100::", "2002:7f00:1::",
    "2002:c0a8:101::1", "2001:0:808:808:0:0:80ff:fffe", "2001:0:7f00:1:0:0:f7f7:f7f7",
    "2606:4700::200:5efe:10.0.0.1",
]  # fmt: skip
NEVER = [
    # metadata
    "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
    "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42",
    # metadata in disguise
    "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe",
    "64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:a9fe:a9:fe00:808:808", "64:ff9b:1:a9:fe:a9fe::",
    "64:ff9b:1:0:a9:fea9:fe00:0", "2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe:0:0:f7f7:f7f7", "2001:0:808:808:0:0:5601:5601",
    "2606:4700::5efe:169.254.169.254", "::ffff:0:100.100.100.200", "::ffff:168.63.129.16",
    # link-local, multicast, unspecified, broadcast, reserved
    "169.254.0.1", "fe80::1", "fe80::1%2", "febf::1", "fec0::1", "224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1",
    "0.0.0.0", "0.0.0.1", "::", "::ffff:0.0.0.0", "64:ff9b:1::", "255.255.255.255", "240.0.0.1", "192.0.0.1",
    "192.0.2.1", "192.88.99.1", "198.51.100.1", "203.0.113.1", "100::1", "2001:2::1", "2001:10::1", "2001:20::1",
    "2001:db8::1", "3fff::1", "5f00::1", "4000::1", "1000::1",
]  # fmt: skip
TABLE = [(text, each) for each, texts in zip(Reach, (PUBLIC, PRIVATE, NEVER), strict=True) for text in texts]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_reach(text: str, expected: Reach) -> None:
    """Every address is public, private or never right; targets of the file may be private, others only public."""
    assert reach(ip_address(text)) is expected
    assert passes(Guard(private=True), text) is (expected is not Reach.NEVER)
    assert passes(Guard(private=False), text) is (expected is Reach.PUBLIC)


def passes(guard: Guard, host: str) -> bool:
    try:
        guard.check(host)
    except BlockedError:
        return False
    return True


@pytest.mark.parametrize(
    ("network", "host", "expected"),
    [
        ("169.254.169.254/32", "169.254.169.254", True),
        ("169.254.169.254/32", "::ffff:169.254.169.254", True),
        ("169.254.169.254/32", "64:ff9b::a9fe:a9fe", True),
        ("169.254.169.254/32", "169.254.169.253", False),
        ("169.254.169.254/32", "10.0.0.1", False),
        ("10.1.0.0/16", "10.1.2.3", True),
        ("10.1.0.0/16", "10.2.2.3", False),
        ("10.1.0.0/16", "::ffff:10.1.2.3", True),
        ("10.1.0.0/16", "64:ff9b:1::10.1.2.3", False),
        ("64:ff9b:1::/48", "64:ff9b:1::10.1.2.3", True),
        ("fe80::/10", "fe80::1%2", True),
        ("fd00:ec2::254/128", "fd00:ec2::254", True),
        ("2001:0:0:0::/32", "2001:0:7f00:1:0:0:f7f7:f7f7", True),
        ("127.0.0.1/32", "2001:0:7f00:1:0:0:80ff:fffe", True),
        ("127.0.0.1/32", "2001:0:a9fe:a9fe:0:0:80ff:fffe", False),
    ],
)
def test_named_networks(network: str, host: str, *, expected: bool) -> None:
    """What is named is allowed, in any disguise, and nothing beside it."""
    assert passes(Guard(private=False, allowed=[ip_network(network)]), host) is expected


@pytest.mark.parametrize("host", ["", "trainer", "127.1", "0177.0.0.1", "2130706433", "1.2.3.4 ", "/run/socket"])
def test_what_is_no_address(host: str) -> None:
    """It fails closed."""
    with pytest.raises(BlockedError, match="no address"):
        Guard(private=True).check(host)


@given(number=st.integers(0, 2**32 - 1), wrapped=st.sampled_from(["::ffff:{}", "::ffff:0:{}", "64:ff9b::{}"]))
def test_wrapping_hides_nothing(number: int, wrapped: str) -> None:
    """An address reaches as far as before when it is wrapped."""
    plain = ip_address(number)
    inside = ip_address(wrapped.format(plain))

    assert embedded(inside) == (plain,)
    assert reach(inside) is reach(plain)


@given(number=st.integers(0, 2**128 - 1))
def test_local_nat64_is_never_public(number: int) -> None:
    """Wherever a network's own prefix has the address, it is at best private."""
    address = ip_address((0x64_FF9B_0001 << 80) | (number & ((1 << 80) - 1)))

    assert reach(address) is not Reach.PUBLIC
