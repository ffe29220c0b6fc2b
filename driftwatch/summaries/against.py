"""What a window is compared with: the reference that was built, unless something nearer to the window is asked for."""

from collections.abc import Mapping
from typing import Any

from driftwatch.summaries.profile import Profile
from driftwatch.summaries.segment_panes import PaneKey

Span = tuple[int, int]
"""Where a window begins, and where it ends, in ms; the end is no part of it."""


class Against:
    """Compares every window with the reference that was built, and remembers nothing.

    since: the first pane of the stream whose rows were let go, where that is remembered.
    """

    since: int | None = None

    def reference(self, span: Span, rows: Profile | None, panes: Mapping[PaneKey, Profile]) -> Profile | None:
        """What a window is compared with; None: with the reference that was built.

        rows: those of the window, None once they are let go: then nothing is. panes: those that are held. Gives the
        same object as before where it finds the same.
        """
        del span, rows, panes
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
