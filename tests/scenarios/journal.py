"""What services decided, and when two of them decided the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from driftwatch.evaluation.alerts import Transition
from driftwatch.evaluation.report import Report
from driftwatch.ports.letters import Letter

Document = Mapping[str, Any]


@dataclass
class Journal:
    """What was saved, in the order of the checkpoints."""

    reports: list[Report] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)

    def documents(self) -> list[dict[str, Any]]:
        """Every report as the world sees it."""
        return [report.document() for report in self.reports]

    def cut(self) -> "Journal":
        """Take everything out, for the next service."""
        taken = Journal(self.reports, self.transitions, self.letters)
        self.reports, self.transitions, self.letters = [], [], []
        return taken


def last_words(documents: Iterable[Document]) -> list[Document]:
    """The highest revision of each window and version, by window; a revision comes once."""
    last: dict[tuple[str, str], Document] = {}
    seen = set()
    for document in documents:
        key = (document["window"]["start"], document["version"])
        assert (key, document["revision"]) not in seen
        seen.add((key, document["revision"]))
        if key not in last or document["revision"] > last[key]["revision"]:
            last[key] = document
    return [last[key] for key in sorted(last)]


def assert_same(documents: Iterable[Document], expected: Iterable[Document]) -> None:
    """The same documents in the same order: every text and count exactly, real numbers to 1e-9.

    Real numbers come of sums whose last bits depend on where the stream was cut into batches (the merge laws).
    """
    texts, numbers = _apart(list(documents))
    expected_texts, expected_numbers = _apart(list(expected))
    assert texts == expected_texts
    np.testing.assert_allclose(numbers, expected_numbers, rtol=1e-9, atol=1e-12)


def _apart(node: Any) -> tuple[Any, list[float]]:
    """A document without its real numbers, and these in order."""
    if isinstance(node, float):
        return "real", [node]
    if isinstance(node, Mapping):
        keys, parts = list(node), [_apart(part) for part in node.values()]
        return dict(zip(keys, (text for text, _ in parts), strict=True)), [n for _, numbers in parts for n in numbers]
    if isinstance(node, list):
        parts = [_apart(part) for part in node]
        return [text for text, _ in parts], [n for _, numbers in parts for n in numbers]
    return node, []
