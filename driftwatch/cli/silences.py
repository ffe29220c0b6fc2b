"""`driftwatch silences`: say what is not to be heard of for a while."""

from typing import Annotated, Any

import typer

from driftwatch.cli.door import DEFAULT_URL, AsJson, Author, Comment, Door, Url, quoted, said, show

app = typer.Typer(no_args_is_help=True, help="Say what is not to be heard of for a while.", rich_markup_mode=None)

_COLUMNS = ("id", "state", "matching", "starts", "ends", "author", "comment")


@app.command("list", short_help="List silences, the newest first.")
def list_(
    state: Annotated[str, typer.Option("--state", help="pending, active or expired.")] = "",
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
) -> None:
    """List silences, the newest first."""
    items = Door(url).ask("GET", "silences", query={"state": state})["items"]
    shown = items if as_json else [{**item, "matching": _matching(item)} for item in items]
    show(shown, _COLUMNS, as_json=as_json, none="no silences")


@app.command(short_help="Silence what all of the matchers fit.")
def add(
    matchers: Annotated[
        list[str], typer.Argument(metavar="MATCHER...", help='Such as model=fraud "column=~amount|age" rule!=auc.')
    ],
    *,
    duration: Annotated[str, typer.Option("--duration", "-d", help='For how long, such as "2h".')] = "",
    ends: Annotated[str, typer.Option("--ends", help="Until when, in place of --duration: RFC 3339.")] = "",
    starts: Annotated[str, typer.Option("--starts", help="From when on: RFC 3339; now when left out.")] = "",
    author: Author = "",
    comment: Comment = "",
    url: Url = DEFAULT_URL,
) -> None:
    """Silence what all of the matchers fit, and print the silence's id."""
    times = {"duration": duration, "ends": ends, "starts": starts}
    wanted = {"matchers": matchers, **{name: text for name, text in times.items() if text}, **said(author, comment)}
    typer.echo(Door(url).ask("POST", "silences", said=wanted)["id"])


@app.command(short_help="End a silence now.")
def expire(
    silence: Annotated[str, typer.Argument(metavar="ID", help="A silence's id.")], url: Url = DEFAULT_URL
) -> None:
    """End a silence now; what waits for its end is looked at again."""
    Door(url).ask("DELETE", f"silences/{quoted(silence)}")
    typer.echo(f"{silence}: expired")


def _matching(item: dict[str, Any]) -> str:
    return " ".join(f'{each["name"]}{each["operator"]}"{each["value"]}"' for each in item["matchers"])
