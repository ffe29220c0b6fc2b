"""How a target is reached: the keys about proxy, certificates and permitted networks, alike for all kinds."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, field_validator, model_validator

from driftwatch.spec import LocatedPath, Spec


def _proxy(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0 and parts.path in {"", "/"}
    except ValueError:
        usable = False
    if not usable or any(character.isspace() for character in url):
        raise ValueError('write the proxy as "http://host:port"; https targets are tunnelled through it')
    return url


def _network(text: Any) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError('write a network as "10.1.0.0/16" or "fd00:1::/32", or one address') from error


ProxyAddress = Annotated[str, AfterValidator(_proxy)]
"""The address of an HTTP proxy."""

NetworkAddress = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
"""A network of addresses, written as text."""


class NetworkSpec(Spec):
    """The network keys of a `[[targets]]` table; nothing of them is taken from the environment.

    private: whether the target may be in a private network. allow_networks: addresses that it may be at whatever the
    guard says else, such as a metadata service's. ca_file: the authorities to trust in place of the public ones.
    cert_file, key_file: the certificate to show; its key may stand in the same file.
    """

    proxy: ProxyAddress | None = None
    ca_file: LocatedPath | None = None
    cert_file: LocatedPath | None = None
    key_file: LocatedPath | None = None
    private: bool = True
    allow_networks: tuple[NetworkAddress, ...] = ()

    @field_validator("allow_networks", mode="before")
    @classmethod
    def _listed(cls, networks: object) -> object:
        return tuple(networks) if isinstance(networks, list) else networks

    @model_validator(mode="after")
    def _whose_key(self) -> "NetworkSpec":
        if self.key_file and not self.cert_file:
            raise ValueError("key_file is the key of a certificate; name that by cert_file")
        return self
