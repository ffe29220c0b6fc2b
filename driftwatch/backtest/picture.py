"""What a backtest found, as one picture: false alarms against the budget, power by change, and the history's alarms."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from driftwatch.backtest.svg import WIDTH, Sheet

Document = Mapping[str, Any]

_LEFT, _RIGHT, _ROW = 210.0, 640.0, 22.0
"""Where the scales begin and end, and the height of a line."""
_LANES = 15
"""Monitors of the history that get a line each."""
_NAMES = {"driftwatch": "driftwatch", "always_alarm": "alarm always", "never_alarm": "alarm never"}


def picture(found: Document) -> str:
    """Draw the document of `score.findings` as SVG."""
    sheet, history = Sheet(), found["history"]
    title = f"Backtest of {found['model']}"
    sheet.write(20, 30, title, kind="head")
    told = f"{history['rows']} rows, {history['windows']} windows, {history['start'][:10]} to {history['end'][:10]}"
    sheet.write(20, 50, told, kind="dim")
    sheet.y = 70
    _false_alarms(sheet, found)
    _power(sheet, found)
    _baselines(sheet, found["baselines"])
    _history(sheet, found)
    sheet.y += 20
    return sheet.svg(title)


def _false_alarms(sheet: Sheet, found: Document) -> None:
    run, budget = found["resampled"], found["budget"] or {}
    _head(sheet, f"False alarms on {run['windows']} windows without any change (95 %)")
    thousand = run["alarms_per_1000_windows"] | {"per_30_days": run["alarms_per_1000_windows"]["rate"]}
    for name, rate, allowed in (
        ("in 30 days", run["alarms"], budget.get("per_30_days")),
        ("times with any, in 30 days", run["incidents"], budget.get("per_30_days")),
        ("per 1000 windows", thousand, budget.get("per_1000_windows")),
    ):
        _rate(sheet, name, rate, allowed=allowed)
    if budget:
        sheet.write(20, sheet.y + 14, f"dashed: the budget, {budget['text']}", kind="dim")
        sheet.y += _ROW
    sheet.y += 16


def _rate(sheet: Sheet, name: str, rate: Document, *, allowed: float | None) -> None:
    """A rate between its bounds, on a scale of its own, and what is allowed of it."""
    top, y = sheet.y, _row(sheet, name)
    if rate["per_30_days"] is None:
        return
    highest = max(rate["upper"], allowed or 0.0) * 1.05 or 1.0
    at = [_place(rate[key] / highest) for key in ("lower", "per_30_days", "upper")]
    sheet.line((at[0], y), (at[2], y), kind="bound")
    sheet.dot(at[1], y, kind="dot")
    sheet.write(_RIGHT + 20, y + 4, f"{rate['per_30_days']:.3g}  ({rate['lower']:.3g}–{rate['upper']:.3g})")
    if allowed is not None:
        sheet.line((_place(allowed / highest), top + 2), (_place(allowed / highest), sheet.y - 2), kind="budget")


def _power(sheet: Sheet, found: Document) -> None:
    within = found["trials"]["within_windows"]
    _head(sheet, f"Found within {within} windows, share of the trials (95 %)")
    sheet.write(_RIGHT + 20, sheet.y - 6, "median delay", kind="dim")
    for shift in found["shifts"]:
        y = _row(sheet, shift["name"])
        sheet.line((_LEFT, y + 11), (_RIGHT, y + 11), kind="axis")
        sheet.bar(_LEFT, y - 7, width=_place(shift["power"]) - _LEFT, height=14, kind="bar")
        sheet.line((_place(shift["lower"]), y), (_place(shift["upper"]), y), kind="bound")
        sheet.write(_RIGHT + 20, y + 4, _told(shift))
    sheet.y += 16


def _told(shift: Document) -> str:
    delay, named = shift["delay_windows"], shift["named"]
    parts = [f"{shift['found']} of {shift['trials']}"]
    if delay is not None:
        median = delay["median"]
        parts.append(f"{median:g} window{'' if median == 1 else 's'}")
    if named is not None:
        parts.append(f"named {named['count']}×")
    return ", ".join(parts)


def _baselines(sheet: Sheet, cells: Document) -> None:
    if not cells["cells"]:
        return
    _head(sheet, f"F1 over {cells['cells']} pairs of window and column, {cells['changed']} of them changed")
    for key, name in _NAMES.items():
        y, line = _row(sheet, name), cells[key]
        kind = "bar" if key == "driftwatch" else "dumb"
        sheet.bar(_LEFT, y - 7, width=_place(line["f1"]) - _LEFT, height=14, kind=kind)
        said = f"{line['f1']:.2f}  precision {line['precision']:.2f}, recall {line['recall']:.2f}"
        sheet.write(_RIGHT + 20, y + 4, said)
    sheet.y += 16


def _history(sheet: Sheet, found: Document) -> None:
    """Every alarm of the history as it is, at the end of its window, one line for each monitor."""
    alarms = found["as_it_is"]["list"]
    _head(sheet, f"The history as it is: {len(alarms)} alarms, which may be real")
    lanes: dict[str, list[Document]] = {}
    for alarm in alarms:
        name = f"{alarm['rule']} of {alarm['column']}" if alarm["column"] else alarm["rule"]
        lanes.setdefault(name, []).append(alarm)
    start, stop = _seconds(found["history"]["start"]), _seconds(found["history"]["end"])
    length = max(stop - start, 1e-3)
    for name in list(lanes)[:_LANES]:
        y = _row(sheet, name)
        sheet.line((_LEFT, y), (_RIGHT, y), kind="axis")
        for alarm in lanes[name]:
            end = alarm["window"]["end"]
            sheet.dot(_place((_seconds(end) - start) / length), y, kind="mark", title=f"{name}: {end}")
    _more(sheet, list(lanes)[_LANES:])
    sheet.write(_LEFT, sheet.y + 12, found["history"]["start"][:10], kind="dim")
    sheet.write(_RIGHT, sheet.y + 12, found["history"]["end"][:10], kind="dim", end=True)
    sheet.y += _ROW


def _more(sheet: Sheet, names: Sequence[str]) -> None:
    if names:
        _row(sheet, f"and {len(names)} more")


def _head(sheet: Sheet, words: str) -> None:
    sheet.write(20, sheet.y + 16, words, kind="head")
    sheet.line((20, sheet.y + 24), (WIDTH - 20, sheet.y + 24), kind="axis")
    sheet.y += 46


def _row(sheet: Sheet, name: str) -> float:
    """Begin a line and return its middle."""
    y = sheet.y + _ROW / 2
    shown = name if len(name) <= 26 else name[:25] + "…"
    sheet.write(_LEFT - 12, y + 4, shown, end=True)
    sheet.y += _ROW
    return y


def _place(share: float) -> float:
    return _LEFT + min(max(share, 0.0), 1.0) * (_RIGHT - _LEFT)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
