"""Is a topic still the one whose positions are saved? A topic that was deleted and made again begins anew.

The state keeps a number beside the positions, under "kafka/<topic>": 63 bits of the topic's id. It is saved with them
in one transaction, after the positions it makes void: a crash in between finds the old number and begins anew again.
"""

from collections.abc import Iterable, Mapping

from driftwatch.errors import SourceError
from driftwatch.sources.kafka_link import Link

_MASK = (1 << 63) - 1


class Topics:
    """Which topic stood behind each name when it was last read. Brokers before 2.8 do not tell: nothing is found."""

    def __init__(self, topics: Iterable[str], positions: Mapping[str, int]) -> None:
        self._known = {topic: positions.get(name(topic)) for topic in topics}
        self.recreated: set[str] = set()

    def changed(self, topic: str, link: Link) -> bool:
        """Whether another topic stands behind the name than the one known."""
        known, found = self._known[topic], _number(link, topic)
        return None not in (known, found) and known != found

    def check(self, topics: Iterable[str], link: Link) -> None:
        """Raise SourceError when one of these has changed: whatever was fetched may be of either."""
        changed = sorted(topic for topic in topics if self.changed(topic, link))
        if changed:
            raise SourceError(f"deleted and made again: {', '.join(changed)}")

    def learn(self, topic: str, link: Link) -> int | None:
        """Take the topic that stands there now as the known one; its number if that is news to the state."""
        known, found = self._known[topic], _number(link, topic)
        if found is None or found == known:
            return None
        if known is not None:
            self.recreated.add(topic)
        self._known[topic] = found
        return found


def name(topic: str) -> str:
    """Where the state keeps the topic's number, among the positions."""
    return f"kafka/{topic}"


def _number(link: Link, topic: str) -> int | None:
    found = link.topic_id(topic)
    return found & _MASK if found else None
