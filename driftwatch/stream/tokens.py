"""The words of a condition: names, numbers, texts and symbols, each with the character at which it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from driftwatch.errors import ConfigError

LONGEST = 4_000
"""Characters of a condition."""

_DIGITS = frozenset("0123456789")
_QUOTES = frozenset("\"'`")
_ORDERS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_KEYWORDS = frozenset({"and", "or", "not", "in", "between", "is", "missing", "true", "false"})
_INSTEAD = {
    "=": "write == to compare", "<>": "write != instead", "&&": "write `and` instead", "||": "write `or` instead",
    "&": "write `and` instead", "|": "write `or` instead", "!": "write `not` instead", "=>": "write >= instead",
    "=<": "write <= instead", "===": "write == instead", "!==": "write != instead",
}  # fmt: skip
_SYMBOLS = frozenset("=<>!&|")
_SHOWN = 40


class Mark(StrEnum):
    """What a token is."""

    NAME = "name"
    WORD = "word"
    NUMBER = "number"
    TEXT = "text"
    ORDER = "order"
    BRACKET = "bracket"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One of them. text: without quotes, a word in small letters. place: of its first character, from 1."""

    mark: Mark
    text: str
    place: int

    @property
    def word(self) -> str:
        """The word or bracket, nothing for all else."""
        return self.text if self.mark in {Mark.WORD, Mark.BRACKET} else ""


def tokens_of(text: str) -> list[Token]:
    """Cut a condition into its tokens, END last; ConfigError where a character has no meaning."""
    if len(text) > LONGEST:
        fail(LONGEST + 1, f"a condition has at most {LONGEST} characters, this one has {len(text)}; make it shorter")
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] in " \t\r\n":
            at += 1
            continue
        token, at = _token(text, at)
        tokens.append(token)
    tokens.append(Token(Mark.END, "", len(text) + 1))
    return tokens


def fail(place: int, words: str) -> NoReturn:
    """Refuse a condition; place: of the character at which it is wrong, from 1."""
    raise ConfigError(f"column {place}: {words}")


def shown(text: str) -> str:
    """A piece of a condition for a message: in quotes, cut, what cannot be printed as its code."""
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    plain = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in cut)
    return f'"{plain}"'


def _token(text: str, at: int) -> tuple[Token, int]:
    first = text[at]
    if first in _QUOTES:
        return _quoted(text, at)
    if first in "()[],":
        return Token(Mark.BRACKET, first, at + 1), at + 1
    if first in _SYMBOLS:
        return _symbol(text, at)
    if first in _DIGITS or first in "+-.":
        return _number(text, at)
    if first.isalpha() or first == "_":
        return _name(text, at)
    fail(at + 1, f"{shown(first)} has no meaning here; put text into quotes and odd columns into backticks")


def _name(text: str, at: int) -> tuple[Token, int]:
    end = _span(text, at, lambda char: char.isalnum() or char in "_.-")
    found = text[at:end]
    small = found.lower()
    if found.isascii() and small in _KEYWORDS:
        return Token(Mark.WORD, small, at + 1), end
    return Token(Mark.NAME, found, at + 1), end


def _number(text: str, at: int) -> tuple[Token, int]:
    end = at + (text[at] in "+-")
    whole = _span(text, end, _DIGITS.__contains__)
    digits, end = whole - end, whole
    if text[end : end + 1] == ".":
        after = _span(text, end + 1, _DIGITS.__contains__)
        digits, end = digits + after - end - 1, after
    if digits and text[end : end + 1] in {"e", "E"}:
        start = end + 1 + (text[end + 1 : end + 2] in {"+", "-"})
        end = _span(text, start, _DIGITS.__contains__)
        digits = end - start
    rest = _span(text, end, lambda char: char.isalnum() or char in "_.")
    if not digits or rest > end:
        fail(at + 1, f"{shown(text[at : max(rest, at + 1)])} is no number; write one such as 1000, -2.5 or 1e6")
    return Token(Mark.NUMBER, text[at:end], at + 1), end


def _symbol(text: str, at: int) -> tuple[Token, int]:
    end = _span(text, at, _SYMBOLS.__contains__)
    found = text[at:end]
    if found not in _ORDERS:
        fail(at + 1, f"{shown(found)} is no comparison; {_INSTEAD.get(found, 'write one of == != < <= > >=')}")
    return Token(Mark.ORDER, found, at + 1), end


def _quoted(text: str, at: int) -> tuple[Token, int]:
    quote, place = text[at], at + 1
    parts: list[str] = []
    while place < len(text):
        char = text[place]
        if char == quote:
            mark = Mark.NAME if quote == "`" else Mark.TEXT
            if mark is Mark.NAME and not parts:
                fail(at + 1, "no name stands between these backticks; write the column's")
            return Token(mark, "".join(parts), at + 1), place + 1
        if char == "\\":
            place += 1
            char = text[place : place + 1]
            if char not in {*_QUOTES, "\\"}:
                fail(place, "a backslash stands before a quote or a backslash; write \\\\ for one of its own")
        parts.append(char)
        place += 1
    fail(at + 1, f"this {quote} is never closed; write another at the end of the text")


def _span(text: str, at: int, belongs: Callable[[str], bool]) -> int:
    """The first place from `at` on whose character does not belong."""
    while at < len(text) and belongs(text[at]):
        at += 1
    return at
