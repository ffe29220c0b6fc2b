"""May a target be at this address: the guard against requests that are led to where they must not go (SSRF).

Networks are by the special-purpose registries of the IANA and the metadata addresses of the clouds. They stand here in
full, because what `ipaddress` calls global lets some of them through and changes between releases of Python.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from driftwatch.errors import SinkError

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class BlockedError(SinkError):
    """An address that the target may not be at; the text names it."""


class Reach(StrEnum):
    """What an address stands for."""

    PUBLIC = "public"
    PRIVATE = "private"
    """This host or the operator's own networks."""
    NEVER = "never"
    """Metadata services, link-local, multicast, unspecified, broadcast and reserved: no webhook is there by right."""


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


_METADATA = _networks(
    "100.100.100.200/32",  # Alibaba
    "168.63.129.16/32",  # Azure
    "192.0.0.192/32",  # Oracle; all others of IPv4 are link-local
    "fd00:ec2::/32",  # Amazon
    "fd20:ce::254/128",  # Google
    "fd00:c1::a9fe:a9fe/128",  # Oracle
    "fd00:42::42/128",  # Scaleway
)
_NEVER = _METADATA + _networks(
    "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::/128", "100::/64", "2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:db8::/32", "3fff::/20", "5f00::/16",
    "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip
_PRIVATE = _networks(
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15",
    "::1/128", "64:ff9b:1::/48", "fc00::/7",
)  # fmt: skip
_GLOBAL = _networks("0.0.0.0/0", "2000::/3")
"""Of IPv6 nothing else has been given out."""

_MAPPED, _TRANSLATED, _COMPATIBLE = _networks("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96")
_NAT64, _LOCAL_NAT64, _SIX_TO_FOUR, _TEREDO = _networks("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
_ISATAP = (b"\0\0\x5e\xfe", b"\2\0\x5e\xfe")
_UNSPECIFIED, _LOOPBACK = IPv6Address("::"), IPv6Address("::1")
_NOWHERE = ip_network("0.0.0.0/8")


class Guard:
    """Knows where one target may be. private: whether in private networks; allowed: what is named on purpose."""

    def __init__(self, *, private: bool, allowed: Sequence[Network] = ()) -> None:
        self._private, self._allowed = private, tuple(allowed)

    def check(self, host: str) -> None:
        """Pass an address that the target may be at, as a socket names it. Raises BlockedError for any other."""
        try:
            address = ip_address(host)
        except ValueError as error:
            raise BlockedError(f"{host}: this is no address") from error
        if not self._permits(address):
            raise BlockedError(f"{host}: {_reason(reach(address))}")

    def _permits(self, address: Address) -> bool:
        if _among(address, self._allowed):
            return True
        inner = embedded(address)
        own = _own_reach(address, wraps=bool(inner))
        if own is Reach.NEVER or (own is Reach.PRIVATE and not self._private):
            return False
        return all(self._permits(each) for each in inner)


def reach(address: Address) -> Reach:
    """Say what an address stands for; one that wraps others is no better than the worst of them."""
    inner = embedded(address)
    reaches = {_own_reach(address, wraps=bool(inner)), *map(reach, inner)}
    return next(each for each in (Reach.NEVER, Reach.PRIVATE, Reach.PUBLIC) if each in reaches)


def embedded(address: Address) -> tuple[IPv4Address, ...]:
    """Give the IPv4 addresses that an IPv6 address is a way to, by the transition mechanisms; () when there is none.

    Mapped, translated and compatible ones, NAT64 (RFC 6052, 8215), 6to4, Teredo (server and client) and ISATAP.
    """
    if isinstance(address, IPv4Address):
        return ()
    packed = address.packed
    if _among(address, (_SIX_TO_FOUR,)):
        return (IPv4Address(packed[2:6]),)
    if _among(address, (_TEREDO,)):
        return (IPv4Address(packed[4:8]), IPv4Address(bytes(255 - byte for byte in packed[12:])))
    if _among(address, (_LOCAL_NAT64,)):
        return _local_nat64(packed)
    compatible = _among(address, (_COMPATIBLE,)) and address not in {_UNSPECIFIED, _LOOPBACK}
    if compatible or _among(address, (_MAPPED, _TRANSLATED, _NAT64)) or packed[8:12] in _ISATAP:
        return (IPv4Address(packed[12:]),)
    return ()


def _local_nat64(packed: bytes) -> tuple[IPv4Address, ...]:
    """Read the address at every place where a prefix of 96, 64, 56 or 48 bits can have it: which, is not known."""
    places = (packed[12:16], packed[9:13], packed[7:8] + packed[9:12], packed[6:8] + packed[9:11])
    found = {IPv4Address(place) for place in places}
    # Bits of a longer or shorter prefix read as 0.x.y.z; where nothing else is found, it is to nowhere.
    return tuple(sorted(each for each in found if each not in _NOWHERE)) or (IPv4Address(0),)


def _own_reach(address: Address, *, wraps: bool) -> Reach:
    """What the address is by itself, whatever it wraps."""
    if _among(address, _NEVER):
        return Reach.NEVER
    if _among(address, _PRIVATE):
        return Reach.PRIVATE
    return Reach.PUBLIC if wraps or _among(address, _GLOBAL) else Reach.NEVER


def _among(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _reason(found: Reach) -> str:
    if found is Reach.NEVER:
        return "metadata services, link-local, multicast and reserved addresses must be named in allow_networks"
    return "the target may not be in a private network"
