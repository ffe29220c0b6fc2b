"""What one trial came to: found or not, by which rule, how late, and what was alarmed without a cause."""

from collections.abc import Collection
from dataclasses import dataclass

from driftwatch.backtest.passing import Alarm, Pass, WindowKey
from driftwatch.backtest.shifts import Shift
from driftwatch.backtest.trials import Backtest, Trial
from driftwatch.statistics.checks import STREAM_CHECKS


@dataclass(frozen=True, slots=True)
class Verdict:
    """One trial, judged.

    windows: from the change until the first alert on its column, in whole windows, from 1 on; None when it was not
    found in time. delay_ms: from the change until that alert was told. rules: those of its column that fired in time.
    named: it was called what it is; None where there is no name for it. any_windows: until the first alert at all.
    false_before: alerts before the change.
    cells: pairs of window and column; true: those in which the change went on; alarmed: in which an alert of the column
    stood; hits: both. All 0 where labels were changed, and no column.
    """

    shift: Shift
    column: str
    windows: int | None
    delay_ms: int | None
    rules: tuple[str, ...]
    named: bool | None
    any_windows: int | None
    false_before: int
    cells: int
    true: int
    alarmed: int
    hits: int

    @property
    def found(self) -> bool:
        """Whether it was found in time."""
        return self.windows is not None


def judged(test: Backtest, trial: Trial) -> Verdict:
    """Compare what was said with what was done."""
    injection, said = trial.injection, trial.said
    counted = test.watch.spec.window.rows is not None
    after = _after(said, injection.onset_ms, counted=counted)
    places = {key: -(-(place + 1) // test.size.slides) for place, key in enumerate(after)}
    columns = test.watch.layout.names
    alarms = [alarm for alarm in said.alarms if is_of_content(alarm)]
    late = [alarm for alarm in alarms if places.get(alarm.window, 0) in range(1, test.size.within + 1)]
    mine = [alarm for alarm in late if _is_of(injection.column, alarm, columns)]
    first = min(mine, key=lambda alarm: (places[alarm.window], alarm.told_ms), default=None)
    true = {(key, injection.column) for key in after} if injection.column else set()
    cells = {(key, column) for key in said.windows for column in columns if injection.column}
    standing = said.standing & cells
    expected = injection.shift.expected
    return Verdict(
        injection.shift,
        injection.column,
        windows=None if first is None else places[first.window],
        delay_ms=None if first is None else max(0, first.told_ms - injection.onset_ms),
        rules=tuple(sorted({alarm.rule for alarm in mine})),
        named=any(alarm.statistic == expected for alarm in mine) if expected else None,
        any_windows=min((places[alarm.window] for alarm in late), default=None),
        false_before=sum(alarm.window not in places for alarm in alarms),
        cells=len(cells),
        true=len(true),
        alarmed=len(standing),
        hits=len(standing & true),
    )


def is_of_content(alarm: Alarm) -> bool:
    """Whether an alarm is of what rows hold, and not of when they come, which resampling leaves as it was."""
    return alarm.statistic not in STREAM_CHECKS


def _after(said: Pass, onset_ms: int, *, counted: bool) -> list[WindowKey]:
    """The windows that hold rows from the change on, in order of time; the last row of a counted one is in it."""
    keys = [key for key in said.windows if (key[0] >= onset_ms if counted else key[0] > onset_ms)]
    return sorted(keys, key=lambda key: (key[1], key[0]))


def _is_of(column: str, alarm: Alarm, columns: Collection[str]) -> bool:
    """Whether an alarm is of the change: of its column; of labels, "", one of performance, which is of no column."""
    return alarm.column == column if column else alarm.column not in columns
