"""A running service's API, as the commands that operate it use it: one line for every fault, tables for people."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from driftwatch.errors import ConfigError

DEFAULT_URL = "http://127.0.0.1:9464"
Url = Annotated[str, typer.Option("--url", envvar="DRIFTWATCH_URL", help="Where the service listens.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Author = Annotated[str, typer.Option("--author", help="Who says it; the user of the system when left out.")]
Comment = Annotated[str, typer.Option("--comment", "-c", help="Why.")]
_SECONDS = 30.0
_WIDEST = 60


class Door:
    """The API at an address. Every fault is a ConfigError: exit 2, one line."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, said: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask, and give the JSON of the answer."""
        import httpx  # noqa: PLC0415 - `--help` stays quick

        wanted = {name: value for name, value in (query or {}).items() if value}
        try:
            answer = httpx.request(
                method, f"{self._url}/api/v1/{path}", params=wanted, json=said, timeout=_SECONDS, trust_env=False
            )
            document = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            words = str(error) or type(error).__name__
            raise ConfigError(f"{self._url}: no service answers there: {words}; give its address with --url") from None
        except ValueError:
            raise ConfigError(f"{self._url}: HTTP {answer.status_code}, but not of this service; see --url") from None
        if not answer.is_success or not isinstance(document, dict):
            raise ConfigError(_fault(document, answer.status_code))
        return document

    def items(self, listing: str, query: Mapping[str, str], *, limit: int) -> Iterator[dict[str, Any]]:
        """Give the items of a listing, page by page, at most so many."""
        cursor, left = "", limit
        while left > 0:
            page = self.ask("GET", listing, query={**query, "limit": str(min(left, 1000)), "cursor": cursor})
            for item in page["items"][:left]:
                yield item
                left -= 1
            cursor = page["next"] or ""
            if not cursor:
                return


def quoted(name: str) -> str:
    """Give a name as one part of a path, whatever is in it."""
    from urllib.parse import quote  # noqa: PLC0415

    return quote(name, safe="")


def said(author: str, comment: str) -> dict[str, str]:
    """Give the body of a word: who says it, and why."""
    import getpass  # noqa: PLC0415

    if not author:
        try:
            author = getpass.getuser()
        except (KeyError, OSError):
            raise ConfigError("--author: the user of the system has no name here; say who you are") from None
    return {"author": author, "comment": comment}


def show(items: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, none: str) -> None:
    """Print items: JSON lines, or a table with these columns, a dotted name for what is inside; `none`: for nobody."""
    if as_json:
        for item in items:
            typer.echo(json.dumps(item, ensure_ascii=False))
        return
    if not items:
        typer.echo(none)
        return
    rows = [[_cell(item, column) for column in columns] for item in items]
    head = [column.rpartition(".")[2].upper() for column in columns]
    widths = [max(map(len, cells)) for cells in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def printable(text: str) -> str:
    """Give a text that no terminal obeys: names are a producer's."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _cell(item: Mapping[str, Any], column: str) -> str:
    value: Any = item
    for name in column.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    text = "-" if value in (None, "") else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = printable(text)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _fault(document: Any, status: int) -> str:
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return f"the service answers HTTP {status}"
    return f"{error.get('message', '')} ({status} {error.get('code', '')})"
