"""One window's way from profile to report: alerts move once, later revisions only renew the numbers."""

from types import SimpleNamespace
from typing import Any

from driftwatch.evaluation.alerts import Alerts, Cell, State
from driftwatch.evaluation.evaluate import Evaluator
from driftwatch.statistics.distribution import Distribution
from driftwatch.statistics.reading import Reading
from tests.evaluation.readings import reading, rule, window

CELL = Cell("fraud", "7", "")


class FakeBaseline:
    """A baseline whose readings are the "profile" itself."""

    rows = 40
    statistics = {"amount": ("psi", "js")}  # noqa: RUF012 - read only

    def readings(self, profile: Any) -> tuple[Reading, ...]:
        return profile.readings

    def distributions(self, profile: Any) -> tuple[Distribution, ...]:
        return profile.distributions


def profile(value: float) -> Any:
    return SimpleNamespace(fingerprint="abc", readings=(reading(value),), distributions=())


def evaluator(*rules: Any) -> Evaluator:
    return Evaluator(FakeBaseline(), rules or [rule(above=0.2)])


def test_first_report() -> None:
    """The first report judges the window, moves the alerts and shows them."""
    report, alerts, made = evaluator().evaluate(profile(0.5), Alerts(), cell=CELL, window=window(0))
    assert (report.model, report.version, report.revision) == ("fraud", "7", 1)
    assert (report.fingerprint, report.reference_rows) == ("abc", 40)
    assert report.thresholds == {("amount", "psi"): 0.2}
    assert [one.state for one in made] == [State.FIRING]
    assert [(note.id, note.state) for note in report.alerts] == [(made[0].alert_id, "firing")]
    assert len(alerts.episodes) == 1


def test_resolving_report_shows_what_it_ended() -> None:
    """The window that ends an alert still names it."""
    _, alerts, _ = evaluator().evaluate(profile(0.5), Alerts(), cell=CELL, window=window(0))
    report, alerts, made = evaluator().evaluate(profile(0.0), alerts, cell=CELL, window=window(1))
    assert [one.state for one in made] == [State.RESOLVED]
    assert [note.state for note in report.alerts] == ["resolved"]
    assert alerts.episodes == {}


def test_revision_moves_no_alert() -> None:
    """Late rows change the numbers of a report that was made; nobody is told twice."""
    _, alerts, _ = evaluator().evaluate(profile(0.5), Alerts(), cell=CELL, window=window(0))
    report = evaluator().revise(profile(0.0), alerts, cell=CELL, window=window(0), revision=2)
    assert report.revision == 2
    assert report.readings[0].value == 0.0
    assert [note.state for note in report.alerts] == ["firing"]


def test_recall() -> None:
    """After a restart the last report is made again, and the alerts that stand beside it."""
    _, alerts, made = evaluator().evaluate(profile(0.5), Alerts(), cell=CELL, window=window(0))
    report, stand = evaluator().recall(profile(0.5), alerts, cell=CELL, window=window(0), revision=3)
    assert report.revision == 3
    assert [(one.alert_id, one.state) for one in stand] == [(made[0].alert_id, State.FIRING)]
