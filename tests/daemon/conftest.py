"""The model that the scenarios watch is watched here, too."""

from tests.scenarios.fixtures import configure, expected, reference, stream

__all__ = ["configure", "expected", "reference", "stream"]
