"""What a backtest found, as one JSON document: false alarms, power and delay, beside dumb baselines."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from driftwatch.backtest.judge import Verdict, is_of_content, judged
from driftwatch.backtest.passing import Alarm
from driftwatch.backtest.rates import MONTH_MS, budget_of, f1, middle, poisson, wilson
from driftwatch.backtest.shifts import SHIFTS
from driftwatch.backtest.trials import Backtest, Clean
from driftwatch.evaluation.report import rfc3339

Document = dict[str, Any]
_DAY_MS = 86_400_000


def findings(test: Backtest) -> Document:
    """The document; no number in it is NaN, what is not defined is null."""
    verdicts = [judged(test, trial) for trial in test.trials]
    size, rows = test.size, test.history.rows
    return {
        "model": test.watch.spec.name,
        "seed": test.seed,
        "repeats": test.repeats,
        "history": {
            "rows": test.history.size, "left_out": test.history.left_out, "rejected": test.history.rejected,
            "labels": 0 if test.history.labels is None else test.history.labels.rows,
            "start": rfc3339(int(rows.times[0])), "end": rfc3339(int(rows.times[-1])),
            "windows": len(test.as_it_is.said.windows), "window_rows": size.window_rows,
        },
        "trials": {
            "count": len(test.trials), "lead_windows": size.lead, "within_windows": size.within,
            "block_rows": size.block, "reference_rows": test.reference_rows,
            "model_reference_rows": test.watch.reference.rows,
        },
        "budget": None if test.watch.budgeted is None else budget_of(test.watch.spec),
        "as_it_is": _as_it_is(test.as_it_is),
        "resampled": _resampled(test.resampled),
        "shifts": [_shift([each for each in verdicts if each.shift == shift]) for shift in SHIFTS
                   if any(each.shift == shift for each in verdicts)],
        "monitors": _monitors(test, verdicts),
        "baselines": _baselines(verdicts),
    }  # fmt: skip


def _as_it_is(clean: Clean) -> Document:
    alarms = sorted(clean.said.alarms, key=lambda alarm: (alarm.told_ms, alarm.rule, alarm.column))
    return {**_rates("alarms", len(alarms), [clean]), "list": [_alarm(alarm) for alarm in alarms]}


def _resampled(runs: Sequence[Clean]) -> Document:
    """Alarms, and the windows in which any began: what a person is called for."""
    alarms = [[alarm for alarm in run.said.alarms if is_of_content(alarm)] for run in runs]
    incidents = sum(len({alarm.window for alarm in each}) for each in alarms)
    count = sum(map(len, alarms))
    total = sum(len(run.said.alarms) for run in runs)
    windows = _windows(runs)
    return {
        "runs": len(runs),
        **_rates("alarms", count, runs),
        "incidents": {"count": incidents, **_monthly(incidents, runs)},
        "alarms_per_1000_windows": _per_windows(count, windows),
        "left_out": total - count,
    }


def _rates(name: str, count: int, runs: Sequence[Clean]) -> Document:
    rows = sum(run.rows for run in runs)
    return {
        "days": _milliseconds(runs) / _DAY_MS,
        "windows": _windows(runs),
        "rows": rows,
        name: {"count": count, **_monthly(count, runs)},
    }


def _monthly(count: int, runs: Sequence[Clean]) -> Document:
    rate, lower, upper = poisson(count, _milliseconds(runs) / MONTH_MS)
    return {"per_30_days": _number(rate), "lower": _number(lower), "upper": _number(upper)}


def _per_windows(count: int, windows: int) -> Document:
    rate, lower, upper = poisson(count, windows / 1_000)
    return {"rate": _number(rate), "lower": _number(lower), "upper": _number(upper)}


def _milliseconds(runs: Iterable[Clean]) -> int:
    return sum(run.last_ms - run.first_ms for run in runs)


def _windows(runs: Iterable[Clean]) -> int:
    return sum(len(run.said.windows) for run in runs)


def _alarm(alarm: Alarm) -> Document:
    return {
        "window": {"start": rfc3339(alarm.window_start_ms), "end": rfc3339(alarm.window[0])},
        "told": rfc3339(alarm.told_ms), "rule": alarm.rule, "column": alarm.column, "statistic": alarm.statistic,
        "segment": alarm.segment, "version": alarm.version, "value": _number(alarm.value),
    }  # fmt: skip


def _shift(verdicts: Sequence[Verdict]) -> Document:
    """One change, over its trials."""
    shift, found = verdicts[0].shift, [each for each in verdicts if each.found]
    power, lower, upper = wilson(len(found), len(verdicts))
    named = [each.named for each in verdicts if each.named is not None]
    rules = Counter(rule for each in verdicts for rule in each.rules)
    anything = [each.any_windows for each in verdicts if each.any_windows is not None]
    return {
        "name": shift.name, "kind": shift.kind.value, "size": shift.size,
        "trials": len(verdicts), "found": len(found), "power": power, "lower": lower, "upper": upper,
        "delay_windows": _delay([float(each.windows) for each in found if each.windows is not None]),
        "delay_seconds": _delay([each.delay_ms / 1000 for each in found if each.delay_ms is not None]),
        "any_alert": {"found": len(anything), "delay_windows": _delay([float(each) for each in anything])},
        "named": {"as": shift.expected, "count": sum(named)} if named else None,
        "by_rule": dict(sorted(rules.items())),
        "false_before": sum(each.false_before for each in verdicts),
        "f1": _baselines(verdicts) if verdicts[0].cells else None,
    }  # fmt: skip


def _delay(values: Sequence[float]) -> Document | None:
    return {"median": middle(values), "p90": middle(values, 0.9)} if values else None


def _monitors(test: Backtest, verdicts: Sequence[Verdict]) -> list[Document]:
    """Every rule and column that ever alarmed: its false alarms, and which changes of its column it found."""
    false = Counter(
        (alarm.rule, alarm.column) for run in test.resampled for alarm in run.said.alarms if is_of_content(alarm)
    )
    keys = {*false, *((rule, each.column) for each in verdicts for rule in each.rules)}
    return [
        {
            "rule": rule, "column": column, "false_alarms": false[rule, column],
            **_monthly(false[rule, column], test.resampled),
            "shifts": [
                _found_by(rule, given)
                for shift in SHIFTS
                if (given := [each for each in verdicts if each.shift == shift and each.column == column])
            ],
        }
        for rule, column in sorted(keys)
    ]  # fmt: skip


def _found_by(rule: str, verdicts: Sequence[Verdict]) -> Document:
    found = [each for each in verdicts if rule in each.rules]
    delays = [float(each.windows) for each in found if each.windows is not None]
    power, lower, upper = wilson(len(found), len(verdicts))
    return {
        "name": verdicts[0].shift.name, "trials": len(verdicts), "found": len(found),
        "power": power, "lower": lower, "upper": upper, "delay_windows": middle(delays),
    }  # fmt: skip


def _baselines(verdicts: Iterable[Verdict]) -> Document:
    """Precision and recall over pairs of window and column, beside those of alarming always, and never."""
    judged_cells = [each for each in verdicts if each.cells]
    cells, true, alarmed, hits = (
        sum(getattr(each, name) for each in judged_cells) for name in ("cells", "true", "alarmed", "hits")
    )
    return {
        "cells": cells,
        "changed": true,
        "driftwatch": f1(hits, alarmed, true),
        "always_alarm": f1(true, cells, true),
        "never_alarm": f1(0, 0, true),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
