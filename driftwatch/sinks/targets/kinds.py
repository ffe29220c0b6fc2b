"""Every kind of target by the word that stands in the file."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field

from driftwatch.sinks.targets.airflow import Airflow, AirflowSpec
from driftwatch.sinks.targets.alertmanager import Alertmanager, AlertmanagerSpec
from driftwatch.sinks.targets.argo import Argo, ArgoSpec
from driftwatch.sinks.targets.cloudevents import CloudEvents, CloudEventsSpec
from driftwatch.sinks.targets.dagster import Dagster, DagsterSpec
from driftwatch.sinks.targets.github import Github, GithubSpec
from driftwatch.sinks.targets.gitlab import Gitlab, GitlabSpec
from driftwatch.sinks.targets.jenkins import Jenkins, JenkinsSpec
from driftwatch.sinks.targets.kubeflow import Kubeflow, KubeflowSpec
from driftwatch.sinks.targets.pagerduty import PagerDuty, PagerDutySpec
from driftwatch.sinks.targets.prefect import Prefect, PrefectSpec
from driftwatch.sinks.targets.slack import Slack, SlackSpec
from driftwatch.sinks.targets.spec import TargetSpec
from driftwatch.sinks.targets.target import Target
from driftwatch.sinks.targets.webhook import Webhook, WebhookSpec

_MADE: Mapping[type[TargetSpec], Callable[[Any], Target]] = MappingProxyType(
    {
        AirflowSpec: Airflow,
        AlertmanagerSpec: Alertmanager,
        ArgoSpec: Argo,
        CloudEventsSpec: CloudEvents,
        DagsterSpec: Dagster,
        GithubSpec: Github,
        GitlabSpec: Gitlab,
        JenkinsSpec: Jenkins,
        KubeflowSpec: Kubeflow,
        PagerDutySpec: PagerDuty,
        PrefectSpec: Prefect,
        SlackSpec: Slack,
        WebhookSpec: Webhook,
    }
)

KINDS: tuple[str, ...] = tuple(get_args(spec.model_fields["type"].annotation)[0] for spec in _MADE)
"""The words that `type` may be."""


def _kind(table: Any) -> Any:
    """Without a word it is the plain webhook."""
    return {"type": "webhook", **table} if isinstance(table, dict) else table


AnyTargetSpec = Annotated[
    Annotated[
        AirflowSpec
        | AlertmanagerSpec
        | ArgoSpec
        | CloudEventsSpec
        | DagsterSpec
        | GithubSpec
        | GitlabSpec
        | JenkinsSpec
        | KubeflowSpec
        | PagerDutySpec
        | PrefectSpec
        | SlackSpec
        | WebhookSpec,
        Field(discriminator="type"),
    ],
    BeforeValidator(_kind),
]
"""A `[[targets]]` table."""


def target_of(spec: TargetSpec) -> Target:
    """Make the target that a table describes."""
    return _MADE[type(spec)](spec)
