"""What the crash loop uses of the scenarios."""

from tests.scenarios.fixtures import configure, reference

__all__ = ["configure", "reference"]
