"""The language of conditions: `amount > 1000 and country in ["DE", "FR"]`, from text to a tree.

    condition = all { "or" all }
    all       = test { "and" test }
    test      = "not" test | "(" condition ")" | column question
    question  = ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) value
              | [ "not" ] "in" "[" value { "," value } "]"
              | [ "not" ] "between" value "and" value
              | "is" [ "not" ] "missing"
    column    = name | `name`          a name: letters, digits and _ . - and begins with a letter or _
    value     = number | "text" | 'text' | "true" | "false"

Words are written small or large. In quotes, a backslash stands before a quote or a backslash. The reader looks at each
character once, calls nothing by name, and has a limit on length and on depth.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from driftwatch.stream.tokens import Mark, Token, fail, shown, tokens_of

DEEPEST = 32
"""Conditions inside conditions."""

Value = str | float | bool


class Order(StrEnum):
    """How a value is compared."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    MORE = ">"
    MORE_EQUAL = ">="


@dataclass(frozen=True, slots=True)
class Literal:
    """A value, and the character at which it stands."""

    value: Value
    place: int


@dataclass(frozen=True, slots=True)
class Name:
    """A column, and the character at which it stands."""

    name: str
    place: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`column order value`. place: of the order."""

    column: Name
    order: Order
    literal: Literal
    place: int


@dataclass(frozen=True, slots=True)
class Membership:
    """`column in [values]`."""

    column: Name
    literals: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """`column is missing`."""

    column: Name


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    inner: "Tree"


@dataclass(frozen=True, slots=True)
class Every:
    """All of them, joined by `and`."""

    parts: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of them, joined by `or`."""

    parts: tuple["Tree", ...]


Tree = Comparison | Membership | Missing | Not | Every | Some


def parse(text: str) -> Tree:
    """Read a condition; ConfigError in one line, with the character at which it is wrong and what to do."""
    return _Parser(tokens_of(text)).whole()


def columns_of(tree: Tree) -> Iterator[str]:
    """The columns that a condition looks at."""
    if isinstance(tree, Every | Some):
        for part in tree.parts:
            yield from columns_of(part)
    elif isinstance(tree, Not):
        yield from columns_of(tree.inner)
    else:
        yield tree.column.name


class _Parser:
    """Recursive descent over the tokens; each method reads one rule of the grammar."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Tree:
        tree = self._condition()
        if self._token.mark is not Mark.END:
            self._refuse("`and` or `or`")
        return tree

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._token
        self._next += 1
        return token

    def _met(self, *words: str) -> bool:
        """Take the next tokens if they are these words or symbols."""
        ahead = self._tokens[self._next : self._next + len(words)]
        if tuple(token.word for token in ahead) != words:
            return False
        self._next += len(words)
        return True

    def _refuse(self, wanted: str) -> NoReturn:
        token = self._token
        if token.mark is Mark.END:
            fail(token.place, f"the condition ends too early; write {wanted}")
        fail(token.place, f"{shown(token.text)} cannot stand here; write {wanted}")

    def _condition(self) -> Tree:
        self._depth += 1
        if self._depth > DEEPEST:
            fail(self._token.place, f"more than {DEEPEST} conditions inside each other; write it flatter")
        parts = [self._all()]
        while self._met("or"):
            parts.append(self._all())
        self._depth -= 1
        return Some(tuple(parts)) if parts[1:] else parts[0]

    def _all(self) -> Tree:
        parts = [self._test()]
        while self._met("and"):
            parts.append(self._test())
        return Every(tuple(parts)) if parts[1:] else parts[0]

    def _test(self) -> Tree:
        if self._met("not"):
            self._depth += 1
            if self._depth > DEEPEST:
                fail(self._token.place, f"more than {DEEPEST} conditions inside each other; write it flatter")
            inner = self._test()
            self._depth -= 1
            return Not(inner)
        if self._met("("):
            tree = self._condition()
            if not self._met(")"):
                self._refuse("`)`, `and` or `or`")
            return tree
        if self._token.mark is not Mark.NAME:
            if self._token.mark in {Mark.NUMBER, Mark.TEXT}:
                fail(self._token.place, "the column stands first, then the value; a column in quotes has backticks")
            self._refuse("a column")
        token = self._take()
        return self._question(Name(token.text, token.place))

    def _question(self, column: Name) -> Tree:
        place = self._token.place
        if self._token.mark is Mark.ORDER:
            return Comparison(column, Order(self._take().text), self._literal(), place)
        if self._met("is", "not", "missing"):
            return Not(Missing(column))
        if self._met("is"):
            if not self._met("missing"):
                self._refuse("`missing` or `not missing`")
            return Missing(column)
        contrary = self._met("not")
        if self._met("in"):
            tree: Tree = Membership(column, self._list())
        elif self._met("between"):
            tree = self._between(column, place)
        else:
            self._refuse("`in` or `between`" if contrary else "a comparison such as `> 1000`, `in [...]`, `is missing`")
        return Not(tree) if contrary else tree

    def _between(self, column: Name, place: int) -> Tree:
        low = self._literal()
        if not self._met("and"):
            self._refuse("`and` and the greater value")
        high = self._literal()
        return Every((
            Comparison(column, Order.MORE_EQUAL, low, place),
            Comparison(column, Order.LESS_EQUAL, high, place),
        ))  # fmt: skip

    def _list(self) -> tuple[Literal, ...]:
        closing = "]" if self._met("[") else ")" if self._met("(") else ""
        if not closing:
            self._refuse('a list, such as ["DE", "FR"]')
        found = [self._literal()]
        while self._met(","):
            if self._token.word == closing:
                break
            found.append(self._literal())
        if not self._met(closing):
            self._refuse(f"`,` or `{closing}`")
        return tuple(found)

    def _literal(self) -> Literal:
        token = self._token
        if token.mark is Mark.TEXT:
            value: Value = token.text
        elif token.mark is Mark.NUMBER:
            value = float(token.text)
            if value in {float("inf"), -float("inf")}:
                fail(token.place, "no number is so large; write one below 1.8e308")
        elif token.word in {"true", "false"}:
            value = token.word == "true"
        elif token.mark is Mark.NAME:
            fail(token.place, f"{shown(token.text)} is no value; write a number, or text in quotes")
        else:
            self._refuse("a value: a number, text in quotes, true or false")
        self._next += 1
        return Literal(value, token.place)
