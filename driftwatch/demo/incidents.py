"""What the summary says of the budget of false alarms: what it allows, what was raised, and which columns moved."""

from collections.abc import Iterator
from dataclasses import dataclass

from driftwatch.demo.picture import Document, Picture, day


@dataclass(frozen=True, slots=True)
class Moved:
    """A column that one incident names. lower: of its effect, at least, in the window that ended at `end`."""

    column: str
    end: str
    statistic: str
    value: float
    lower: float | None


def incident_lines(picture: Picture) -> list[str]:
    """The budget beside the incidents that its rule raised; then the columns, those with most incidents first."""
    alerting = picture.model.get("alerting")
    if not alerting:
        return []
    raised = _raised(picture, alerting["rule"])
    windows = len(picture.windows())
    allowed = alerting["false_alarms_per_window"] * windows
    by_column: dict[str, list[Moved]] = {}
    for incident in raised:
        for column, moved in {each.column: each for each in _moved(incident)}.items():
            by_column.setdefault(column, []).append(moved)
    ranked = sorted(by_column.items(), key=lambda item: (-len(item[1]), item[0]))
    promise = f"{picture.budget}, at most {allowed:.1f} false alarms to expect in {windows} windows"
    return [
        f"budget: {promise}; incidents raised: {len(raised)}",
        *(f"  {_told(column, times)}" for column, times in ranked),
    ]


def _raised(picture: Picture, rule: str) -> list[Document]:
    """What the webhooks say of each incident of the rule, once: columns that moved together came in one of them."""
    return [
        arrival.data
        for arrival in picture.arrivals
        if arrival.verified and not arrival.repeat
        and (arrival.data["alert"]["rule"], arrival.data["alert"]["state"]) == (rule, "firing")
    ]  # fmt: skip


def _moved(incident: Document) -> Iterator[Moved]:
    """Its columns: the evidence begins with what moved each of the alerts."""
    for each in incident["evidence"][: incident.get("alerts_total", 1)]:
        yield Moved(each["column"], incident["window"]["end"], each["statistic"], each["value"], each["lower"])


def _told(column: str, times: list[Moved]) -> str:
    first, most = min(times, key=lambda each: each.end), max(times, key=lambda each: each.value)
    surely = "" if most.lower is None else f" (surely {most.lower:.3f})"
    return (
        f"{column}: in {len(times)}, the first in the window to {day(first.end)},"
        f" {most.statistic} up to {most.value:.3f}{surely}"
    )
