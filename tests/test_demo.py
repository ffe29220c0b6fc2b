"""The demo, as somebody runs it who has just installed the package."""

import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 300
"""Until a run is given up; it ends within 60 s on a quiet machine."""
_METRICS = re.compile(r"http://127\.0\.0\.1:\d+/metrics")


class Demo:
    """`driftwatch demo --once` under way: its output line by line, and its metrics scraped meanwhile."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.scrapes: list[str] = []
        self.evening: list[dict[str, Any]] = []
        self.code: int | None = None

    def run(self) -> None:
        """Return when it has ended; after SECONDS it is killed."""
        command = [sys.executable, "-m", "driftwatch", "demo", "--once", "--port", "0"]
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            watchdog = threading.Timer(SECONDS, process.kill)
            watchdog.start()
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    self.lines.append(line.rstrip())
                    self._scrape()
                self.code = process.wait()
            finally:
                watchdog.cancel()

    def _scrape(self) -> None:
        """Fetch the metrics with every line of news, while the service serves."""
        found = next(filter(None, map(_METRICS.search, self.lines)), None)
        try:
            answer = httpx.get(found[0], timeout=30) if found else None
            listed = httpx.get(_listing(found[0]), timeout=30) if found else None
        except httpx.TransportError:
            return  # the summary is printed while the service stops
        if answer is not None:
            self.scrapes.append(answer.raise_for_status().text)
        if listed is not None:
            self.evening = listed.raise_for_status().json()["items"] or self.evening


def _listing(metrics: str) -> str:
    return metrics.removesuffix("/metrics") + "/api/v1/reports?segment=evening&limit=5"


@pytest.fixture(scope="module")
def demo() -> Demo:
    """One run for all of these tests."""
    demo = Demo()
    demo.run()
    return demo


def test_it_ends_well_and_tells_what_happened(demo):
    """Exit code 0; every flight was counted and none refused."""
    assert demo.code == 0, "\n".join(demo.lines)
    (events,) = [line for line in demo.lines if line.startswith("events: ")]
    posted, labels, accepted, rejected = map(int, re.findall(r"\d+", events))
    assert (accepted, rejected) == (posted + labels, 0)
    assert posted > 250_000


def test_labels_are_joined_and_every_prediction_is_accounted_for(demo):
    """No label is waited for at the end; the model is better than one that always says "on time", 76 %."""
    (labels,) = [line for line in demo.lines if line.startswith("labels: ")]
    predictions, labelled, waiting, expired, cancelled = map(int, re.findall(r"\d+", labels))
    assert predictions == labelled + waiting + expired + cancelled
    assert waiting == 0
    assert min(labelled, expired, cancelled) > 0
    (accuracy,) = [line for line in demo.lines if line.startswith("accuracy: ")]
    assert 0.77 < float(re.findall(r"\d\.\d+", accuracy)[0]) < 0.95


def test_drift_raises_an_alert(demo):
    """At least one alert fires, in the news and in the summary."""
    assert any(" alert firing: " in line for line in demo.lines)
    (summary,) = [line for line in demo.lines if line.startswith("alerts: ")]
    assert int(re.findall(r"\d+", summary)[0]) >= 1


def test_the_budget_is_told_beside_what_it_raised(demo):
    """The budget allows ten false alarms in ten months; raised is what the summer timetable and the storms moved."""
    (place,) = [at for at, line in enumerate(demo.lines) if line.startswith("budget: 1 per 30d, ")]
    allowed, windows, raised = re.findall(r"[\d.]+", demo.lines[place].partition(", ")[2])
    assert (float(allowed), int(windows)) == (pytest.approx(int(windows) / 30, abs=0.06), 307)
    columns = [line.partition(":")[0].strip() for line in demo.lines[place + 1 :]][: demo.lines[place + 1 :].index(
        next(line for line in demo.lines if line.startswith("alerts: ")))]  # fmt: skip
    assert {"dest", "score", "dep_delay"} <= set(columns) <= {"dest", "score", "dep_delay", "prediction", "distance"}
    letters = [line for line in demo.lines if line.startswith("webhook driftwatch.alert.firing ")]
    assert 1 <= int(raised) < len(letters)
    drift = [line for line in demo.lines if " alert firing: drift of " in line]
    assert min(line[:10] for line in drift) > "2013-04"


def test_webhooks_arrive_with_good_signatures(demo):
    """At least one asks for retraining; none is refused."""
    arrived = [line for line in demo.lines if re.match(r"webhook driftwatch\.retrain\.requested \S+: ", line)]
    assert arrived
    assert all(line.endswith("signature verified") for line in arrived)
    (summary,) = [line for line in demo.lines if line.startswith("webhooks: ")]
    verified, refused = map(int, re.findall(r"\d+", summary))
    assert verified >= 1
    assert refused == 0


def test_the_segment_is_in_the_summary_the_reports_and_the_metrics(demo):
    """The model is less often right about the evenings."""
    (line,) = [line for line in demo.lines if line.startswith("segments by accuracy: evening ")]
    evening, _, whole = map(float, re.findall(r"\d\.\d+", line))
    assert evening < whole
    assert {report["segment"] for report in demo.evening} == {"evening"}
    assert any("driftwatch_performance_value{" in text and 'segment="evening"' in text for text in demo.scrapes)


def test_fairness_is_in_the_summary_and_the_metrics(demo):
    """How far apart the airports are, in the share of the late flights that was foretold."""
    (line,) = [line for line in demo.lines if line.startswith("fairness: ")]
    beyond, windows = map(int, re.findall(r"in (\d+) of (\d+) windows", line)[0])
    assert 0 < beyond < windows
    assert any("equal_opportunity_difference" in text for text in demo.scrapes)


def test_the_comparison_comes_to_a_verdict_and_asks_for_a_rollback(demo):
    """The canary is right less often and finds more late flights; its scores are no other's, and are not told apart."""
    (place,) = [at for at, line in enumerate(demo.lines) if line.startswith("versions: 2 beside 1, ")]
    accuracy, recall, auc = demo.lines[place + 1 : place + 4]
    assert re.match(r"  accuracy worse after \d+ \+ \d+ rows, now -", accuracy)
    assert re.match(r"  recall better after \d+ \+ \d+ rows, now \+", recall)
    assert auc.startswith("  roc_auc undecided: ")
    assert any(line.startswith("webhook driftwatch.rollback.requested ") for line in demo.lines)
    assert any('version="2"' in text for text in demo.scrapes)


def test_the_missing_column_is_named_and_its_drift_is_explained(demo):
    """For the days without a distance alerts of data quality, of all flights and of the evenings, and none of drift."""
    told = [line for line in demo.lines if line.startswith("quality: ")]
    for line, whose in zip(told, ("distance", "distance in evening"), strict=True):
        assert line.startswith(f"quality: missing of {whose}, windows from 2013-08-")
        assert re.search(
            r"of the rows, which explains its drift: tv up to 0\.4\d\d, psi up to \S+, and no alert$", line
        )
    assert not any("shift of distance" in each for each in demo.lines)
    assert not any(re.match(r"2013-08-\d\d alert firing: drift of .*distance", each) for each in demo.lines)
    assert any("driftwatch_quality_value{" in text for text in demo.scrapes)


def test_the_metrics_of_the_run_pass_promtool(demo):
    """Scraped while the year goes by, with drift in them."""
    scrapes = [text for text in demo.scrapes if "\ndriftwatch_drift_value{" in text]
    assert scrapes
    promtool = shutil.which("promtool")
    if promtool is None:
        assert os.environ.get("CI", "").lower() != "true", "CI must have promtool (Debian package prometheus)"
        pytest.skip("promtool is not installed (Debian package prometheus)")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=scrapes[-1], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
