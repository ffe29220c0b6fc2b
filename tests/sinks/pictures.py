"""A fixed picture for the tests of the board and its collector."""

import math
from collections.abc import Mapping

from driftwatch.evaluation.alerts import Reason, State, Transition
from driftwatch.evaluation.report import Report, Window
from driftwatch.statistics.reading import Reading, Stage, Status, Support

HOUR_MS = 3_600_000
START_MS = 1_767_607_200_000


def reading(column: str, statistic: str, value: float, **other: float) -> Reading:
    """One drift reading; what is not given is NaN."""
    numbers = {name: other.get(name, math.nan) for name in ("adjusted", "lower", "upper", "p_value")}
    status = Status.TOO_FEW if math.isnan(value) else Status.OK
    return Reading(column=column, family="drift", statistic=statistic, value=value, status=status, **numbers)


def measure(stage: Stage, metric: str, value: float, *, column: str = "") -> Reading:
    """A performance reading with an interval of ± 0.01; the estimated one is of its own family."""
    family = "estimation" if stage is Stage.ESTIMATED else "performance"
    bounds = {"lower": value - 0.01, "upper": value + 0.01}
    return reading(column, metric, value, **bounds)._replace(family=family, support=Support(stage))


def report(
    *readings: Reading,
    cell: tuple[str, str, str] = ("fraud", "7", ""),
    hour: int = 0,
    revision: int = 1,
    thresholds: Mapping[tuple[str, str], float] | None = None,
    follows: bool = False,
) -> Report:
    """The report of one hour's window of 5 000 rows."""
    start_ms = START_MS + hour * HOUR_MS
    return Report(
        *cell,
        window=Window(start_ms, start_ms + HOUR_MS, rows=5000),
        revision=revision,
        fingerprint="f" * 32,
        reference_rows=100_000,
        readings=readings,
        thresholds=thresholds or {},
        follows=follows,
    )


def step(
    state: State, reason: Reason, *, column: str = "amount", alert_id: str = "a1", model: str = "fraud"
) -> Transition:
    """One step of an alert of the rule `drift`."""
    return Transition(
        identity=f"{alert_id}-{state}",
        alert_id=alert_id,
        model=model,
        version="7",
        segment="",
        rule="drift",
        column=column,
        statistic="psi",
        severity="warning",
        action="notify",
        state=state,
        reason=reason,
        started_ms=START_MS,
        window_start_ms=START_MS,
        window_end_ms=START_MS + HOUR_MS,
        value=0.31,
        lower=0.27,
        threshold=0.1,
    )
