"""Of each window and cell the last word: complete, in order, said as soon as nothing can change it any more.

A window is reported as it closes, again when late rows have come for it, and again as its labels come. What may still
change is held as compressed JSON, so that memory is bounded by the windows whose rows or labels are waited for.
"""

import zlib
from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec

from driftwatch.evaluation.report import Report, follow
from driftwatch.evaluation.rules import RuleSpec
from driftwatch.quality.pending import WindowKey
from driftwatch.statistics.performance import AT_FIRST
from driftwatch.statistics.reading import Stage

Document = dict[str, Any]
"""A report as JSON has it."""

_QUICK = 1


class LastWords:
    """Takes reports as they are made and gives away the document of each window and cell once.

    last: given those documents. rules: the model's. revision: given each revision as it comes, complete as well.
    """

    def __init__(
        self,
        last: Callable[[Document], None],
        *,
        rules: Iterable[RuleSpec] = (),
        revision: Callable[[Document], None] | None = None,
    ) -> None:
        self._last, self._revision = last, revision
        self._judged_later = {rule.name for rule in rules if _judges_later(rule)}
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
        if before is not None and report.follows:
            document = {**document, "alerts": self._alerts(document, before)}
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

    def _alerts(self, document: Document, before: Document) -> list[Document]:
        """Alerts as the rows' report had them, and of rules that wait for labels as this one has them.

        Labels come many windows later, which have moved the others since.
        """
        first = [note for note in before["alerts"] if note["rule"] not in self._judged_later]
        return first + [note for note in document["alerts"] if note["rule"] in self._judged_later]


def _judges_later(rule: RuleSpec) -> bool:
    """Whether a rule waits for labels, so that a window's first report may say nothing to it."""
    return rule.metric is not None and rule.metric not in AT_FIRST and rule.stage is not Stage.ESTIMATED


def _window(report: Report) -> WindowKey:
    window = report.window
    return (window.end_ms if window.ordinal is None else window.ordinal + 1), report.version
