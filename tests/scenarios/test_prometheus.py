"""A real Prometheus scrapes the service and finds what the contract names."""

from tests.prometheus_server import Prometheus
from tests.scenarios import events
from tests.scenarios.probe import post_all, running

LABELS = {"model", "version", "segment", "column", "statistic"}


def test_prometheus_scrapes_what_drifts(stream, configure, tmp_path):
    """The target is up; drift stands under the contract's labels; nothing was dropped or refused by the scrape."""
    with running(configure()) as (_, probe), Prometheus(tmp_path, target=probe.url.removeprefix("http://")) as server:
        post_all(probe, events.portions(stream.lines[:1_570]))
        metrics = probe.wait_counted(1_570)
        count = metrics.results()["accepted"]
        accepted = server.wait(f'driftwatch_events_total{{source="http", result="accepted"}} == {count}')
        (up,) = server.query("up == 1")
        (drift,) = server.query('driftwatch_drift_value{column="amount", statistic="psi", version="1"}')
        (build,) = server.query("driftwatch_build_info")
    assert up["metric"]["job"] == "driftwatch"
    assert set(drift["metric"]) - {"__name__", "instance", "job"} == LABELS - {"segment"}
    ((_, value),) = metrics.values("drift_value", column="amount", statistic="psi", version="1")
    assert float(drift["value"][1]) == value > 0.25
    assert [series["metric"]["model"] for series in accepted] == [events.MODEL]
    assert build["metric"]["version"]
