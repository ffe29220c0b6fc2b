"""What labels come to, by definition, and whether the service says so."""

from collections import Counter
from typing import TYPE_CHECKING

from driftwatch.evaluation.report import rfc3339
from driftwatch.ports.answers import Query
from driftwatch.quality.standing import RECEIVED, WAITED
from driftwatch.stream.raw import Stream
from tests.labelled import assert_remembers, quality_of
from tests.simulation.chance import PATIENT_MS, Mode
from tests.simulation.laws import Account, Steady
from tests.simulation.models import FRAUD
from tests.simulation.producer import Event

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

_ALL = Query(segment="", limit=1_000)
Held = dict[str, tuple[int, int | None]]
"""Event → time and outcome of its label; the latest holds, and of equal times the one that came last."""


def check_labels(sim: "Simulation", found: Account, steady: Steady) -> None:
    """Every label counted once; what is remembered as if nothing had stopped; at the end what a dictionary says."""
    monitor = sim.process.engine.monitors[FRAUD]
    assert_remembers(monitor, steady.monitors[FRAUD])
    quality = quality_of(monitor)
    results = quality.standing.results
    received = sum(count for (stream, _, result), count in found.counts.items()
                   if stream == Stream.LABELS and result == "accepted")  # fmt: skip
    assert sum(results[name] for name in RECEIVED) == received, f"{received} labels became {results}"
    waited = sum(results[name] for name in WAITED) + quality.join.waiting_labels
    assert results["waiting"] == waited, f"labels that waited became {results}"
    for arrivals in steady.said.labels.values():
        settled = arrivals and arrivals.labelled + arrivals.cancelled + arrivals.waiting + arrivals.expired
        assert settled == (arrivals and arrivals.predictions), "predictions are lost"
    if sim.plan.wait_ms == PATIENT_MS and sim.plan.mode is not Mode.FREE:
        _check_windows(sim, found, steady)


def check_said(sim: "Simulation", other: Steady, steady: Steady) -> None:
    """Two runs over the same input reported the same; over HTTP labels and predictions may interleave otherwise."""
    ordered = sim.plan.mode is Mode.LOG
    theirs, ours = (
        {key: (rows, revision if ordered or key[0] != FRAUD else 0)
         for key, (rows, revision) in some.said.reports.items()}
        for some in (other, steady)
    )  # fmt: skip
    assert theirs == ours, "an uninterrupted run reports otherwise"
    assert other.said.parts == steady.said.parts, "an uninterrupted run divides otherwise"
    assert other.said.labels == steady.said.labels, "an uninterrupted run joins otherwise"


def _check_windows(sim: "Simulation", found: Account, steady: Steady) -> None:
    """Nothing was final before the end, so that every label that came counts."""
    held, classes = _held(sim), _classes(sim)
    oracle = found.oracles[FRAUD]
    documents = {(each["version"], each["window"]["start"]): each for each in sim.process.history.reports(_ALL).items
                 if each["model"] == FRAUD}  # fmt: skip
    assert len(documents) == len({key for key in steady.said.reports if key[0] == FRAUD})
    for key, arrivals in steady.said.labels.items():
        if key[0] != FRAUD or not held:
            continue
        events = oracle.inside(key[2], key[1])
        states = Counter(_state(held, event) for event in events)
        said = (arrivals.labelled, arrivals.cancelled, arrivals.expired, arrivals.waiting)
        assert said == (states["labelled"], states["cancelled"], states["none"], 0), f"{key}: {said}, but {states}"
        right = [held[event][1] == classes[event] for event in events if _state(held, event) == "labelled"]
        document = documents[key[1], rfc3339(key[2])]
        accuracy = [each["value"] for each in document["readings"]
                    if (each["family"], each["statistic"]) == ("performance", "accuracy")]  # fmt: skip
        assert accuracy == [sum(right) / len(right) if right else None], f"{key}: accuracy {accuracy}, but {right}"


def _state(held: Held, event: str) -> str:
    if event not in held:
        return "none"
    return "cancelled" if held[event][1] is None else "labelled"


def _held(sim: "Simulation") -> Held:
    held: Held = {}
    for event in _events(sim, Stream.LABELS):
        if event.id not in held or event.time_ms >= held[event.id][0]:
            held[event.id] = event.time_ms, event.label
    return held


def _classes(sim: "Simulation") -> dict[str, int | None]:
    return {event.id: event.label for event in _events(sim, Stream.PREDICTIONS) if event.model == FRAUD}


def _events(sim: "Simulation", stream: Stream) -> list[Event]:
    """Good events in the order in which they were taken."""
    return [
        event
        for raw in sim.book.raws()
        if raw.stream is stream
        for record in raw.records
        for event in sim.producer.events[record]
        if not event.bad
    ]
