from driftwatch.quality.control import ControlStanding
from driftwatch.sinks.board import Board
from driftwatch.sinks.prometheus import BoardCollector


def test_each_version_of_a_set_has_its_counts():
    """Answers and changed ones, of every model that has golden sets; other models keep theirs."""
    board = Board()
    board.publish(controls={"fraud": (ControlStanding("golden-1", "7", 100, 3, ("a", "b", "c")),)})
    board.publish(controls={"churn": (ControlStanding("golden-2", "1", 10, 0, ()),)})
    families = {family.name: family for family in BoardCollector(board, rules={}, max_series=100).collect()}
    found = {
        (name, sample.labels["model"], sample.labels["version"], sample.labels["control"]): sample.value
        for name in ("driftwatch_control_answers", "driftwatch_control_changed")
        for sample in families[name].samples
    }
    assert found == {
        ("driftwatch_control_answers", "fraud", "7", "golden-1"): 100,
        ("driftwatch_control_changed", "fraud", "7", "golden-1"): 3,
        ("driftwatch_control_answers", "churn", "1", "golden-2"): 10,
        ("driftwatch_control_changed", "churn", "1", "golden-2"): 0,
    }
