"""`driftwatch incidents`: see how models that were in trouble fare, and tell what the service cannot see."""

from collections.abc import Iterator
from typing import Annotated

import typer

from driftwatch.cli.door import DEFAULT_URL, AsJson, Author, Comment, Door, Url, printable, quoted, said, show

app = typer.Typer(
    no_args_is_help=True, help="See incidents of a running service, and close them.", rich_markup_mode=None
)

_COLUMNS = ("id", "state", "model", "version", "began", "rules")


@app.callback()
def incidents() -> None:
    """See incidents of a running service."""


@app.command("list", short_help="List incidents, the latest begun first.")
def list_(
    model: Annotated[str, typer.Option("--model", help="Only this model.")] = "",
    state: Annotated[str, typer.Option("--state", help="detected, requested, deployed, recovered, …")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many at most.")] = 100,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
) -> None:
    """List incidents, the latest begun first, and below them how long each model's have taken in the mean."""
    door = Door(url)
    items = list(door.items("incidents", {"model": model, "state": state}, limit=limit))
    show(items, _COLUMNS, as_json=as_json, none="no incidents")
    if not as_json:
        for line in _times(door, model):
            typer.echo(line)


def _times(door: Door, model: str) -> Iterator[str]:
    """Give a line for each model, or for the one that is asked for, that has had an incident which got so far."""
    for status in door.items("status", {}, limit=1):
        for name, times in status.get("incidents", {}).items():
            if times.get("summary") and model in {"", name}:
                yield printable(f"{name}: {', '.join(times['summary'])}")


@app.command(short_help="Follow an incident no more.")
def close(
    incident: Annotated[str, typer.Argument(metavar="ID", help="An incident's id, as `list` shows it.")],
    author: Author = "",
    comment: Comment = "",
    url: Url = DEFAULT_URL,
) -> None:
    """Follow an incident no more: the next alert begins a new one, and may ask for retraining again."""
    Door(url).ask("POST", f"incidents/{quoted(incident)}/close", said=said(author, comment))
    typer.echo(f"{incident}: to be closed")


@app.command(short_help="Say which version of a model serves now.")
def deployed(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model, as events call it.")],
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Its version, as events call it.")],
    author: Author = "",
    url: Url = DEFAULT_URL,
) -> None:
    """Say which version of a model serves now, such as the old one after a rollback."""
    words = {"version": version} | ({"author": author} if author else {})
    Door(url).ask("POST", f"models/{quoted(model)}/retrained", said=words)
    typer.echo(f"{model}: version {version} is deployed")
