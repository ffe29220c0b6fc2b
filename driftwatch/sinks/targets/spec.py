"""What the tables of all kinds of targets have in common."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator

from driftwatch.evaluation.policies import PolicySpec
from driftwatch.sinks.targets.network import NetworkSpec
from driftwatch.spec import PositiveDurationMs

Action = Literal["notify", "retrain", "rollback"]
ALL_ACTIONS: tuple[Action, ...] = ("notify", "retrain", "rollback")
NOTICES: tuple[Action, ...] = ("notify",)
"""What kinds that tell people take, unless told otherwise."""


def _http(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(character.isspace() for character in url):
        raise ValueError('write an address that begins with "http://" or "https://" and names a host')
    return url


Address = Annotated[str, AfterValidator(_http)]
"""An absolute address of HTTP or HTTPS."""


class TargetSpec(NetworkSpec, PolicySpec):
    """The keys of every `[[targets]]` table; each kind adds its own, and `type: Literal[…]`.

    actions: what it is willing to be asked; kinds that start a pipeline take no notices.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$")
    type: str
    actions: tuple[Action, ...] = Field(default=ALL_ACTIONS, min_length=1)
    timeout: PositiveDurationMs = 15_000

    @field_validator("actions", mode="before")
    @classmethod
    def _tuple(cls, actions: object) -> object:
        return tuple(actions) if isinstance(actions, list) else actions
