"""Every kind of target by the word that stands in the file."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Discriminator, Tag

from driftwatch.sinks.targets.pagerduty import PagerDuty, PagerDutySpec
from driftwatch.sinks.targets.spec import TargetSpec
from driftwatch.sinks.targets.target import Target
from driftwatch.sinks.targets.webhook import Webhook, WebhookSpec

_MADE: Mapping[type[TargetSpec], Callable[[Any], Target]] = MappingProxyType(
    {
        PagerDutySpec: PagerDuty,
        WebhookSpec: Webhook,
    }
)

KINDS = ("pagerduty", "webhook")
"""The words that `type` may be."""


def _kind(table: Any) -> Any:
    """Which kind a table is of; without a word it is the plain webhook."""
    return table.get("type", "webhook") if isinstance(table, dict) else getattr(table, "type", None)


AnyTargetSpec = Annotated[
    Annotated[PagerDutySpec, Tag("pagerduty")] | Annotated[WebhookSpec, Tag("webhook")],
    Discriminator(_kind),
]
"""A `[[targets]]` table."""


def target_of(spec: TargetSpec) -> Target:
    """Make the target that a table describes."""
    return _MADE[type(spec)](spec)
