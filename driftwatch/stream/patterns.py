r"""What a text must look like, said without regular expressions: "AA-9999", or a named form such as "uuid".

| in a pattern | stands for |
|---|---|
| `A` | one letter, A to Z or a to z |
| `9` | one digit |
| `X` | one letter or digit |
| `*` | any characters, also none; at most once |
| `\` before any of these | that character itself |
| anything else | itself |
"""

import re
from collections.abc import Callable

_LETTER, _DIGIT, _HEX = "[A-Za-z]", "[0-9]", "[0-9A-Fa-f]"
_ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_HOST = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
NAMED = {
    "digits": f"{_DIGIT}+",
    "date": f"{_DIGIT}{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]{_DIGIT}|3[01])",
    "uuid": f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}",
    "email": rf"{_ATOM}(?:\.{_ATOM})*@{_HOST}(?:\.{_HOST})+",
}
"""Forms that have a name; a date is year-month-day."""
LONGEST = 256
"""Characters; a longer text matches nothing, so that no text takes long."""
_PLACES = {"A": _LETTER, "9": _DIGIT, "X": "[A-Za-z0-9]", "*": ".*"}


def matcher(pattern: str) -> Callable[[str], bool]:
    """Say whether a whole text is of the pattern; ValueError when it is no pattern."""
    if pattern in NAMED:
        expression = NAMED[pattern]
    else:
        if not pattern:
            raise ValueError("must not be empty")
        pieces = re.findall(r"\\.|[^\\]|\\", pattern, re.DOTALL)
        if pieces.count("*") > 1:
            raise ValueError('has more than one "*"; write one, or \\* for the character itself')
        if pieces[-1] == "\\":
            raise ValueError("ends with a backslash; write \\\\ for the character itself")
        expression = "".join(_PLACES.get(piece) or re.escape(piece[-1]) for piece in pieces)
    whole = re.compile(expression, re.DOTALL)
    return lambda text: len(text) <= LONGEST and whole.fullmatch(text) is not None
