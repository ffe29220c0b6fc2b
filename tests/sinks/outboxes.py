"""An outbox that has never held anything."""

from collections.abc import Sequence

from driftwatch.ports.letters import Letter


class NoOutbox:
    """Of an Outbox what is asked about the past."""

    def asked(self, *_: str) -> Sequence[Letter]:
        return ()

    def told(self, *_: object) -> Sequence[Letter]:
        return ()
