"""What a pipeline's API answered: what was begun, or its own words in one line and without secrets."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec

from driftwatch.sinks.attempts import Answer, Result
from driftwatch.sinks.targets.target import MAX_REPLY_BYTES, Reply

_MAX_WORDS = 200
_KEYS = ("detail", "message", "error", "exception_message", "errors")
"""Where APIs put what went wrong, the most telling first."""


def words_of(reply: Reply, *, secrets: Iterable[str]) -> str:
    """Its status and its words, shortened to a line; secrets that it repeats are struck out."""
    found = reply.document()
    words: Any = next((found[key] for key in _KEYS if found.get(key)), None)
    if words is None:
        words = reply.body.decode("utf-8", "replace")
    elif not isinstance(words, str):
        words = msgspec.json.encode(words).decode()
    line = shortened(struck(words, secrets))
    return f"HTTP {reply.status}: {line}" if line else f"HTTP {reply.status}"


def struck(words: str, secrets: Iterable[str]) -> str:
    """The words without secrets, as they are or as JSON would write them."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in (secret, msgspec.json.encode(secret).decode()[1:-1]):
            words = words.replace(form, "***")
    return words


def shortened(words: str) -> str:
    """The words in one line of at most 200 characters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    return line if len(line) <= _MAX_WORDS else line[: _MAX_WORDS - 1] + "…"


def judged(reply: Reply, *, now_ms: int, secrets: Iterable[str]) -> Answer:
    """The judgement of its status, with what it said."""
    return replace(reply.judged(now_ms=now_ms), detail=words_of(reply, secrets=secrets))


def begun(reply: Reply, *path: str, now_ms: int, secrets: Iterable[str]) -> Answer:
    """The judgement of an answer that, when all is well, names what was begun: by text at the path of its JSON.

    An answer of success that does not (a sign-in page, another product) means that nothing was begun. What is too long
    to be read whole is believed if it looks like JSON. Without a path any JSON object does.
    """
    answer = judged(reply, now_ms=now_ms, secrets=secrets)
    if answer.result is not Result.DELIVERED:
        return answer
    if len(reply.body) >= MAX_REPLY_BYTES and reply.body.lstrip().startswith(b"{"):
        return replace(answer, detail=f"HTTP {reply.status}: a long answer")
    found: Any = reply.document()
    if not found and reply.body.strip() != b"{}":
        found = None
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    if found is None or (path and not (isinstance(found, str) and found)):
        wanted = ".".join(path) or "JSON"
        return Answer(Result.NOT_STARTED, detail=shortened(f"no {wanted} in {answer.detail}"))
    name = f": {path[-1]} {shortened(struck(found, secrets))}" if path else ""
    return replace(answer, detail=f"HTTP {reply.status}{name}")
