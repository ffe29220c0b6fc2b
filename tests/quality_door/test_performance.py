"""Reports and metrics of performance are what the posted rows say exactly, first interim, then final."""

import shutil
import subprocess

import pytest

from tests.quality_door.house import readings, visiting
from tests.quality_door.rows import BINARY, BINNED, FORMS, HOUR, START, flow

forms = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.task)


def assert_exact(found, exact, *, key="value"):
    """Every metric of the exact ones is there with its value; binned ones nearly."""
    for name, value in exact.items():
        bound = {"ks_score": 0.02}.get(name, 5e-4) if name in BINNED else 1e-9
        assert found[name][key] == pytest.approx(value, abs=bound, rel=1e-9), name
        assert found[name]["status"] == "ok"


@forms
def test_a_window_is_interim_then_final(configure, form):
    """Revisions rise; the final values are those of all rows, the interim ones name the value of the labels alone."""
    events = flow(form, hours=6)
    first = [event for event in events if event.time_ms < START + HOUR]
    with visiting(configure(form)) as visitor:
        visitor.live([event for event in events if event.time_ms < START + 2 * HOUR])
        # The window was looked at as the first event of the second hour came, and the labels of the first were there.
        early = visitor.report(START)
        known = [event.row for event in first if event.time_ms + event.delay_ms < START + HOUR]
        assert early["window"]["stage"] == "interim"
        assert (early["labels"]["labelled"], early["labels"]["predictions"]) == (len(known), len(first))
        if form.task != "ranking":
            assert_exact(
                readings(early, "performance"),
                {name: value for name, value in form.exact(known).items() if name != "value_per_prediction"},
                key="naive",
            )
        revision = early["revision"]
        visitor.live([event for event in events if event.time_ms >= START + 2 * HOUR], labels=events)
        last = visitor.report(START)
        metrics = visitor.metrics()
    assert last["window"]["stage"] == "final"
    assert last["revision"] > revision
    found = readings(last, "performance")
    assert_exact(found, form.exact([event.row for event in first]))
    assert all(reading["coverage"] == 1 and reading["stage"] == "final" for reading in found.values())
    assert all(reading["lower"] <= reading["value"] <= reading["upper"] for reading in found.values())
    labels = last["labels"]
    assert (labels["predictions"], labels["labelled"], labels["waiting"]) == (300, 300, 0)
    assert {reading["column"] for reading in last["readings"]} >= {"x"}

    for suffix in ("value", "lower", "upper"):
        stages = {labels["stage"] for labels, _ in metrics.values(f"performance_{suffix}", metric=form.main)}
        assert stages >= {"interim", "final"}


@forms
def test_metrics_of_labels(configure, form):
    """Coverage, delays and what became of labels add up to what was sent, and promtool has no complaint."""
    events = flow(form, hours=2)
    with visiting(configure(form)) as visitor:
        visitor.predict(event.prediction() for event in events)
        visitor.label(event.outcome() for event in events[:450])
        metrics = visitor.metrics()
    assert metrics.total("label_coverage_ratio", version="1") == 450 / 600
    assert metrics.total("label_delay_seconds_count", version="1") == 450
    assert metrics.total("label_delay_seconds_sum") == sum(event.delay_ms for event in events[:450]) / 1000
    within_hour = sum(event.delay_ms <= HOUR for event in events[:450])
    assert metrics.total("label_delay_seconds_bucket", le="3600") == within_hour
    assert metrics.total("labels_total", result="matched") == 450
    check_metrics(metrics.text)


def check_metrics(text):
    """Let promtool read a scrape."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    found = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


def test_labels_of_all_kinds_are_accounted_for(configure):
    """Again, corrected, before their prediction, of nobody, null and malformed: each is counted once, by stream too."""
    events = flow(BINARY, hours=1)
    with visiting(configure(BINARY, wait="30m")) as visitor:
        visitor.label(event.outcome() for event in events[:50])  # before their predictions
        visitor.predict(event.prediction() for event in events)
        visitor.label(event.outcome() for event in events[50:200])
        visitor.label(event.outcome() for event in events[:20])  # again
        visitor.label(event.outcome(label=1 - event.label, time=event.time_ms + 3 * HOUR) for event in events[20:30])
        visitor.label(event.outcome(label=None) for event in events[200:220])
        visitor.label(event.outcome(id=f"nobody-{event.id}", time=START) for event in events[:7])
        visitor.label([b'{"model": "model", "id": "1-0", "label": "perhaps"}', b"{", b'{"model": "model", "label": 1}'])
        visitor.finish()
        metrics, report = visitor.metrics(), visitor.report(START)
    results = {labels["result"]: value for labels, value in metrics.values("labels_total") if value}
    assert results == {
        "matched": 150, "duplicate": 20, "corrected": 10, "cancelled": 20, "waiting": 57,
        "found": 50, "unmatched": 7,
    }  # fmt: skip
    assert metrics.results(stream="labels") == {"accepted": 237, "late": 0, "duplicate": 20, "rejected": 3}
    assert metrics.results(stream="predictions") == {"accepted": 300, "late": 0, "duplicate": 0, "rejected": 0}
    labels = report["labels"]
    assert {name: labels[name] for name in ("predictions", "labelled", "waiting", "expired", "cancelled")} == {
        "predictions": 300, "labelled": 200, "waiting": 0, "expired": 80, "cancelled": 20,
    }  # fmt: skip
    said = [event.row | {"label": 1 - event.label if 20 <= place < 30 else event.label}
            for place, event in enumerate(events[:200])]  # fmt: skip
    assert_exact(readings(report, "performance"), BINARY.exact(said))
    assert readings(report, "performance")["roc_auc"]["coverage"] == 200 / 280


def test_one_label_is_of_every_version_that_scored_the_event(configure):
    """A canary scores the same events: one label each counts for both."""
    events = flow(BINARY, hours=1)
    with visiting(configure(BINARY)) as visitor:
        visitor.predict(event.prediction() for event in events)
        visitor.predict(event.prediction(version="2", score=1 - event.said["score"]) for event in events)
        visitor.label(event.outcome() for event in events)
        visitor.finish()
        one, two = visitor.report(START), visitor.report(START, version="2")
        metrics = visitor.metrics()
    assert_exact(readings(one, "performance"), BINARY.exact([event.row for event in events]))
    other = [event.row | {"score": 1 - event.said["score"]} for event in events]
    assert_exact(readings(two, "performance"), BINARY.exact(other))
    assert metrics.total("labels_total", result="matched") == 300
    assert {labels["version"]: value for labels, value in metrics.values("label_delay_seconds_count")} == {
        "1": 300, "2": 300,
    }  # fmt: skip


def test_late_labels_of_a_final_window_change_nothing(configure):
    """What is final stays: a correction after label_wait raises no revision."""
    events = flow(BINARY, hours=8)
    early = [event for event in events if event.time_ms < START + 6 * HOUR]
    with visiting(configure(BINARY)) as visitor:
        visitor.live(early)
        before = visitor.report(START)
        visitor.label(event.outcome(label=1 - event.label, time=START + 6 * HOUR) for event in events[:30])
        visitor.live(events[len(early) :])
        after = visitor.report(START)
    assert before["window"]["stage"] == "final"
    assert after == before
