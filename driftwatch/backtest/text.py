"""What a backtest found, for a person to read."""

from collections.abc import Iterator, Mapping
from typing import Any

Document = Mapping[str, Any]

_ALARMS, _MONITORS = 20, 12
"""Lines of each list; the rest is counted."""


def text(found: Document) -> str:
    """The document of `score.findings` as lines of at most 110 characters."""
    parts = (_head(found), _as_it_is(found), _resampled(found), _shifts(found), _monitors(found), _baselines(found))
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _head(found: Document) -> Iterator[str]:
    history, trials = found["history"], found["trials"]
    yield (
        f"backtest of {found['model']}: {history['rows']} rows, {history['windows']} windows of about "
        f"{history['window_rows']}, {_day(history['start'])} to {_day(history['end'])}, {history['labels']} labels; "
        f"seed {found['seed']}"
    )
    if history["left_out"]:
        yield f"only the newest rows fit into memory: {history['left_out']} older ones are left out"
    if history["rejected"]:
        yield f"{history['rejected']} rows could not be read and are left out"
    if trials["reference_rows"] < trials["model_reference_rows"]:
        yield (
            f"resampled rows are compared with {trials['reference_rows']} others of the history; "
            f"the model's own reference has {trials['model_reference_rows']}"
        )


def _as_it_is(found: Document) -> Iterator[str]:
    run = found["as_it_is"]
    yield f"history as it is, against the model's reference (changes in it may be real): {_rate(run['alarms'])}"
    for alarm in run["list"][:_ALARMS]:
        where = f" in {_printable(alarm['segment'])}" if alarm["segment"] else ""
        value = "" if alarm["value"] is None else f"  {alarm['statistic']} {alarm['value']:.4g}"
        yield f"  window to {_minute(alarm['window']['end'])}  {_monitor(alarm)}{where}{value}"
    if len(run["list"]) > _ALARMS:
        yield f"  and {len(run['list']) - _ALARMS} more"


def _resampled(found: Document) -> Iterator[str]:
    run, budget = found["resampled"], found["budget"]
    yield (
        f"history without its changes (blocks of {found['trials']['block_rows']} rows shuffled, {run['runs']} times; "
        "every alarm is false)"
    )
    thousand = run["alarms_per_1000_windows"]
    seen = f"{run['days']:.4g} days and {run['windows']} windows"
    yield f"  false alarms     {_rate(run['alarms'])}, over {seen}"
    yield f"  per 1000 windows {thousand['rate']:.3g} ({thousand['lower']:.3g}–{thousand['upper']:.3g})"
    yield f"  false incidents  {_rate(run['incidents'])} (windows in which any alarm began)"
    if budget is None:
        yield "  budget           none is configured"
    else:
        yield f"  budget           {budget['text']}{_within(budget, run)}"
    if run["left_out"]:
        yield f"  not counted      {run['left_out']} alarms of when rows come, which is not shuffled"


def _within(budget: Document, run: Document) -> str:
    """How the alarms stand to the budget, as far as so much history can tell."""
    if budget["per_30_days"] is not None:
        allowed, seen, of = budget["per_30_days"], run["alarms"], f" = {budget['per_30_days']:.3g} in 30 days"
    else:
        allowed, seen, of = budget["per_1000_windows"], run["alarms_per_1000_windows"], ""
    if seen["lower"] is None:
        return of
    if seen["lower"] > allowed:
        return f"{of}: exceeded"
    return f"{of}: kept surely" if seen["upper"] <= allowed else f"{of}: kept, as far as so much history tells"


def _shifts(found: Document) -> Iterator[str]:
    within = found["trials"]["within_windows"]
    yield f"changes put in, each at random moments: found within {within} windows by an alert on the column itself"
    yield (
        f"{'change':<22}{'found':>9}{'power':>7}  {'95 %':<11}{'windows':>9}{'time':>9}{'any alert':>13}"
        f"{'named':>8}{'F1':>7}{'always':>8}"
    )
    for shift in found["shifts"]:
        delay, time, named, f1 = shift["delay_windows"], shift["delay_seconds"], shift["named"], shift["f1"]
        anything = shift["any_alert"]
        first = "" if not anything["found"] else f"{anything['found']}× {anything['delay_windows']['median']:g}"
        bounds = f"{shift['lower']:.2f}–{shift['upper']:.2f}"
        yield (
            f"{shift['name']:<22}{shift['found']:>4}/{shift['trials']:<4}{shift['power']:>7.2f}  {bounds:<11}"
            f"{'' if delay is None else format(delay['median'], 'g'):>9}"
            f"{'' if time is None else _duration(time['median']):>9}"
            f"{first:>13}"
            f"{'' if named is None else str(named['count']) + '/' + str(shift['trials']):>8}"
            + ("" if f1 is None else f"{f1['driftwatch']['f1']:>7.2f}{f1['always_alarm']['f1']:>8.2f}")
        ).rstrip()
    yield "windows, time: median delay from the change to that alert; any alert: on whatever column, how often and when"


def _monitors(found: Document) -> Iterator[str]:
    yield "monitors: false alarms in 30 days (95 %), and changes of their column that they found"
    ranked = sorted(found["monitors"], key=lambda each: (-each["false_alarms"], -_found(each), each["rule"]))
    for each in ranked[:_MONITORS]:
        given = sum(shift["trials"] for shift in each["shifts"])
        yield f"  {_monitor(each):<46} {_rate(each, each['false_alarms']):<40} {_found(each):>4}/{given}"
    if len(ranked) > _MONITORS:
        yield f"  and {len(ranked) - _MONITORS} more, by size of the change in the JSON"


def _baselines(found: Document) -> Iterator[str]:
    cells = found["baselines"]
    pairs = f"{cells['cells']} pairs of window and column, {cells['changed']} of them changed"
    yield f"against dumb baselines, over {pairs}"
    yield f"  {'':<14}{'precision':>10}{'recall':>8}{'F1':>6}"
    for name in ("driftwatch", "always_alarm", "never_alarm"):
        line = cells[name]
        yield f"  {name.replace('_', ' '):<14}{line['precision']:>10.2f}{line['recall']:>8.2f}{line['f1']:>6.2f}"


def _found(monitor: Document) -> int:
    return sum(shift["found"] for shift in monitor["shifts"])


def _rate(rate: Document, count: int | None = None) -> str:
    said = f"{rate['count'] if count is None else count}"
    if rate["per_30_days"] is None:
        return said
    return f"{said} = {rate['per_30_days']:.3g} in 30 days ({rate['lower']:.3g}–{rate['upper']:.3g})"


def _monitor(each: Document) -> str:
    return f"{each['rule']} of {_printable(each['column'])}" if each["column"] else str(each["rule"])


def _printable(name: str) -> str:
    clean = "".join(character if character.isprintable() else "?" for character in name)
    return clean if len(clean) <= 30 else clean[:29] + "…"


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _day(moment: str) -> str:
    return moment[:10]


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")
