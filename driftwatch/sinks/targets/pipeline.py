"""Kinds of targets that start a pipeline: what they are asked for."""

from pydantic import Field, field_validator

from driftwatch.sinks.targets.spec import Action, TargetSpec


class PipelineSpec(TargetSpec):
    """The keys of all that start a pipeline: they take requests, and no notices."""

    actions: tuple[Action, ...] = Field(default=("retrain",), min_length=1)

    @field_validator("actions")
    @classmethod
    def _no_notices(cls, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        if "notify" in actions:
            raise ValueError('this starts a pipeline, so it takes no notices; write "retrain", "rollback" or both')
        return actions
