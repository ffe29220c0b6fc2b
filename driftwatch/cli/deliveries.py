"""`driftwatch deliveries`: see webhooks of a running service; send dead ones again, or forget them."""

from typing import Annotated

import typer

from driftwatch.cli.door import DEFAULT_URL, AsJson, Door, Url, quoted, show

app = typer.Typer(
    no_args_is_help=True, help="See webhooks and how they fared; replay dead ones.", rich_markup_mode=None
)

_COLUMNS = ("id", "target", "type", "state", "hold", "attempts", "created", "last_result")
_Target = Annotated[str, typer.Option("--target", help="Only those to this target.")]


@app.command("list", short_help="List webhooks, the newest first.")
def list_(
    state: Annotated[str, typer.Option("--state", help="pending, held, delivered, dead or dropped.")] = "",
    model: Annotated[str, typer.Option("--model", help="Only those about this model.")] = "",
    target: _Target = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="Look at so many at most.")] = 100,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
) -> None:
    """List webhooks and how they fared, the newest first."""
    found = Door(url).items("deliveries", {"state": state, "model": model}, limit=limit)
    items = [item for item in found if target in ("", item["target"])]
    show(items, _COLUMNS, as_json=as_json, none="no deliveries")


@app.command(short_help="Deliver again, under the same ids.")
def replay(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Webhook ids, dead or delivered.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that are dead.")] = False,
    target: _Target = "",
    url: Url = DEFAULT_URL,
) -> None:
    """Deliver webhooks again, under the same ids: those that are named, or all dead ones."""
    if bool(ids) == dead or (ids and target):
        raise typer.BadParameter("name the webhooks, or give --dead, which --target may narrow")
    door, count = Door(url), 0
    for name in ids or ():
        count += len(door.ask("POST", f"deliveries/{quoted(name)}/replay")["replayed"])
    if dead:
        count = len(door.ask("POST", "deliveries/replay", query={"state": "dead", "target": target})["replayed"])
    typer.echo(f"{count} to be delivered again")


@app.command(short_help="Forget dead or dropped webhooks.")
def purge(
    state: Annotated[str, typer.Option("--state", help="dead or dropped.")] = "dead",
    target: _Target = "",
    url: Url = DEFAULT_URL,
) -> None:
    """Forget dead or dropped webhooks."""
    answer = Door(url).ask("DELETE", "deliveries", query={"state": state, "target": target})
    typer.echo(f"{answer['purged']} forgotten")
