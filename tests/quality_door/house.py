"""A service that watches one model, and a visitor who sends predictions and labels and looks at what is said."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from driftwatch.config import load
from driftwatch.daemon.queue import Command
from driftwatch.daemon.referencing import build_reference, save_reference
from driftwatch.daemon.service import Service
from driftwatch.evaluation.report import rfc3339
from driftwatch.ports.streams import Clock
from tests.quality_door.rows import HOUR, MODEL, START, Event, Form, flow
from tests.scenarios.probe import NOW_MS, WAIT_SECONDS, Metrics, Probe, running

HTTP = '[[sources]]\ntype = "http"\n'
HOURLY = '{ size = "1h", lateness = "0s", keep = "0s", idle_after = "1h" }'
Send = Callable[[str, Sequence[bytes]], None]
"""Sends events to a stream, "predictions" or "labels"."""


def write_reference(folder: Path, form: Form) -> Path:
    """Build a reference of some earlier rows."""
    data, path = folder / f"{form.task}.jsonl", folder / f"{form.task}.reference"
    data.write_bytes(b"\n".join(event.prediction() for event in flow(form, hours=4, seed=1, version="0")))
    spec = load(configuration(folder, form, path, state=f"build-{form.task}")).models[0]
    save_reference(build_reference([str(data)], spec, now_ms=START + 30 * HOUR, progress=lambda *_: None), path)
    return path


def configuration(
    folder: Path,
    form: Form,
    reference: Path,
    *,
    sources: str = HTTP,
    targets: str = "",
    rules: str | None = "rules = []\n",
    window: str = HOURLY,
    wait: str = "2h",
    state: str = "state",
) -> Path:  # fmt: skip
    """Write the configuration of a service and return its path; rules: None leaves the default ones."""
    path = folder / f"{state}.toml"
    path.write_text(
        f'[server]\nlisten = "127.0.0.1:0"\n[state]\npath = "{state}"\ncheckpoint = "100ms"\n'
        f'{sources}{targets}[[models]]\nname = "{MODEL}"\ntask = "{form.task}"\nreference = "{reference}"\n'
        f'window = {window}\nlabel_wait = "{wait}"\n{form.config}{rules or ""}',
        encoding="utf-8",
    )
    return path


class Visitor:
    """Sends events and waits until they are counted and saved; so what is seen next is sure."""

    def __init__(self, service: Service, probe: Probe, send: Send | None = None) -> None:
        self.service, self.probe = service, probe
        self._send = send or self._post
        self._counted = sum(probe.metrics().results().values())

    def predict(self, lines: Iterable[bytes]) -> None:
        """Send predictions."""
        self._give("predictions", list(lines))

    def label(self, lines: Iterable[bytes]) -> None:
        """Send labels."""
        self._give("labels", list(lines))

    def live(self, events: Sequence[Event], *, labels: Sequence[Event] | None = None, step_ms: int = HOUR // 2) -> None:
        """Let time pass over these events: in each step its predictions, then the labels that came in it.

        labels: the events whose labels come; all of them when left out.
        """
        labels = events if labels is None else labels
        first = events[0].time_ms // step_ms * step_ms
        for begin in range(first, events[-1].time_ms + 1, step_ms):
            times = range(begin, begin + step_ms)
            self.predict(event.prediction() for event in events if event.time_ms in times)
            self.label(event.outcome() for event in labels if event.time_ms + event.delay_ms in times)

    def save(self) -> None:
        """Wait for a checkpoint, with which reports come to the API and what became of labels to the metrics."""
        assert self.service.queue.order(Command.SAVE).done.wait(WAIT_SECONDS)

    def finish(self) -> None:
        """The input ends here."""
        assert self.service.finish(timeout_seconds=WAIT_SECONDS)
        self.save()

    def report(self, start_ms: int, *, version: str = "1") -> dict[str, Any]:
        """The report of the window that starts then."""
        self.save()
        (found,) = [
            report
            for report in self.probe.listing("reports")
            if (report["window"]["start"], report["version"]) == (stamp(start_ms), version)
        ]
        return found

    def metrics(self) -> Metrics:
        """Scrape after a checkpoint."""
        self.save()
        return self.probe.metrics()

    def _give(self, stream: str, lines: list[bytes]) -> None:
        if lines:
            self._send(stream, lines)
            self._counted += len(lines)
            self.probe.wait_counted(self._counted)

    def _post(self, stream: str, lines: Sequence[bytes]) -> None:
        answer = self.probe.request(f"/v1/{stream}", b"\n".join(lines))
        assert answer.status_code == 200, answer.text


def stamp(time_ms: int) -> str:
    """A time on the whole second, as reports write it."""
    return rfc3339(time_ms)


@contextmanager
def visiting(path: Path, *, send: Send | None = None, clock: Clock = lambda: NOW_MS) -> Iterator[Visitor]:
    """A running service and its visitor."""
    with running(path, clock=clock) as (service, probe):
        yield Visitor(service, probe, send)


def readings(report: dict[str, Any], family: str, *, column: str = "") -> dict[str, dict[str, Any]]:
    """The readings of one family by name."""
    return {
        reading["statistic"]: reading
        for reading in report["readings"]
        if reading["family"] == family and reading["column"] == column
    }
