"""What the scenarios use."""

from tests.scenarios.fixtures import configure, expected, journal, reference, stream

__all__ = ["configure", "expected", "journal", "reference", "stream"]
