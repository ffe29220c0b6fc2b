"""Shows the demo to a person: a live table on a terminal, plain lines elsewhere, a summary at the end."""

from dataclasses import asdict
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from driftwatch.demo.findings import fairness_lines, quality_lines, segment_lines, side_by_side, version_lines
from driftwatch.demo.incidents import incident_lines
from driftwatch.demo.picture import Document, Episode, Picture, day, drifting, measured_in, what

# Together at most 24 lines: the smallest usual terminal.
_WINDOWS, _COLUMNS, _EPISODES, _ARRIVALS, _TREND = 4, 4, 4, 3, 40
_BARS = " ▁▂▃▄▅▆▇█"
_STYLE = {"firing": "bold red", "pending": "yellow", "resolved": "green"}


class Screen:
    """Draws a picture each time it is asked; a context manager. Without a terminal it only prints the news."""

    def __init__(self, picture: Picture, *, console: Console, title: str) -> None:
        self._picture = picture
        self._console = console
        self._title = title
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def draw(self) -> None:
        """Print what is new above, and redraw the table."""
        for line in self._picture.news():
            self._console.print(Text(line), soft_wrap=True)
        if self._live is not None:
            self._live.update(render(self._picture, title=self._title), refresh=True)


def render(picture: Picture, *, title: str) -> RenderableType:
    """Lay out the whole picture: progress, latest windows, watched columns, alerts, webhooks."""
    progress = picture.progress
    head = Text.assemble((title, "bold"), f"  {_moment(picture)}  ", no_wrap=True, overflow="ellipsis")
    head.append(f"predictions {progress.predictions:,}  labels {progress.labels:,}  rejected {progress.rejected:,}  "
                f"waits {progress.waits}", "dim")  # fmt: skip
    tables = (_windows(picture), _columns(picture), _episodes(picture), _arrivals(picture))
    return Group(head, *(part for table in tables for part in ("", table)))


def summary(picture: Picture) -> str:
    """Tell in plain lines what happened: for `--once` and for the end of the demo."""
    progress, windows, episodes = picture.progress, picture.windows(), picture.episodes()
    verified = {arrival.id for arrival in picture.arrivals if arrival.verified}
    fired = [episode for episode in episodes if episode.fired]
    posted = f"{progress.predictions} predictions and {progress.labels} labels posted"
    lines = [
        f"events: {posted}, {progress.accepted} accepted, {progress.rejected} rejected",
        f"windows: {len(windows)}" + (f", {_reach(windows)}" if windows else ""),
        *_labels(picture),
        *_accuracy(picture),
        *segment_lines(picture),
        *fairness_lines(picture),
        *version_lines(picture),
        *quality_lines(picture),
        *incident_lines(picture),
        f"alerts: {len(fired)} fired, {sum(episode.state == 'firing' for episode in fired)} still firing",
        *(f"  {episode.severity:<8} {what_of(episode)}  {day(episode.since)} to {day(episode.until)}{_peak(episode)}"
          for episode in fired),
        f"webhooks: {len(verified)} verified, {sum(not arrival.verified for arrival in picture.arrivals)} refused",
        *(f"  {arrival.type}  {arrival.id}  signature {arrival.check}"
          for arrival in picture.arrivals if not arrival.repeat),
    ]  # fmt: skip
    return "\n".join(lines)


def what_of(episode: Episode) -> str:
    """Name an episode by its rule, column and cell."""
    return what(asdict(episode))


def trend(values: list[float], *, top: float) -> str:
    """Draw numbers as bars of eighths, `top` and above being full."""
    steps = len(_BARS) - 1
    return "".join(_BARS[max(0, min(steps, round(value / top * steps)))] for value in values)


def _table(*headers: str) -> Table:
    return Table(*headers, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold dim")


def _windows(picture: Picture) -> Table:
    table = _table("window ends", "rows", "stage", "labels", "accuracy", "furthest column", "value", "alerts")
    for report in reversed(picture.windows()[-_WINDOWS:]):
        worst = next(iter(drifting(report)), None)
        firing = sum(note["state"] == "firing" for note in report["alerts"])
        table.add_row(
            day(report["window"]["end"]), f"{report['window']['rows']:,}", report["window"]["stage"],
            *_measured(report), *(_reading(worst)[:2] if worst is not None else ("", "")),
            Text(str(firing or ""), _STYLE["firing"]),
        )  # fmt: skip
    return table


def _columns(picture: Picture) -> Table:
    table = _table("watched column", "value", "threshold", f"last {_TREND} windows")
    windows = picture.windows()[-_TREND:]
    for reading in drifting(windows[-1])[:_COLUMNS] if windows else ():
        past = [_value(report, reading) for report in windows]
        bars = trend(past, top=2 * reading["threshold"])
        table.add_row(*_reading(reading), bars, style="red" if reading["value"] > reading["threshold"] else "")
    return table


def _episodes(picture: Picture) -> Table:
    table = _table("alert", "severity", "state", "since", "until", "peak")
    for episode in reversed(picture.episodes()[-_EPISODES:]):
        peak = "" if episode.peak is None else f"{episode.peak:.3f}"
        table.add_row(what_of(episode), episode.severity, Text(episode.state, _STYLE.get(episode.state, "")),
                      day(episode.since), day(episode.until), peak)  # fmt: skip
    return table


def _arrivals(picture: Picture) -> Table:
    table = _table("webhook", "id", "signature")
    for arrival in reversed(picture.arrivals[-_ARRIVALS:]):
        table.add_row(arrival.type, arrival.id, Text(arrival.check, "green" if arrival.verified else "bold red"))
    return table


def _reading(reading: Document) -> tuple[str, str, str]:
    return f"{reading['column']} {reading['statistic']}", f"{reading['value']:.3f}", f"{reading['threshold']:g}"


def _value(report: Document, like: Document) -> float:
    """The same reading in another report; nothing drawn where it is missing."""
    for reading in report["readings"]:
        if (reading["column"], reading["statistic"]) == (like["column"], like["statistic"]):
            return float(reading["value"] or 0.0)
    return 0.0


def _peak(episode: Episode) -> str:
    if episode.peak is None:
        return ""
    return f"  highest {episode.statistic} {episode.peak:.3f} (threshold {episode.threshold:g})"


def _measured(report: Document) -> tuple[str, str]:
    """Share of the labels that have come, and the accuracy by them."""
    measured = measured_in(report)
    return ("", "") if measured is None else (f"{measured.coverage:.1%}", f"{measured.accuracy:.4f}")


def _labels(picture: Picture) -> list[str]:
    """What became of the predictions of every version, in windows that are side by side."""
    by_version: dict[str, list[Document]] = {}
    for report in picture.reports.values():
        if "labels" in report and not report["segment"]:
            by_version.setdefault(report["version"], []).append(report)
    told = [report["labels"] for reports in by_version.values() for report in side_by_side(reports)]
    if not told:
        return []
    counts = {name: sum(labels[name] for labels in told) for name in ("labelled", "waiting", "expired", "cancelled")}
    due = sum(labels["predictions"] for labels in told)
    return [f"labels: {due} predictions = " + " + ".join(f"{count} {name}" for name, count in counts.items())]


def _accuracy(picture: Picture) -> list[str]:
    """The final accuracy, and how well it was known before the last labels had come."""
    measured = [(measured_in(report), report["window"]["end"]) for report in picture.windows()]
    final = [(found.accuracy, end) for found, end in measured if found is not None and found.stage == "final"]
    if not final:
        return []
    least, end = min(final)
    lines = [f"accuracy: {final[-1][0]:.4f} in the last window, lowest {least:.4f} in the window to {day(end)}"]
    pairs = picture.interim_and_final()
    if pairs:
        coverage = sum(interim.coverage for interim, _ in pairs) / len(pairs)
        apart = sum(abs(interim.accuracy - last.accuracy) for interim, last in pairs) / len(pairs)
        seen = f"  interim, as seen of {len(pairs)} windows: labels of {coverage:.1%}"
        lines.append(f"{seen}, accuracy {apart:.4f} from the final one on average")
    return lines


def _reach(windows: list[Document]) -> str:
    return f"{day(windows[0]['window']['start'])} to {day(windows[-1]['window']['end'])}"


def _moment(picture: Picture) -> str:
    reached = picture.progress.event_ms
    return datetime.fromtimestamp(reached / 1000, UTC).strftime("%Y-%m-%d %H:%M") if reached else "waiting"
