"""The collector over the board: what a scrape shows, and what it leaves out."""

import math
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from driftwatch.daemon.telemetry import Exposition
from driftwatch.evaluation.alerts import Reason, State
from driftwatch.sinks.board import Board
from driftwatch.sinks.catalogue import Metric, Type
from driftwatch.sinks.drift_series import MAX_GROUPS
from driftwatch.sinks.prometheus import STEPS, BoardCollector
from driftwatch.statistics.distribution import Distribution
from tests.sinks.pictures import HOUR_MS, START_MS, reading, report, step

CELL = ("fraud", "7", "")
RULES = {"fraud": {"drift": "warning", "collapse": "critical"}}
GOLDEN = Path(__file__).parents[1] / "golden" / "metrics.txt"
BEYOND = {
    "driftwatch_control_answers", "driftwatch_control_changed", "driftwatch_http_refused_total",
    "driftwatch_incidents", "driftwatch_letters_withheld_total", "driftwatch_rejected_dropped_total",
    "driftwatch_labels_total", "driftwatch_label_sampling_ratio",
    *(f"driftwatch_comparison_{part}" for part in ("value", "lower", "upper", "state")),
}  # fmt: skip
"""What limits cost, what became of labels, what is held back or followed: later than the contract's table."""


def scrape(board: Board, *, rules=RULES, max_series: int = 10_000) -> dict[tuple[str, tuple[str, ...]], float]:
    """By name without prefix and label values in the order of the form."""
    order = {metric.full_name: metric.value.labels for metric in Metric}
    text = Exposition([BoardCollector(board, rules=rules, max_series=max_series)]).render(openmetrics=False).decode()
    return {
        (
            sample.name.removeprefix("driftwatch_"),
            tuple(sample.labels[name] for name in order[sample.name]),
        ): sample.value
        for family in parse_text(text)
        for sample in family.samples
        if sample.name in order  # parts of histograms have names of their own
    }


def fixed_board() -> Board:
    """A board with something of everything: two versions, gaps, a pending and a firing alert, shares."""
    board = Board()
    numeric = report(
        reading("amount", "psi", 0.31, lower=0.27, upper=0.35, p_value=1e-9),
        reading("amount", "js", 0.2),
        reading("country", "chi2", 41.5, p_value=0.02),
        reading("country", "js", 0.01),
        reading("age", "psi", math.nan),
        thresholds={("amount", "psi"): 0.1, ("country", "psi"): 0.1},
    )
    awkward = report(reading('quo"ted\\and\nbroken', "js", 0.5), cell=("fraud", "8", "channel=wéb"))
    board.publish(
        reports=[numeric, awkward],
        transitions=[
            step(State.PENDING, Reason.CROSSED),
            step(State.FIRING, Reason.HELD),
            step(State.PENDING, Reason.CROSSED, column="country", alert_id="a2"),
        ],
        watermarks={"fraud": START_MS + 2 * HOUR_MS, "quiet": START_MS},
        distributions={CELL: (Distribution("amount", ("≤ 10", "> 10", "missing"), (0.5, 0.4, 0.1), (0.2, 0.8, 0.0)),)},
    )
    board.know({"fraud": {"7": START_MS, "8": START_MS + HOUR_MS + 250}})
    return board


@pytest.fixture(scope="module")
def text() -> bytes:
    collector = BoardCollector(fixed_board(), rules={**RULES, "quiet": {"drift": "warning"}}, max_series=10_000)
    return Exposition([collector]).render(openmetrics=False)


def test_the_exposition_is_the_golden_file(text):
    """A changed name, label or help is a change that users must be told about."""
    if os.environ.get("DRIFTWATCH_WRITE_GOLDEN"):
        GOLDEN.write_bytes(text)

    assert text.decode() == GOLDEN.read_text()


def test_promtool_finds_nothing_to_complain_about(text):
    """The linter of the Prometheus project passes; in CI it must be there."""
    promtool = shutil.which("promtool")
    if promtool is None:
        assert not os.environ.get("CI"), "CI must have promtool (Debian package prometheus)"
        pytest.skip("promtool is not installed (Debian package prometheus)")

    ran = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=60, check=False)

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


def test_openmetrics_says_the_same():
    """Both formats carry the same samples, and the strict parser takes the second."""
    exposition = Exposition([BoardCollector(fixed_board(), rules=RULES, max_series=10_000)])

    def samples(parsed):
        return sorted((s.name, sorted(s.labels.items()), s.value) for family in parsed for s in family.samples)

    plain = samples(parse_text(exposition.render(openmetrics=False).decode()))
    strict = samples(parse_openmetrics(exposition.render(openmetrics=True).decode()))

    assert plain
    assert plain == strict


def test_what_is_not_defined_has_no_series():
    """A NaN bound or value is left out; its column's state and thresholds stay."""
    seen = scrape(fixed_board())

    assert seen["drift_value", (*CELL, "amount", "psi")] == 0.31
    assert seen["drift_p_value", (*CELL, "amount", "psi")] == 1e-9
    assert seen["drift_effect_lower", (*CELL, "amount", "psi")] == 0.27
    assert seen["drift_threshold", (*CELL, "amount", "psi")] == 0.1
    assert ("drift_effect_lower", (*CELL, "amount", "js")) not in seen
    assert ("drift_value", (*CELL, "age", "psi")) not in seen
    assert seen["drift_state", (*CELL, "age")] == 0
    assert not any(math.isnan(value) for value in seen.values())


def test_a_column_shows_its_worst_alert():
    """0 ok, 1 pending, 2 firing; the worst of the column's alerts in this very cell."""
    board = fixed_board()
    board.publish(transitions=[step(State.PENDING, Reason.CROSSED, alert_id="a3")])

    states = {labels: value for (name, labels), value in scrape(board).items() if name == "drift_state"}

    assert states == {
        (*CELL, "amount"): 2,
        (*CELL, "country"): 1,
        (*CELL, "age"): 0,
        ("fraud", "8", "channel=wéb", 'quo"ted\\and\nbroken'): 0,
    }


def test_windows_and_watermarks_are_in_seconds():
    """A model without a window yet shows its watermark all the same."""
    seen = scrape(fixed_board())

    assert seen["window_rows", CELL] == 5000
    assert seen["window_end_timestamp_seconds", CELL] == (START_MS + HOUR_MS) / 1000
    assert seen["watermark_timestamp_seconds", CELL] == (START_MS + 2 * HOUR_MS) / 1000
    assert seen["watermark_timestamp_seconds", ("quiet", "", "")] == START_MS / 1000


def test_alerts_and_steps_exist_as_zero_before_any():
    """The first scrape of an empty board has every closed label value, so that rates and alerts work from the start."""
    seen = scrape(Board())

    assert {labels for name, labels in seen if name == "alerts"} == {
        ("fraud", severity, state) for severity in ("critical", "warning") for state in ("pending", "firing")
    }
    assert {labels for name, labels in seen if name == "alert_transitions_total"} == {
        ("fraud", rule, to.value, reason.value) for rule in ("drift", "collapse") for to, reason in STEPS
    }
    assert set(seen.values()) == {0}


def test_every_state_and_reason_is_among_the_steps():
    """A new reason cannot be added without its zero."""
    assert {to for to, _ in STEPS} == set(State)
    assert {reason for _, reason in STEPS} == set(Reason)


def test_open_alerts_are_counted():
    """By severity and state."""
    seen = scrape(fixed_board())

    assert seen["alerts", ("fraud", "warning", "firing")] == 1
    assert seen["alerts", ("fraud", "warning", "pending")] == 1
    assert seen["alerts", ("fraud", "critical", "firing")] == 0
    assert seen["alert_transitions_total", ("fraud", "drift", "pending", "threshold_crossed")] == 2


def test_a_vanished_column_leaves_no_series():
    """The next scrape shows the new picture and nothing of the old."""
    board = fixed_board()
    exposition = Exposition([BoardCollector(board, rules=RULES, max_series=10_000)])
    before = exposition.render(openmetrics=False)

    board.publish(reports=[report(reading("amount", "psi", 0.01), hour=1)])

    assert b'column="country"' in before
    assert b'column="country"' not in exposition.render(openmetrics=False)


def test_shares_of_the_largest_groups_are_shown():
    """At most twelve groups a column: those with the largest share on either side."""
    groups = tuple(f"g{number:02}" for number in range(20))
    reference = tuple(number / 190 for number in range(20))
    board = Board()
    board.publish(
        reports=[report(reading("city", "js", 0.1))],
        distributions={CELL: (Distribution("city", groups, reference, (0.5, *reference[1:-1], 0.0)),)},
    )

    shares = {labels: value for (name, labels), value in scrape(board).items() if name == "distribution_ratio"}

    assert {labels[4] for labels in shares} == {"g00", *groups[-(MAX_GROUPS - 1) :]}
    assert shares[(*CELL, "city", "g00", "reference")] == 0
    assert shares[(*CELL, "city", "g00", "current")] == 0.5


def severity_board() -> Board:
    """Four columns of two series each (state, js), of rising severity by name: ok, near, pending, firing."""
    board = Board()
    board.publish(
        reports=[
            report(
                reading("a_ok", "js", 0.9),
                reading("b_near", "js", 0.2),
                reading("c_pending", "js", 0.1),
                reading("d_firing", "js", 0.05),
                thresholds={("b_near", "js"): 0.25},
            )
        ],
        transitions=[
            step(State.PENDING, Reason.CROSSED, column="c_pending", alert_id="c"),
            step(State.FIRING, Reason.CROSSED, column="d_firing", alert_id="d"),
        ],
    )
    return board


FIXED = 4 + 12 + 1
"""Series that always come: alerts, steps, and what was dropped."""


@pytest.mark.parametrize(
    ("room", "columns"),
    [
        (0, set()),
        (3, set()),
        (4, {"d_firing"}),
        (5, {"d_firing"}),
        (6, {"d_firing", "c_pending"}),
        (9, {"d_firing", "c_pending", "b_near"}),
        (11, {"d_firing", "c_pending", "b_near", "a_ok"}),
    ],
)
def test_the_budget_goes_to_the_most_severe_columns(room, columns):
    """Whole columns, most severe first; never a series too many; the rest is counted."""
    everything = scrape(severity_board())

    seen = scrape(severity_board(), max_series=FIXED + room)

    assert {labels[3] for name, labels in seen if name.startswith("drift_")} == columns
    assert len(seen) <= FIXED + room
    assert seen["series_dropped", ()] == len(everything) - len(seen)


def test_shares_come_after_all_columns():
    """With little room, the drift of every column is worth more than the histogram of one."""
    board = severity_board()
    shares = Distribution("d_firing", ("x", "y"), (0.5, 0.5), (0.1, 0.9))
    board.publish(reports=[report(*board.picture.reports[CELL].readings, hour=1)], distributions={CELL: (shares,)})

    short = scrape(board, max_series=FIXED + 10 + 3)
    enough = scrape(board, max_series=FIXED + 10 + 4)

    assert len([name for name, _ in short if name == "drift_value"]) == 4
    assert short["series_dropped", ()] == 4
    assert len([name for name, _ in enough if name == "distribution_ratio"]) == 4
    assert enough["series_dropped", ()] == 0


def test_names_are_lawful():
    """Counters end in _total and nothing else does; helps are sentences."""
    for metric in Metric:
        assert metric.full_name.endswith("_total") == (metric.value.type is Type.COUNTER)
        assert metric.full_name.endswith("_info") == (metric.value.type is Type.INFO)
        assert re.fullmatch(r"[A-Z0-9].*\.", metric.value.help)
    assert len({metric.full_name for metric in Metric}) == len(Metric)


@pytest.mark.acceptance
def test_the_table_is_the_contract(shared):
    """Every metric of the contract is here, and little else is exported."""
    section = (shared / "contract.md").read_text().split("## 5. Metrics")[1].split("## 6.")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    names = {
        name if name.startswith("driftwatch") else f"driftwatch{name}"
        for row in rows
        for name in re.findall(r"`(\w+)`", row)
    }

    assert {metric.full_name for metric in Metric} == names | BEYOND
