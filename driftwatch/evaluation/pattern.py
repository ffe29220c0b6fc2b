"""Regular expressions of people over an API: matched in time that no pattern can make explode.

Positions in the text are bits of one number, so that a step of the pattern moves all of them at once (the bit-parallel
simulation of Baeza-Yates and Gonnet 1992; the run of a repeated character is filled by one addition, Myers 1999).
Nothing is ever tried again, as Python's `re` would.
"""

from collections.abc import Callable

MAX_PATTERN, MAX_TEXT, MAX_COUNT = 200, 1_000, 100
"""Characters of a pattern, of a text (a longer one matches nothing), and the largest number in braces."""
_MAX_DEPTH = 20
_SPECIAL = frozenset("()[]{}|*+?.^$\\")
_CLASSES: dict[str, Callable[[str], bool]] = {
    "d": lambda c: c.isdecimal(),
    "w": lambda c: c.isalnum() or c == "_",
    "s": lambda c: c.isspace(),
}

Fits = Callable[[str], bool]


class _Places:
    """Where in a text the characters stand that fit, each kind looked for once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: dict[Fits, int] = {}

    def of(self, fits: Fits) -> int:
        if fits not in self._known:
            self._known[fits] = sum(1 << place for place, sign in enumerate(self._text) if fits(sign))
        return self._known[fits]


Step = Callable[[int, _Places], int]
"""From the set of positions before a part of the pattern to those behind it."""


class Pattern:
    r"""A pattern that must fit the whole text.

    It knows characters, `.`, classes such as `[a-z_]` and `[^0-9]`, `\d \w \s` and their opposites, `|`, groups, and
    repetitions `* + ? {2} {2,} {2,5}`; no references, no looking around, and no repeated group in a repeated group.
    Raises ValueError, in words, on anything else.
    """

    def __init__(self, text: str) -> None:
        if len(text) > MAX_PATTERN:
            raise ValueError(f"a pattern has at most {MAX_PATTERN} characters")
        self._step = _Parser(text.removeprefix("^")).whole()

    def fits(self, text: str) -> bool:
        """Whether the whole text is one that the pattern describes."""
        return len(text) <= MAX_TEXT and bool(self._step(1, _Places(text)) >> len(text) & 1)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._at, self._depth = text, 0, 0
        self._repeats = False
        """Whether what was read last holds a repeated group."""

    def whole(self) -> Step:
        step = self._choice()
        if self._peek() == "$" and self._at == len(self._text) - 1:
            self._at += 1
        if self._peek():
            raise self._error("is not expected")
        return step

    def _choice(self) -> Step:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError(f"groups stand in each other more than {_MAX_DEPTH} deep")
        ways, repeats = [self._sequence()], self._repeats
        while self._take("|"):
            ways.append(self._sequence())
            repeats |= self._repeats
        self._depth -= 1
        self._repeats = repeats
        return ways[0] if len(ways) == 1 else _either(ways)

    def _sequence(self) -> Step:
        steps, repeats = [], False
        while self._peek() not in {"", "|", ")"} and not (self._peek() == "$" and self._at == len(self._text) - 1):
            steps.append(self._piece())
            repeats |= self._repeats
        self._repeats = repeats
        return _one_after_another(steps)

    def _piece(self) -> Step:
        if self._take("("):
            if self._take("?") and not self._take(":"):
                raise self._error("is not supported after (?")
            step = self._choice()
            if not self._take(")"):
                raise ValueError("a group is not closed")
            fits = None
        else:
            fits = self._character()
            step, self._repeats = _one(fits), False
        counts = self._counts()
        if counts is None:
            return step
        self._take("?")  # it prefers less, which is the same when the whole text must fit
        if self._peek() in {"*", "+", "?", "{"}:
            raise self._error("repeats what is repeated already")
        if fits is not None:
            return _repeated(step, *counts, fill=_run(fits))
        if counts == (0, 1):  # no turn leads to another
            return _repeated(step, *counts, fill=step)
        if self._repeats:
            raise ValueError("a group that is repeated stands in a group that is repeated; write it without")
        self._repeats = True
        return _repeated(step, *counts, fill=_closure(step))

    def _counts(self) -> tuple[int, int | None] | None:
        """How often at least and at most; None where nothing says so."""
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return counts
        if not self._take("{"):
            return None
        end = self._text.find("}", self._at)
        least, comma, most = self._text[self._at : end].partition(",") if end >= 0 else ("", "", "")
        numbers = [int(part) for part in (least, most) if part.isascii() and part.isdecimal() and len(part) <= 3]
        if (
            not least
            or len(numbers) != bool(least) + bool(most)
            or max(numbers) > MAX_COUNT
            or sorted(numbers) != numbers
        ):
            raise ValueError(f"in braces stand one or two numbers up to {MAX_COUNT}, such as {{2,5}}")
        self._at = end + 1
        return numbers[0], (numbers[-1] if most or not comma else None)

    def _character(self) -> Fits:
        sign = self._next()
        if sign == ".":
            return lambda _: True
        if sign == "[":
            return self._class()
        if sign == "\\":
            return self._escaped()
        if sign in _SPECIAL:
            self._at -= 1
            raise self._error("is not expected")
        return sign.__eq__

    def _escaped(self) -> Fits:
        sign = self._next()
        if sign.lower() in _CLASSES:
            known = _CLASSES[sign.lower()]
            return known if sign.islower() else lambda c: not known(c)
        if not sign or sign.isalnum():
            raise ValueError(f"\\{sign} is not supported")
        return sign.__eq__

    def _class(self) -> Fits:
        negated = self._take("^")
        parts: list[Fits] = []
        while not (parts and self._peek() == "]"):
            low = self._next()
            if not low:
                raise ValueError("a class is not closed")
            if low == "\\" and (self._peek().lower() in _CLASSES):
                parts.append(self._escaped())
                continue
            low = self._next() if low == "\\" else low
            high = low
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in {"", "]"}:
                self._at += 1
                high = self._next()
                high = self._next() if high == "\\" else high
            if high < low:
                raise ValueError(f"the range {low}-{high} is empty")
            parts.append(lambda c, low=low, high=high: low <= c <= high)  # type: ignore[misc]  # bound as defaults
        self._at += 1
        return lambda c: any(part(c) for part in parts) is not negated

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        sign = self._peek()
        self._at += len(sign)
        return sign

    def _take(self, sign: str) -> bool:
        taken = self._peek() == sign
        self._at += taken
        return taken

    def _error(self, words: str) -> ValueError:
        return ValueError(f'"{self._peek()}" {words}' if self._peek() else "the pattern ends too early")


def _one(fits: Fits) -> Step:
    return lambda at, places: (at & places.of(fits)) << 1


def _either(ways: list[Step]) -> Step:
    def step(at: int, places: _Places) -> int:
        reached = 0
        for way in ways:
            reached |= way(at, places)
        return reached

    return step


def _one_after_another(steps: list[Step]) -> Step:
    def step(at: int, places: _Places) -> int:
        for each in steps:
            if not at:
                break
            at = each(at, places)
        return at

    return step


def _run(fits: Fits) -> Step:
    """Any number of one kind of character: the addition carries each position to the end of its run."""

    def step(at: int, places: _Places) -> int:
        mask = places.of(fits)
        return (((at & mask) + mask) ^ mask) | at

    return step


def _closure(once: Step) -> Step:
    """Any number of a group; every turn reaches a new position, so there are at most as many as the text is long."""

    def step(at: int, places: _Places) -> int:
        reached, new = at, at
        while new:
            new = once(new, places) & ~reached
            reached |= new
        return reached

    return step


def _repeated(once: Step, least: int, most: int | None, *, fill: Step) -> Step:
    def step(at: int, places: _Places) -> int:
        for _ in range(least):
            at = once(at, places)
        if most is None:
            return fill(at, places)
        reached, new = at, at
        for _ in range(most - least):
            new = once(new, places) & ~reached
            if not new:
                break
            reached |= new
        return reached

    return step
