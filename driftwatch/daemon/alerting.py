"""The alerts that a model's budget of false alarms pays for, as its configuration asks for them."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from driftwatch.config import ModelSpec
from driftwatch.errors import ConfigError
from driftwatch.evaluation.budget import EFFECT, NAME, Budget, BudgetRule, effects
from driftwatch.evaluation.budgeted import Budgeted
from driftwatch.evaluation.casebook import Casebook, Followed
from driftwatch.evaluation.groups import Importance
from driftwatch.evaluation.incidents import Incident
from driftwatch.statistics.abrupt import FactorsOf
from driftwatch.statistics.registry import names_for
from driftwatch.statistics.witness import Witness
from driftwatch.summaries.layout import Floats
from driftwatch.summaries.profile import Profile
from driftwatch.summaries.reference import Reference


def budgeted_of(spec: ModelSpec, reference: Reference, *, where: str) -> Budgeted | None:
    """The budgeted rule of a model; None where it is switched off, a rule of its name is written, or nothing is known.

    ConfigError, which begins with `where`, when the budget does not fit the windows or an effect the columns.
    """
    alerting, layout = spec.alerting, reference.layout
    allowed = alerting.allowed(timed=spec.window.rows is None)
    if allowed is None or any(rule.name == NAME for rule in spec.rules) or not reference.rows:
        return None
    given = {name: each.importance for name, each in spec.columns.items() if each.importance is not None}
    weights = [given.get(name, 1.0) for name in layout.names]
    try:
        budget = Budget.of(allowed, slide_ms=spec.window.pane_ms or None, importance=weights)
    except ValueError as error:
        raise ConfigError(f"{where}.alerting.budget: {error}") from error
    least = _least(spec, reference, where=where)
    table = alerting.model_dump(by_alias=True, include={"severity", "action", "for_", "keep_for"})
    rule = BudgetRule.model_validate({"name": NAME, "statistic": next(iter(least)), **table})
    tolerance = least.get(EFFECT, np.zeros(len(layout.names)))
    seasonal = spec.reference is not None and spec.reference.seasons is not None
    return Budgeted(
        rule,
        budget,
        layout.names,
        least,
        witness=witness_of(reference, tolerance)(reference.profile),
        of_window=lambda profile: Witness.of(
            layout,
            profile,
            tolerance=tolerance,
            learns=False,
            over=_over_season(reference, profile.rows) if seasonal else _over(reference),
        ),
        of_segment=witness_of(reference, tolerance),
        segments=len(reference.dimensions.segment_names),
    )


def severities_of(spec: ModelSpec) -> dict[str, str]:
    """The rules that can raise alerts of a model, with what their alerts weigh."""
    budgeted = {} if spec.alerting.budget is None else {NAME: spec.alerting.severity}
    return {**budgeted, **{rule.name: rule.severity for rule in spec.rules}}


def casebook_of(
    models: Sequence[ModelSpec], standing: Iterable[Incident], *, importance: Mapping[str, Importance]
) -> Casebook:
    """The incidents that stand, as their models' configurations follow them; rules that are no more are let go."""
    known = {spec.name: set(severities_of(spec)) for spec in models}
    kept = []
    for incident in standing:
        rules = tuple(rule for rule in incident.rules if rule in known.get(incident.model, ()))
        if rules:
            calm = tuple(each for each in incident.calm if each.rule in rules)
            kept.append(replace(incident, rules=rules, calm=calm))
        elif incident.model in known:  # nothing can ever end it but a person
            kept.append(incident)
    followed = {
        spec.name: Followed(spec.recovery, frozenset(rule.name for rule in spec.rules if rule.of_control))
        for spec in models
    }
    return Casebook(followed, standing=kept, importance=importance)


def described(budgeted: Budgeted | None) -> dict[str, Any] | None:
    """The budget as the API shows it: false alarms to expect a window close, and the smallest effects that matter."""
    if budgeted is None:
        return None
    rule = budgeted.rule
    return {
        "rule": rule.name,
        "severity": rule.severity,
        "action": rule.action,
        "false_alarms_per_window": budgeted.budget.chance,
        "min_effect": {
            name: {
                column: each
                for column, each in zip(budgeted.columns, least.tolist(), strict=True)
                if math.isfinite(each)
            }
            for name, least in budgeted.least.items()
        },
    }


def witness_of(reference: Reference, tolerance: Floats) -> Callable[[Profile], Witness]:
    """What makes ready the evidence against a part of the reference, as of a segment."""

    def make(profile: Profile) -> Witness:
        return Witness.of(reference.layout, profile, tolerance=tolerance, over=_over(reference, profile.rows))

    return make


def _over(reference: Reference, rows: int | None = None) -> FactorsOf | None:
    return None if reference.pyramid is None else partial(reference.pyramid.over, reference_rows=rows)


def _over_season(reference: Reference, rows: int) -> FactorsOf | None:
    """Of windows that are compared with so many rows of their own part of a season."""
    return None if reference.pyramid is None else partial(reference.pyramid.over_season, reference_rows=rows)


def _least(spec: ModelSpec, reference: Reference, *, where: str) -> dict[str, Floats]:
    """By statistic, the smallest effect that matters of each column; infinite where it is measured otherwise."""
    layout = reference.layout
    by_column = []
    for column in (*layout.numeric, *layout.categorical):
        own = spec.columns.get(column.name)
        given = effects(spec.alerting.min_effect if own is None or own.min_effect is None else own.min_effect)
        has = names_for(column.kind)
        if own is not None and own.min_effect is not None and (other := set(given).difference(has)):
            raise ConfigError(
                f"{where}.columns.{column.name}.min_effect: a {column.kind} column has no {', '.join(sorted(other))}; "
                f"write one of {', '.join(has)}"
            )
        by_column.append({name: least for name, least in given.items() if name in has})
        if not by_column[-1]:
            raise ConfigError(
                f"{where}.alerting.min_effect: the {column.kind} column {column.name} has none of these statistics; "
                f"add one of {', '.join(has)}"
            )
    names = dict.fromkeys(name for given in by_column for name in given)
    return {name: np.array([given.get(name, np.inf) for given in by_column]) for name in names}
