"""One table of all limits: where each is configured, what tells of its cost, and which test stands at it."""

import ast
import importlib
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from driftwatch.config import Config
from driftwatch.sinks.catalogue import Metric
from tests.config.test_example import reachable

TESTS = Path(__file__).parents[1]
REFUSED, STATUS = "http_refused_total", "/api/v1/status"


class Limit(NamedTuple):
    """cost: a metric without the prefix, or where else it is told. test: file::function."""

    cost: str
    test: str


CONFIGURED: dict[str, Limit] = {
    "ServerSpec.max_body": Limit(REFUSED, "api/test_ingest.py::test_the_largest_allowed_bodies_are_taken"),
    "ServerSpec.max_body_decompressed": Limit(REFUSED, "api/test_ingest.py::test_the_largest_allowed_bodies_are_taken"),
    "ServerSpec.max_values": Limit(REFUSED, "bounds/test_bodies.py::test_values_are_bounded"),
    "ServerSpec.max_events": Limit(REFUSED, "bounds/test_bodies.py::test_events_are_bounded"),
    "ServerSpec.max_arriving": Limit(REFUSED, "api/test_ingest.py::test_bodies_together_have_a_bound"),
    "ServerSpec.max_leaving": Limit(
        REFUSED, "api/test_connection.py::test_answers_that_nobody_takes_have_a_bound_together"
    ),
    "ServerSpec.max_head": Limit(REFUSED, "api/test_connection.py::test_heads_are_bounded_in_bytes"),
    "ServerSpec.max_headers": Limit(REFUSED, "api/test_connection.py::test_headers_are_bounded_in_number"),
    "ServerSpec.max_connections": Limit(REFUSED, "api/test_connection.py::test_connections_are_bounded"),
    "ServerSpec.head_timeout": Limit(REFUSED, "api/test_connection.py::test_a_dripping_head_is_given_up"),
    "ServerSpec.body_timeout": Limit(REFUSED, "api/test_ingest.py::test_a_body_that_never_ends_is_given_up"),
    "ServerSpec.answer_timeout": Limit(REFUSED, "api/test_connection.py::test_a_reader_that_does_not_read_is_cut_off"),
    "ServerSpec.max_series": Limit(
        "series_dropped", "sinks/test_prometheus.py::test_the_budget_goes_to_the_most_severe_columns"
    ),
    "StateSpec.max_dead_letters": Limit("rejected_dropped_total", "store/test_rejected.py::test_the_oldest_go_first"),
    "StateSpec.max_dead_letter_bytes": Limit(
        "rejected_dropped_total", "store/test_rejected.py::test_an_event_as_large_as_the_bound_is_kept"
    ),
    "QueueSpec.max_records": Limit(
        "queue_records", "daemon/test_queue.py::test_one_batch_beyond_the_bounds_is_let_in_alone"
    ),
    "QueueSpec.max_bytes": Limit(
        "queue_records", "daemon/test_queue.py::test_one_batch_beyond_the_bounds_is_let_in_alone"
    ),
    "HttpSpec.max_inbox_bytes": Limit(REFUSED, "store/test_contract_inbox.py::test_a_full_inbox_says_busy"),
    "HttpSpec.max_keys": Limit(STATUS, "store/test_inbox_keys.py::test_keys_are_bounded_in_count"),
    "KafkaSpec.fetch_max_bytes": Limit("kafka_lag_records", "test_ports_source.py::test_raw_is_bounded_in_bytes"),
    "KafkaSpec.max_partition_fetch_bytes": Limit(
        "kafka_lag_records", "test_ports_source.py::test_raw_is_bounded_in_bytes"
    ),
    "KafkaSpec.max_batch_bytes": Limit(
        STATUS, "sources/test_kafka_batches.py::test_memory_is_bounded_while_a_bomb_is_judged"
    ),
    "ModelSpec.remember_ids": Limit(STATUS, "stream/test_seen.py::test_the_memory_is_bounded"),
    "ModelSpec.max_versions": Limit("window_rows", "bounds/test_bodies.py::test_versions_are_bounded"),
    "ModelSpec.groups": Limit(
        "distribution_ratio", "sinks/test_prometheus.py::test_shares_of_the_largest_groups_are_shown"
    ),
    "ModelSpec.max_segments": Limit(
        "window_rows", "test_reference_division.py::test_the_members_of_each_dimension_add_up_to_the_whole"
    ),
    "ReferenceSpec.first_rows": Limit(STATUS, "daemon/test_learning_crashes.py::test_a_crash_changes_nothing"),
    "ReferenceSpec.min_rows": Limit(STATUS, "daemon/test_learning.py::test_too_few_rows_are_waited_for"),
    "ReferenceSpec.max_bytes": Limit(STATUS, "daemon/test_learning.py::test_a_full_disk_share_ends_learning"),
    "WindowSpec.rows": Limit("window_rows", "stream/test_windows.py::test_finish_counted"),
    "RuleSpec.min_rows": Limit("alerts", "evaluation/test_rules.py::test_min_rows"),
}

FIXED: dict[str, str] = {
    "driftwatch.daemon.engine.MAX_UNSAVED": "checkpoint_failures_total",
    "driftwatch.daemon.dead_letters.MAX_REJECTED": "rejected_dropped_total",
    "driftwatch.daemon.dead_letters.MAX_REJECTED_BYTES": "rejected_dropped_total",
    "driftwatch.sources.portions.MAX_RECORDS": "queue_records",
    "driftwatch.sources.portions.MAX_BYTES": "queue_records",
    "driftwatch.stream.counting.MAX_EVENTS": "events_rejected_total",
    "driftwatch.stream.counting.MAX_VALUES": "events_rejected_total",
    "driftwatch.stream.reader.LEARNT_KEYS": "events_total",
    "driftwatch.stream.assemble.LONGEST_VERSION": "events_rejected_total",
    "driftwatch.summaries.building.VOCABULARY": "distribution_ratio",
}
"""Limits that nobody has had to change, and the metric that shows their cost; a category too many is `other`."""

_LIMIT = re.compile(
    r"(?:^|_)max_(?!future)|^(?:rows|groups|remember_ids)$|_(?:bytes|rows)$|^(?:head|body|answer)_timeout$"
)
KEYS = [f"{spec.__name__}.{name}" for spec in reachable(Config) for name in spec.model_fields]


def functions_of(file: Path) -> set[str]:
    """The test functions of a file."""
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}


def test_every_limit_is_in_the_table():
    """A new key that looks like a limit needs a test at the limit, and something that tells of its cost."""
    assert {key for key in KEYS if _LIMIT.search(key.partition(".")[2])} <= set(CONFIGURED)
    assert set(CONFIGURED) <= set(KEYS)


@pytest.mark.parametrize("key", CONFIGURED)
def test_a_limit_has_its_test_and_its_cost(key):
    """Both exist; the limit has a default."""
    spec = next(each for each in reachable(Config) if each.__name__ == key.partition(".")[0])
    assert not spec.model_fields[key.partition(".")[2]].is_required()
    file, _, function = CONFIGURED[key].test.partition("::")
    assert function in functions_of(TESTS / file)
    cost = CONFIGURED[key].cost
    assert cost == STATUS or cost in {metric.value.name for metric in Metric}


@pytest.mark.parametrize("name", FIXED)
def test_a_fixed_limit_exists(name):
    """The table is not older than the code."""
    module, _, constant = name.rpartition(".")
    assert getattr(importlib.import_module(module), constant) > 0
    assert FIXED[name] in {metric.value.name for metric in Metric}
