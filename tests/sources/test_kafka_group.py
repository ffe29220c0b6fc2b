"""The consumer group: what it is told, by whom, and who else speaks there."""

from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

from tests.fakes import FakeInlet
from tests.sources.rigs import numbered

pytestmark = pytest.mark.kafka


@pytest.fixture
def shared(kafka, start, monkeypatch):
    """A topic, and a function that starts a deployment of its group that reads all of it and commits."""
    monkeypatch.setattr("driftwatch.sources.kafka_commits.CHECK_SECONDS", 0.1)
    topic = kafka.topic()
    kafka.produce(topic, numbered(0, 5))

    def deploy(owner):
        inlet = FakeInlet()
        source = start(kafka.bootstrap, inlet, owner=owner, group=topic, predictions=[topic])
        inlet.wait_records(5)
        source.commit(inlet.positions())
        inlet.wait(lambda: kafka.marks(topic) == {(topic, 0): f"driftwatch {owner}"}, "the commit")
        return source, inlet

    return topic, deploy


def test_a_second_deployment_is_noticed(kafka, shared):
    """Both see that the other commits to their group, say so, and serve on; who is alone again stops to warn."""
    topic, deploy = shared
    first, inlet = deploy("one")
    with capture_logs() as logs:
        second, other = deploy("two")
        words = "the group {} is also used by driftwatch {}: give each deployment a group of its own"
        other.wait(lambda: second.status().warning == words.format(topic, "one"), "the second to notice")
        inlet.wait(lambda: first.status().warning == words.format(topic, "two"), "the first to notice")
    assert first.status().ready
    assert second.status().ready
    shared_logs = [entry for entry in logs if entry["event"] == "kafka_group_shared"]
    assert [(entry["log_level"], entry["foreign_owner"]) for entry in shared_logs] == [
        ("error", "driftwatch one"),
        ("error", "driftwatch two"),
    ]
    second.stop()
    kafka.produce(topic, numbered(5, 6))
    inlet.wait_records(6)
    first.commit(inlet.positions())
    inlet.wait(lambda: first.status().warning == "", "the warning to end")


def test_the_same_owner_returns(shared):
    """After a restart on the same state nobody is foreign."""
    _, deploy = shared
    source, _ = deploy("one")
    source.stop()
    again, inlet = deploy("one")
    assert again.status().warning == ""
    assert inlet.records() == numbered(0, 5)


def test_marks_of_nobody_are_nobody(kafka, shared):
    """Positions that a tool has set, without a word, are not taken for another deployment."""
    topic, deploy = shared
    kafka.commit(topic, topic, 3)
    source, _ = deploy("one")
    assert source.status().warning == ""


def test_a_group_that_may_not_be_read_changes_nothing():
    """Where the group's positions cannot be asked for, that is logged, and positions are sent all the same."""
    from kafka.errors import GroupAuthorizationFailedError  # noqa: PLC0415 - loads kafka-python

    from driftwatch.sources.kafka_commits import Commits  # noqa: PLC0415

    link, place = Mock(), ("t", 0)
    link.marks.side_effect = GroupAuthorizationFailedError("group")
    commits = Commits("group", "me", saved={})
    commits.want({place: 5})
    with capture_logs() as logs:
        commits.send(link, [place])
        commits.send(link, [place])
    assert [each.args for each in link.commit.call_args_list] == [({place: 5}, "driftwatch me")]
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("kafka_group_unknown", "warning")]
    assert commits.warning == ""
