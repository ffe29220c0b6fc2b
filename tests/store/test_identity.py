"""A deployment keeps its id as long as its state directory lives."""

import pytest

from driftwatch.errors import StateError
from driftwatch.store.identity import FILE, deployment_id


def test_the_id_is_made_once(tmp_path):
    """The same at every start, another one for another directory."""
    other = tmp_path / "other"
    other.mkdir()

    assert deployment_id(tmp_path) == deployment_id(tmp_path)
    assert deployment_id(tmp_path) != deployment_id(other)


def test_an_empty_file_is_filled(tmp_path):
    """A process that died between making and filling the file leaves nothing that stays."""
    (tmp_path / FILE).touch()
    made = deployment_id(tmp_path)

    assert len(made) == 32
    assert deployment_id(tmp_path) == made


def test_an_unreadable_file_is_named(tmp_path):
    """What is no id is not guessed at."""
    (tmp_path / FILE).write_bytes(b"\xff\xfe")

    with pytest.raises(StateError, match="delete it to be given a new id"):
        deployment_id(tmp_path)
