"""What people and other systems tell a running service about its models, so that the engine hears it exactly once."""

from typing import Protocol

from driftwatch.stream.operations import Operation


class Operator(Protocol):
    """Where it is taken."""

    def knows_model(self, model: str) -> bool:
        """Whether the model is watched."""

    def alert_stands(self, alert: str) -> bool:
        """Whether the alert is pending or firing."""

    def incident_is_open(self, incident: str) -> bool:
        """Whether it is."""

    def tell(self, operation: Operation, *, key: str = "") -> bool:
        """Store it; durable when this returns. Raises Busy when nothing can be taken.

        key: what comes again under the same one is not stored again; whether it was new.
        """
