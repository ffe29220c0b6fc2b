"""What a window is compared with: the reference that was built, unless something nearer to the window is asked for."""

from collections.abc import Mapping
from typing import Any

from driftwatch.summaries.profile import Profile
from driftwatch.summaries.segment_panes import PaneKey


class Against:
    """Compares every window with the reference that was built, and remembers nothing.

    since: the first pane of the stream whose rows were let go, where that is remembered.
    """

    since: int | None = None

    def reference(self, start_ms: int, end_ms: int, panes: Mapping[PaneKey, Profile]) -> Profile | None:
        """What the window [start, end) is compared with; None: with the reference that was built.

        panes: those that are held. The same object as before where the same is found.
        """
        del start_ms, end_ms, panes
        return None

    def let_go(self, panes: Mapping[PaneKey, Profile], *, before: int) -> None:
        """Panes that no window needs any more are dropped; nor is any that begins before this moment."""

    def changes(self) -> dict[str, bytes | None]:
        """The chunks to write, by name, None for those that are gone; the same until `saved`."""
        return {}

    def saved(self) -> None:
        """What had changed has been saved."""

    def resume(self, chunks: Mapping[str, bytes], *, since: int | None) -> list[str]:
        """Go on, as a new one, from what was written; the names of what is of no use. StateError when it is damaged."""
        del since
        return list(chunks)

    def held(self) -> dict[Any, Profile]:
        """What is remembered, for whoever compares memories."""
        return {}
