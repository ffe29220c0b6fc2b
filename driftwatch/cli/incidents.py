"""`driftwatch incidents`: see how models that were in trouble fare."""

from typing import Annotated

import typer

from driftwatch.cli.door import DEFAULT_URL, AsJson, Door, Url, show

app = typer.Typer(no_args_is_help=True, help="See incidents of a running service.", rich_markup_mode=None)

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
    """List incidents, the latest begun first."""
    items = list(Door(url).items("incidents", {"model": model, "state": state}, limit=limit))
    show(items, _COLUMNS, as_json=as_json, none="no incidents")
