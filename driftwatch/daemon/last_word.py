"""Of each window and cell the last word: complete, in order, said as soon as nothing can change it any more.

A window is reported as it closes, again when late rows have come for it, and again as its labels come. What may still
change is held as compressed JSON, so that memory is bounded by the windows whose rows or labels are waited for.
"""

import zlib
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from driftwatch.evaluation.report import Report, follow
from driftwatch.quality.pending import WindowKey

Document = dict[str, Any]
"""A report as JSON has it."""

_QUICK = 1


class LastWords:
    """Takes reports as they are made and gives away the document of each window and cell once.

    last: given those documents. revision: given each revision as it comes, complete as well.
    """

    def __init__(self, last: Callable[[Document], None], *, revision: Callable[[Document], None] | None = None) -> None:
        self._last, self._revision = last, revision
        self._held: dict[tuple[WindowKey, str], bytes] = {}

    def add(self, report: Report) -> None:
        """Take one report, a window's first or a later revision."""
        document = report.document()
        key = _window(report), report.segment
        before = None if key not in self._held else msgspec.json.decode(zlib.decompress(self._held[key]))
        if before is not None and report.follows:
            document = follow(document, before)
        if self._revision is not None:
            self._revision(document)
        self._held[key] = zlib.compress(msgspec.json.encode(document), _QUICK)

    def release(self, changing: Collection[WindowKey]) -> None:
        """Give away what stands before all that may still change, which is `changing`."""
        for key in sorted(self._held):
            if key[0] in changing:
                return
            self._last(msgspec.json.decode(zlib.decompress(self._held.pop(key))))

    def finish(self) -> None:
        """Give away the rest."""
        self.release(())


def _window(report: Report) -> WindowKey:
    window = report.window
    return (window.end_ms if window.ordinal is None else window.ordinal + 1), report.version
