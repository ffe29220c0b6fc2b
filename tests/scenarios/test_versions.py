"""Which versions have been seen, and since when: over HTTP, and after a restart."""

import numpy as np

from tests.scenarios import events
from tests.scenarios.events import HOUR, START
from tests.scenarios.probe import Metrics, Probe, running


def seen(metrics: Metrics) -> dict[str, float]:
    """Version → when it was first seen, in seconds; each of them has its information, too."""
    first = metrics.values("model_version_first_seen_timestamp_seconds", model=events.MODEL)
    known = metrics.values("model_version_info", model=events.MODEL)
    assert {(labels["version"], value) for labels, value in known} == {(labels["version"], 1) for labels, _ in first}
    return {labels["version"]: value for labels, value in first}


def send(probe: Probe, version: str, *, at_ms: int, rows: int = 5) -> Metrics:
    """Send rows of a version, a second apart; return a scrape once they are counted."""
    before = sum(probe.metrics().results().values())
    rng = np.random.default_rng(at_ms % 1_000_003)
    probe.post(b"\n".join(events.event(rng, at_ms + row * 1_000, version=version) for row in range(rows)))
    probe.wait_counted(int(before) + rows)
    probe.wait(lambda: version in seen(probe.metrics()), "the version to be seen")
    return probe.metrics()


def test_versions_are_exported_and_a_restart_forgets_none(configure):
    """By event time; a version that comes again is as old as it was."""
    path = configure()
    with running(path) as (_, probe):
        assert seen(probe.metrics()) == {}
        assert seen(send(probe, "1", at_ms=START)) == {"1": START / 1000}
        both = {"1": START / 1000, "2": (START + HOUR) / 1000}
        assert seen(send(probe, "2", at_ms=START + HOUR)) == both
    with running(path) as (_, probe):
        assert seen(probe.metrics()) == both
        assert seen(send(probe, "1", at_ms=START + 9 * HOUR)) == both
        assert seen(send(probe, "3", at_ms=START + 9 * HOUR)) == both | {"3": START / 1000 + 9 * 3600}
