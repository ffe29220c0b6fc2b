"""`[server]`: where the service listens and how much it takes at once. Imports no web framework."""

import re
from typing import Annotated, ClassVar, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

from driftwatch.spec import PositiveDurationMs, Spec
from driftwatch.stream.counting import MAX_EVENTS

MEBIBYTE = 2**20


class Address(NamedTuple):
    """A host without brackets, "" for every interface, and a port; port 0 lets the system choose one."""

    host: str
    port: int


def parse_address(text: str) -> Address:
    """Read "host:port"; an IPv6 host stands in brackets, an empty one means every interface.

    Raises ValueError on anything else.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise ValueError(f'"{text}" is no address: write host:port, such as "0.0.0.0:9464" or "[::]:9464"')
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if ":" not in host:
            raise ValueError(f'"{text}": only an IPv6 host stands in brackets')
    elif ":" in host:
        raise ValueError(f'"{text}": an IPv6 host stands in brackets, such as "[::1]:9464"')
    if any(character.isspace() or character in "[]/@" for character in host):
        raise ValueError(f'"{text}" is no address: "{host}" is no host name')
    return Address(host, int(port))


def _web(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", text):
        raise ValueError(
            'write the address under which people reach this service, such as "https://driftwatch.example"'
        )
    return text.rstrip("/")


def _checked(text: str) -> str:
    parse_address(text)
    return text


class ServerSpec(Spec):
    """`[server]`. What is beyond a bound is answered with a status and counted in `driftwatch_http_refused_total`.

    listen: host:port. max_body, max_body_decompressed: bytes of one request, as sent and as unpacked.
    max_values: commas and lines in one request, which bound what it can become in memory. max_events: its events.
    max_arriving: bytes of all requests together while they arrive; beyond it senders are asked to wait.
    external_url: where people reach the service, for the links in webhooks; without it they have none.
    max_leaving: bytes of all answers together that their readers have not taken; the one beyond it is cut off.
    max_head: bytes of a request line with its headers. max_headers: how many headers. max_connections: at once.
    head_timeout: for a request's head to arrive. body_timeout: for its body. answer_timeout: to take the answer.
    max_series: bound on the series about models in one scrape; the most severe columns come first.
    """

    later: ClassVar = ("web_config_file",)

    listen: Annotated[str, AfterValidator(_checked)] = "0.0.0.0:9464"
    max_body: Annotated[int, Field(ge=1024)] = 4 * MEBIBYTE
    max_body_decompressed: Annotated[int, Field(ge=1024)] = 8 * MEBIBYTE
    max_values: Annotated[int, Field(ge=1)] = 500_000
    max_events: Annotated[int, Field(ge=1, le=MAX_EVENTS)] = 50_000
    max_arriving: Annotated[int, Field(ge=1024)] = 16 * MEBIBYTE
    external_url: Annotated[str, AfterValidator(_web)] = ""
    max_leaving: Annotated[int, Field(ge=1024)] = 16 * MEBIBYTE
    max_head: Annotated[int, Field(ge=1024)] = 16 * 1024
    max_headers: Annotated[int, Field(ge=8)] = 100
    max_connections: Annotated[int, Field(ge=1)] = 512
    head_timeout: PositiveDurationMs = 10_000
    body_timeout: PositiveDurationMs = 60_000
    answer_timeout: PositiveDurationMs = 60_000
    max_series: Annotated[int, Field(ge=100)] = 10_000

    @property
    def address(self) -> Address:
        """`listen` in its parts."""
        return parse_address(self.listen)

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.max_body_decompressed < self.max_body:
            raise ValueError("max_body_decompressed must be at least max_body")
        if self.max_arriving < self.max_body:
            raise ValueError("max_arriving must be at least max_body")
        return self
