"""When a model's trouble counts as over: `[models.recovery]`."""

from typing import ClassVar

from pydantic import Field

from driftwatch.spec import DurationMs, Spec, duration_ms


class RecoverySpec(Spec):
    """`[models.recovery]`: how an incident is followed once it has been detected.

    windows: so many closed windows in turn, judged by the incident's rules and inside the limits, are a recovery.
    deploy_within: a new version has to come so soon after the request; 0: it is waited for without end.
    recover_within: the new version has to be well so soon after it came; 0: without end. Labels count in it.
    rollback: whether targets that accept it are asked to go back when the new version is bad, too.
    """

    later: ClassVar = ("rebase",)

    windows: int = Field(default=3, ge=1, le=10_000)
    deploy_within: DurationMs = duration_ms("7d")
    recover_within: DurationMs = duration_ms("14d")
    rollback: bool = True
