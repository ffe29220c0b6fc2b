"""A model's alerts and detectors while its windows are looked at: a cell's windows move its own and read no others."""

from types import MappingProxyType

from driftwatch.evaluation.alerts import Alerts, Cell, Episode, Key
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

    def recall(self, look: Look) -> Recalled:
        """A report as it stood; nothing moves."""
        return self._evaluator.recall(look, self._of(look.cell), self._detectors.of(look.cell))

    def _of(self, cell: Cell) -> Alerts:
        return Alerts(MappingProxyType(self._pages.get((cell.version, cell.segment), {})))

    @property
    def alerts(self) -> Alerts:
        """All of them."""
        return Alerts(MappingProxyType({key: each for page in self._pages.values() for key, each in page.items()}))
