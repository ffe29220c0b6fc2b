"""People and their tools see how many labels have come, and how good the model is."""

from tests.quality_door.house import visiting
from tests.quality_door.rows import BINARY, HOUR, START, flow
from tests.quality_door.test_performance import forms


@forms
def test_models_and_page_show_the_main_metric(configure, form):
    """The value of each stage, and the share of predictions that has its label."""
    events = flow(form, hours=6)
    with visiting(configure(form)) as visitor:
        visitor.live(events)
        visitor.save()
        (model,) = visitor.probe.listing("models")
        page = visitor.probe.get("/").text
        metrics = visitor.metrics()
    shown = {each["stage"]: each for each in model["performance"]}
    assert shown.keys() >= {"final", "interim"}
    for stage, each in shown.items():
        ((_, value),) = metrics.values("performance_value", metric=form.main, stage=stage)
        assert (each["metric"], each["value"], each["version"]) == (form.main, value, "1")
        assert f"{form.main} {value:.4g} (" in page
    assert model["labels"]["coverage"] == {"1": metrics.total("label_coverage_ratio")}
    assert f"{metrics.total('label_coverage_ratio'):.1%}" in page


def test_status_tells_what_waits(configure):
    """Predictions without their label, labels without their prediction, and that nothing was left out."""
    events = flow(BINARY, hours=1)
    with visiting(configure(BINARY)) as visitor:
        visitor.predict(event.prediction() for event in events)
        visitor.label(event.outcome() for event in events[:100])
        visitor.label(event.outcome(label=None) for event in events[100:110])
        visitor.label(event.outcome(id=f"unknown-{event.id}", time=START + HOUR) for event in events[:7])
        visitor.save()
        (status,) = visitor.probe.listing("status")
    assert status["contests"] == {"model": {"held": 0, "refused": 0}}
    labels = status["labels"]["model"]
    assert labels["predictions"] == {"1": {"labelled": 100, "waiting": 190, "cancelled": 10}}
    assert (labels["labels_waiting"], labels["sampling_rate"]) == (7, 1.0)
    assert (labels["results"]["matched"], labels["results"]["cancelled"]) == (100, 10)


def test_a_full_memory_is_said(configure):
    """More predictions than are remembered: the rate says how many are, and reports rest on these."""
    events = flow(BINARY, hours=2)
    path = configure(BINARY, rules="remember_predictions = 256\nrules = []\n")
    with visiting(path) as visitor:
        visitor.predict(event.prediction() for event in events)
        visitor.label(event.outcome() for event in events)
        metrics = visitor.metrics()
        (status,) = visitor.probe.listing("status")
        visitor.finish()
        report = visitor.report(START + HOUR)
    rate = status["labels"]["model"]["sampling_rate"]
    assert rate in {1 / 4, 1 / 8}
    assert metrics.total("label_sampling_ratio") == rate
    labels = report["labels"]
    assert labels["sampling_rate"] <= 1 / 2
    assert 0 < labels["predictions"] == labels["labelled"] < 256
