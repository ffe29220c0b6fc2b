"""Whether the rules that are written can ever speak: of columns, metrics, segments and golden sets that there are."""

from collections.abc import Iterable, Mapping, Sequence

from driftwatch.config import ModelSpec
from driftwatch.errors import ConfigError
from driftwatch.evaluation.defaults import CONTROL_RULE, DEFAULT_RULES
from driftwatch.quality.building import metrics_by_class
from driftwatch.statistics.fairness import MEASURES
from driftwatch.stream.outputs import OutputForm

_NAMED = 10
"""Names that a message lists."""


def check_rules(spec: ModelSpec, statistics: Mapping[str, tuple[str, ...]], where: str) -> None:
    """ConfigError when a rule watches a statistic or a column that is not there; statistics: of every column."""
    for position, rule in enumerate(spec.rules):
        if rule.metric or rule in (*DEFAULT_RULES, CONTROL_RULE):
            continue
        if rule.of_control:
            _check_control(rule.columns, spec.control, f"{where}.rules[{position}]")
            continue
        if not any(rule.of in names for names in statistics.values()):
            raise ConfigError(
                f"{where}.rules[{position}].statistic: no column has {rule.of}, which is for columns of another kind, "
                "with a reference or with a constraint; choose another statistic"
            )
        for column in rule.columns or ():
            path = f"{where}.rules[{position}].columns"
            if column not in statistics:
                known = some(filter(None, statistics))
                raise ConfigError(f'{path}: the reference has no column "{column}"; it has {known}')
            if rule.of not in statistics[column]:
                known = ", ".join(statistics[column])
                raise ConfigError(f'{path}: "{column}" has no {rule.of}; it has {known}')


def _check_control(columns: Sequence[str] | None, control: Sequence[str], where: str) -> None:
    if not control:
        raise ConfigError(f'{where}.statistic: no golden set is followed; write control = ["golden-1"]')
    for column in columns or ():
        if column not in control:
            raise ConfigError(f'{where}.columns: "{column}" is no golden set; followed are {some(control)}')


def check_metrics(spec: ModelSpec, form: OutputForm, where: str, *, protected: Sequence[str]) -> None:
    """ConfigError when a rule watches a metric that the model has not; protected: the dimensions that are."""
    known = metrics_by_class(form)
    for position, rule in enumerate(spec.rules):
        if rule.metric is None:
            continue
        path = f"{where}.rules[{position}]"
        if rule.metric not in known[""]:
            raise ConfigError(
                f'{path}.metric: a model whose task is "{spec.task}" has no {rule.metric}; it has '
                + (", ".join(known[""]) or "none")
            )
        if not spec.remember_predictions:
            raise ConfigError(f"{path}.metric: without predictions to remember there is no {rule.metric}; "
                              "let remember_predictions be more than 0")  # fmt: skip
        if rule.metric in MEASURES:
            _check_fairness(rule.columns, path, protected)
            continue
        for column in rule.columns or ():
            if column not in known:
                classes = some(known.keys() - {""}) or "none of its own"
                raise ConfigError(f'{path}.columns: no class is called "{column}"; the model has {classes}')


def _check_fairness(columns: Sequence[str] | None, path: str, protected: Sequence[str]) -> None:
    if not protected:
        raise ConfigError(
            f'{path}.metric: nobody is protected; write protected = ["gender"] and build the reference again'
        )
    for column in columns or ():
        if column not in protected:
            raise ConfigError(f'{path}.columns: "{column}" is not protected; protected are {some(protected)}')


def check_segments(spec: ModelSpec, names: Sequence[str], where: str) -> None:
    """ConfigError when a rule watches a segment that is not there."""
    for position, rule in enumerate(spec.rules):
        for name in rule.segments if isinstance(rule.segments, tuple) else ():
            if name and name not in names:
                raise ConfigError(
                    f'{where}.rules[{position}].segments: no segment is called "{name}"; '
                    f"the reference has {some(names) or 'none'}"
                )


def some(columns: Iterable[str]) -> str:
    """The first of some names, and how many more there are."""
    names = list(columns)
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
