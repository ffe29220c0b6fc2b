"""From what is known of a window to the looks at it and at its segments, one at a time: together they may be large."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from driftwatch.evaluation.evaluate import Look
from driftwatch.evaluation.report import Performance
from driftwatch.summaries.segmented import Segmented


@dataclass(frozen=True, slots=True)
class Sight:
    """A window as a whole, and what is known of its segments beside their rows.

    performances: by segment. decided: the rules that have judged the metrics of a segment, "" for all of them.
    """

    whole: Look
    performances: Mapping[str, Performance] = field(default_factory=dict)
    decided: frozenset[tuple[str, str]] = frozenset()

    def looks(self, state: Segmented | None, names: Sequence[str]) -> Iterator[Look]:
        """The window as a whole, then each segment that has something to say, in order.

        state: the window's rows by segment; None when they have been let go, or were not divided from the beginning.
        """
        yield self.whole
        decided: dict[str, set[str]] = {}
        for rule, name in self.decided:
            decided.setdefault(name, set()).add(rule)
        for number, name in enumerate(names):
            performance = self.performances.get(name)
            rows = 0 if state is None else state.rows(number)
            if not rows and (performance is None or self.whole.profile is not None):
                continue
            remembered = 0 if performance is None else performance.arrivals.predictions
            yield replace(
                self.whole,
                cell=replace(self.whole.cell, segment=name),
                window=replace(self.whole.window, rows=rows or remembered),
                profile=None if state is None else state.profile(number),
                performance=performance,
                decided=frozenset(decided.get(name, ())),
                stream=(),
                reference=None,
            )
