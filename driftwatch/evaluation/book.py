"""A model's alerts and detectors while its windows are looked at: a cell's windows move its own and read no others."""

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from driftwatch.evaluation.alerts import Alerts, Cell, Episode, Key, State, Transition
from driftwatch.evaluation.detectors import Detectors
from driftwatch.evaluation.evaluate import Evaluator, Finding, Look, Recalled


class AlertBook:
    """The alerts of one model by version and segment, and who moves them."""

    def __init__(self, evaluator: Evaluator, alerts: Alerts, detectors: Detectors) -> None:
        self._evaluator, self._detectors = evaluator, detectors
        self._pages: dict[tuple[str, str], dict[Key, Episode]] = {}
        for key, episode in alerts.episodes.items():
            _, version, segment, _ = key
            self._pages.setdefault((version, segment), {})[key] = episode

    def evaluate(self, look: Look) -> Finding:
        """Report a window of a cell, and move what there is of the cell."""
        finding = self._evaluator.evaluate(look, self._of(look.cell), self._detectors.of(look.cell))
        self._pages[look.cell.version, look.cell.segment] = dict(finding.alerts.episodes)
        self._detectors.put(look.cell, finding.slow)
        return finding

    def evaluate_all(self, looks: Iterable[Look]) -> list[Finding]:
        """Report a window of all cells of a version. What ends there is told with how much of its rule goes on."""
        findings = [self.evaluate(look) for look in looks]
        return [
            replace(each, transitions=[self._counted(step) for step in each.transitions]) if each.transitions else each
            for each in findings
        ]

    def _counted(self, step: Transition) -> Transition:
        if step.state is not State.RESOLVED:
            return step
        firing = sum(
            rule == step.rule and episode.state is State.FIRING
            for (version, _), page in self._pages.items()
            if version == step.version
            for (rule, *_), episode in page.items()
        )
        return replace(step, still_firing=firing)

    def recall(self, look: Look) -> Recalled:
        """A report as it stood; nothing moves."""
        return self._evaluator.recall(look, self._of(look.cell), self._detectors.of(look.cell))

    def _of(self, cell: Cell) -> Alerts:
        return Alerts(MappingProxyType(self._pages.get((cell.version, cell.segment), {})))

    @property
    def alerts(self) -> Alerts:
        """All of them."""
        return Alerts(MappingProxyType({key: each for page in self._pages.values() for key, each in page.items()}))
