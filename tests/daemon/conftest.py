"""The model that the scenarios watch is watched here, too; models that learn do it in a school."""

from contextlib import contextmanager

import pytest

from tests.daemon.lessons import FLOW, configured, whole
from tests.daemon.school import School
from tests.scenarios.fixtures import configure, expected, reference, stream

__all__ = ["configure", "expected", "reference", "stream"]


@pytest.fixture
def school(tmp_path):
    """Open a school over one directory, again and again."""

    @contextmanager
    def opened(reference='{ first = "2h" }', **kwargs):
        one = School(configured(tmp_path, reference, **kwargs), tmp_path / "state")
        try:
            yield one
        finally:
            one.crash()

    return opened


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The stream with everything in it, in one go: by the reference that is asked for."""
    known = {}

    def of(reference):
        if reference not in known:
            folder = tmp_path_factory.mktemp("whole")
            one = School(configured(folder, reference), folder / "state")
            one.go(FLOW.lines)
            known[reference] = whole(one)
            one.crash()
        return known[reference]

    return of
