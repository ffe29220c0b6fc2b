"""What goes into the crash loop: predictions and labels, from Kafka and over HTTP."""

import json
from collections import Counter
from dataclasses import dataclass

import numpy as np

from tests.scenarios import events

ROWS_AN_HOUR = 60


@dataclass
class Input:
    """What goes in. bodies: path and body. again: how many of the events and labels are sent a second time.

    labels: version → predictions labelled, cancelled and waiting in the end.
    """

    kafka: list[bytes]
    kafka_labels: list[bytes]
    bodies: list[tuple[str, bytes]]
    labels: dict[str, tuple[int, int, int]]
    total: int
    again: int


def make_input(*, hours: int) -> Input:
    """Events of one version that drift for two hours in every four; every 25th of HTTP is sent twice.

    Four of five get a label, every tenth of these that none will come; each of HTTP comes twice, and is then corrected.
    """
    rng = np.random.default_rng(13)
    lines = [
        events.event(
            rng, events.START + row * events.HOUR // ROWS_AN_HOUR, version="1", drifted=row // ROWS_AN_HOUR % 4 > 1
        )
        for row in range(hours * ROWS_AN_HOUR)
    ]
    posted = [line for row, line in enumerate(lines[1::2]) for _ in range(2 if row % 25 == 7 else 1)]
    bodies = [("/v1/predictions", b"\n".join(posted[start : start + 3])) for start in range(0, len(posted), 3)]
    fates = [None if row % 5 == 4 else "cancelled" if row % 10 == 0 else "labelled" for row in range(len(lines))]
    to_kafka = [label(lines[row], fates[row]) for row in range(1, len(lines), 2) if fates[row]]
    to_http = [
        label(lines[row], fate, later=later, value=value)
        for row in range(0, len(lines), 2)
        for fate, later, value in ((fates[row], 0, 0), (fates[row], 0, 0), (fates[row], 1, 1))
        if fate
    ]
    shares = [round(len(to_http) * place / len(bodies)) for place in range(len(bodies) + 1)]
    bodies = [
        pair
        for place, body in enumerate(bodies)
        for pair in (body, ("/v1/labels", b"\n".join(to_http[shares[place] : shares[place + 1]])))
        if pair[1]
    ]
    counts = Counter(fates)
    return Input(
        lines[::2], to_kafka, bodies, {"1": (counts["labelled"], counts["cancelled"], counts[None])},
        total=len(lines[::2]) + len(posted) + len(to_kafka) + len(to_http),
        # A label that none will come says the same when it is sent a third time.
        again=len(posted) - len(lines) // 2 + len(to_http) // 3 + fates[::2].count("cancelled"),
    )  # fmt: skip


def label(line: bytes, fate: str | None, *, later: int = 0, value: int = 0) -> bytes:
    """The label of an event, an hour later."""
    event = json.loads(line)
    outcome = None if fate == "cancelled" else value
    time_ms = event["time"] + events.HOUR + later
    return json.dumps({"model": events.MODEL, "id": event["id"], "time": time_ms, "label": outcome}).encode()
