"""Alerts sorted by cell while windows are looked at, so that a cell's windows move its own and read no others."""

from types import MappingProxyType

from driftwatch.evaluation.alerts import Alerts, Cell, Episode, Key


class AlertBook:
    """A model's alerts by version and segment."""

    def __init__(self, alerts: Alerts) -> None:
        self._pages: dict[tuple[str, str], dict[Key, Episode]] = {}
        for key, episode in alerts.episodes.items():
            _, version, segment, _ = key
            self._pages.setdefault((version, segment), {})[key] = episode

    def of(self, cell: Cell) -> Alerts:
        """The alerts of one cell."""
        return Alerts(MappingProxyType(self._pages.get((cell.version, cell.segment), {})))

    def put(self, cell: Cell, alerts: Alerts) -> None:
        """Where they stand now."""
        self._pages[cell.version, cell.segment] = dict(alerts.episodes)

    @property
    def alerts(self) -> Alerts:
        """All of them."""
        return Alerts(MappingProxyType({key: each for page in self._pages.values() for key, each in page.items()}))
