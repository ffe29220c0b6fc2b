"""CloudEvents 1.0 over HTTP, in binary or structured mode (CloudEvents "HTTP Protocol Binding", version 1.0.2)."""

from typing import ClassVar, Literal
from urllib.parse import quote

import msgspec
from pydantic import Field

from driftwatch.ports.letters import Letter
from driftwatch.sinks.attempts import Answer
from driftwatch.sinks.targets.credentials import bearer, token_of
from driftwatch.sinks.targets.said import Said
from driftwatch.sinks.targets.spec import Address
from driftwatch.sinks.targets.target import Ask, Request
from driftwatch.sinks.targets.token import TokenSpec

_OURS = "driftwatch."
_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
"""What stands in a header as it is."""


class CloudEventsSpec(TokenSpec):
    """`[[targets]]` of type "cloudevents"; a token, if one is named, is shown as a bearer's.

    source: what `source` begins with; the model follows.
    """

    needs_token: ClassVar = False

    type: Literal["cloudevents"]
    url: Address
    mode: Literal["binary", "structured"] = "binary"
    source: str = Field(default="/driftwatch", pattern=r"^[!-~]+$")


class CloudEvents:
    """A receiver of CloudEvents."""

    def __init__(self, spec: CloudEventsSpec) -> None:
        self._spec = spec

    @property
    def spec(self) -> CloudEventsSpec:
        """What the configuration says of it."""
        return self._spec

    def check(self) -> None:
        """Read the token once, if one is named. Raises SinkError when it cannot be read."""
        token_of(self._spec)

    def deliver(self, letter: Letter, *, now_ms: int, ask: Ask) -> Answer:
        """Make one attempt, now. Raises SinkError when the token cannot be read."""
        return ask(self.request(letter)).judged(now_ms=now_ms)

    def request(self, letter: Letter) -> Request:
        """Write the request. Receivers know duplicates by source and id."""
        spec, said = self._spec, Said.of(letter)
        attributes, shown = self._attributes(said), dict(bearer(token_of(spec)).headers)
        if spec.mode == "structured":
            body = {**attributes, "datacontenttype": "application/json", "data": said.data}
            headers = {"content-type": "application/cloudevents+json; charset=utf-8"}
            return Request(spec.url, headers | shown, msgspec.json.encode(body))
        headers = {"content-type": "application/json"}
        headers |= {f"ce-{name}": quote(value, safe=_PLAIN) for name, value in attributes.items()}
        return Request(spec.url, headers | shown, msgspec.json.encode(said.data))

    def _attributes(self, said: Said) -> dict[str, str]:
        """What stands around the data. The source is a URI reference, so the model's name is encoded in it."""
        model, version = (quote(said.text(key), safe="") for key in ("model", "version"))
        subject = {"subject": f"{model}/{version}"} if version else {}
        return {
            "specversion": "1.0",
            "id": said.id,
            "source": f"{self._spec.source.rstrip('/')}/{model}",
            "type": f"io.driftwatch.{said.type.removeprefix(_OURS)}.v1",
            "time": said.timestamp,
            **subject,
        }
