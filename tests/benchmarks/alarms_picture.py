"""Draws alarms.svg, why the budget is the default: `python -m tests.benchmarks.alarms_picture [windows]`.

False alarms of a column of which nothing has changed, at the thresholds that are usual and at a budget of one in 1 000,
and what each method loses to the best one of them at worst (from the table of `alarms_power`, in alarms.md).
"""

import math
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy import special

from driftwatch.backtest.svg import Sheet
from tests.benchmarks.alarms_power import OURS, PHI, numbers

REFERENCE, ROWS = 10_000, (100, 200, 500, 1_000, 2_000, 5_000)
SHARE = 200 / (REFERENCE + 200)
FACTS = Path(__file__).with_name("alarms.md")
_LEFT, _RIGHT, _TOP, _BOTTOM = 90.0, 560.0, 70.0, 330.0
_LEAST, _MOST = 0.1, 1_000.0
_DEGREES = 10
_NAMED_AT = {
    "PSI > 0.1": (115, 3.5), "Jensen-Shannon > 0.1": (520, 5.5), "Wasserstein > 0.1 sd": (1_050, 9.0),
    "Kolmogorov-Smirnov p < 0.05": (5_000, 27.0), "χ² p < 0.05": (5_000, 58.0), "budget: 1 per 1 000": (5_000, 0.85),
}  # fmt: skip
"""Where the lines' names stand: rows, and rate."""


def false_alarms(windows: int) -> dict[str, list[float]]:
    """Per 1 000 windows of so many rows, by method."""
    rng, found = np.random.default_rng(7), dict[str, list[float]]()
    for rows in ROWS:
        scores = numbers(rng, PHI, rows, missing=SHARE, windows=windows)
        effective = math.sqrt(REFERENCE * rows / (REFERENCE + rows))
        beyond = {
            "PSI > 0.1": scores["PSI"] > 0.1,
            "Jensen-Shannon > 0.1": np.sqrt(scores["JS"] / (2 * math.log(2))) > 0.1,
            "Wasserstein > 0.1 sd": scores["Wasserstein"] > 0.1,
            "Kolmogorov-Smirnov p < 0.05": special.kolmogorov(scores["KS"] * effective) < 0.05,
            "χ² p < 0.05": special.gammaincc(_DEGREES / 2, scores["chi2"] / 2) < 0.05,
            "budget: 1 per 1 000": scores[OURS] >= -math.log(0.001),
        }
        for name, flags in beyond.items():
            found.setdefault(name, []).append(1_000 * float(flags.mean()))
    return found


def draw(found: dict[str, list[float]], regrets: dict[str, float]) -> str:
    """Both panels."""
    sheet = Sheet()
    sheet.write(20, 30, "False alarms per 1 000 windows of a column that has not changed", kind="head")
    sheet.write(20, 48, "by rows a window; reference of 10 000 rows; one column, one window at a time", kind="dim")
    for power in (0.1, 1.0, 10.0, 100.0, 1_000.0):
        y = _height(power)
        sheet.line((_LEFT, y), (_RIGHT, y), kind="budget" if power == 1 else "axis")
        sheet.write(_LEFT - 8, y + 4, f"{power:g}", end=True)
    for rows in ROWS:
        sheet.write(_place(rows) - 14, _BOTTOM + 18, f"{rows:,}", kind="dim")
    for name, values in found.items():
        kind = "budget" if name.startswith("budget") else "bound"
        at = [(_place(rows), _height(value)) for rows, value in zip(ROWS, values, strict=True)]
        for start, stop in pairwise(at):
            sheet.line(start, stop, kind=kind)
        for rows, value, (x, y) in zip(ROWS, values, at, strict=True):
            sheet.dot(x, y, kind="mark" if kind == "budget" else "dot", title=f"{name}, {rows} rows: {value:.3g}")
    for name, (rows, rate) in _NAMED_AT.items():
        sheet.write(_place(rows) + 8, _height(rate) + 4, name, kind="head" if name.startswith("budget") else "")
    sheet.y = _BOTTOM + 60
    sheet.write(
        20, sheet.y, "Power that is lost to the best of them, at worst, all at 1 false alarm per 1 000", kind="head"
    )
    sheet.y += 16
    for name, regret in regrets.items():
        y, width = sheet.y, (_RIGHT - 150) * regret
        sheet.write(140, y + 13, "driftwatch" if name == OURS else name, end=True)
        sheet.bar(150, y + 2, width=width, height=14, kind="mark" if name == OURS else "bar")
        sheet.write(160 + width, y + 13, f"{regret:.2f}", kind="dim")
        sheet.y += 22
    sheet.y += 12
    return sheet.svg("False alarms at the usual thresholds and at a budget")


def regrets() -> dict[str, float]:
    """The largest regret of each method, as the benchmark of power has printed it."""
    lines = FACTS.read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("| largest regret |"))
    names, values = lines[place - 2].strip("| ").split(" | "), lines[place].strip("| ").split(" | ")[1:]
    return dict(zip(names, map(float, values), strict=True))


def _place(rows: int) -> float:
    return _LEFT + (_RIGHT - _LEFT) * math.log(rows / ROWS[0]) / math.log(ROWS[-1] / ROWS[0])


def _height(rate: float) -> float:
    part = math.log(max(rate, _LEAST) / _LEAST) / math.log(_MOST / _LEAST)
    return _BOTTOM - (_BOTTOM - _TOP) * part


def main(windows: int = 20_000) -> None:
    """Write the picture and print the figures."""
    found = false_alarms(windows)
    print("| method | " + " | ".join(f"{rows:,}" for rows in ROWS) + " |\n|---|" + "---:|" * len(ROWS))
    for name, values in found.items():
        print(f"| {name} | " + " | ".join(f"{value:.3g}" for value in values) + " |")
    Path(__file__).with_name("alarms.svg").write_text(draw(found, regrets()), encoding="utf-8")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
