"""`driftwatch alerts`: see alerts of a running service, and say what is to become of them."""

import json
from typing import Annotated, Any

import typer

from driftwatch.cli.door import DEFAULT_URL, AsJson, Author, Comment, Door, Url, quoted, said, show
from driftwatch.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="See alerts of a running service, and decide.", rich_markup_mode=None)

_COLUMNS = ("id", "state", "severity", "model", "version", "rule", "column", "started", "acknowledged.author")
_MOST = 100_000
_Id = Annotated[str, typer.Argument(metavar="ID", help="An alert's id, as `list` shows it.")]


@app.command("list", short_help="List alerts, the latest begun first.")
def list_(
    model: Annotated[str, typer.Option("--model", help="Only this model.")] = "",
    state: Annotated[str, typer.Option("--state", help="pending, firing, resolved or inactive.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many at most.")] = 100,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
) -> None:
    """List alerts, the latest begun first."""
    items = list(Door(url).items("alerts", {"model": model, "state": state}, limit=limit))
    show(items, _COLUMNS, as_json=as_json, none="no alerts")


@app.command("show", short_help="Show one alert.")
def show_(alert: _Id, as_json: AsJson = False, url: Url = DEFAULT_URL) -> None:
    """Show one alert, and what was sent about it."""
    door = Door(url)
    found = next((item for item in door.items("alerts", {}, limit=_MOST) if item["id"] == alert), None)
    if found is None:
        raise ConfigError(f'there is no alert "{alert}"; see `driftwatch alerts list`')
    query = {"model": found["model"], "since": found["started"]}
    letters = [each for each in door.items("deliveries", query, limit=_MOST) if alert in each["alerts"]]
    if as_json:
        typer.echo(json.dumps({**found, "deliveries": letters}, ensure_ascii=False))
        return
    for name, value in found.items():
        typer.echo(f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    show(letters, ("id", "target", "type", "state", "hold"), as_json=False, none="nothing was sent")


@app.command(short_help="Say that you take care of an alert.")
def ack(alert: _Id, author: Author = "", comment: Comment = "", url: Url = DEFAULT_URL) -> None:
    """Say that you take care of an alert: it is not told again."""
    _say(url, alert, "ack", author=author, comment=comment)
    typer.echo(f"{alert}: acknowledged")


@app.command(short_help="Send the requests that wait for approval.")
def approve(alert: _Id, author: Author = "", comment: Comment = "", url: Url = DEFAULT_URL) -> None:
    """Send the requests about an alert that wait for approval."""
    answer = _say(url, alert, "approve", author=author, comment=comment)
    for letter in answer["released"]:
        typer.echo(f"{letter['type']} goes to {letter['target']}")


@app.command(short_help="Drop the requests that wait for approval.")
def reject(alert: _Id, author: Author = "", comment: Comment = "", url: Url = DEFAULT_URL) -> None:
    """Drop the requests about an alert that wait for approval."""
    answer = _say(url, alert, "reject", author=author, comment=comment)
    for letter in answer["dropped"]:
        typer.echo(f"{letter['type']} to {letter['target']} is dropped")


@app.command(short_help="End an alert by hand.")
def resolve(alert: _Id, author: Author = "", comment: Comment = "", url: Url = DEFAULT_URL) -> None:
    """End an alert by hand; it fires anew when its next window is beyond the threshold."""
    _say(url, alert, "resolve", author=author, comment=comment)
    typer.echo(f"{alert}: to be resolved")


def _say(url: str, alert: str, word: str, *, author: str, comment: str) -> dict[str, Any]:
    return Door(url).ask("POST", f"alerts/{quoted(alert)}/{word}", said=said(author, comment))
