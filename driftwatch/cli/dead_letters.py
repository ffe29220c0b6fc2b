"""`driftwatch state dead-letters`: events that could not be used, while no service runs on their directory."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List, replay and purge rejected events.", no_args_is_help=True, rich_markup_mode=None)

_Directory = Annotated[Path, typer.Argument(metavar="DIR", help="The state directory; no service may run on it.")]
_Reason = Annotated[str, typer.Option("--reason", help='Only this reason, such as "bad_time".')]
_Stream = Annotated[str, typer.Option("--stream", help="Only predictions, or only labels.")]


@app.command("list")
def list_(
    directory: _Directory,
    reason: _Reason = "",
    stream: _Stream = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="Events that are listed, the newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, without the totals.")] = False,
) -> None:
    """Count rejected events by reason and list the newest."""
    from driftwatch.daemon.dead_letters import open_dead_letters  # noqa: PLC0415 - `--help` stays quick

    _check(reason, stream)
    with open_dead_letters(directory) as letters:
        counts = letters.counts()
        listed = letters.listing(reason=reason, stream=stream, limit=limit)
    if as_json:
        for letter in listed:
            typer.echo(json.dumps(letter.document()))
        return
    for why, tally in sorted(counts.items()):
        typer.echo(f"{why}: {tally.listed} listed, {tally.kept} can be replayed, {tally.size} bytes")
    if not counts:
        typer.echo("no rejected events")
    for letter in listed:
        found = letter.document()
        where = f"{found['partition']} event {letter.place}" if letter.place >= 0 else found["partition"]
        typer.echo(
            f"{found['received']} {letter.stream} {where}: {letter.reason}, {letter.size} bytes"
            + (", kept" if letter.kept else "")
        )


@app.command()
def replay(directory: _Directory, reason: _Reason = "", stream: _Stream = "") -> None:
    """Put the kept events back into the inbox; the service counts them as received once more when it starts.

    The service needs an HTTP source to read them. Those whose bytes were not kept stay listed.
    """
    from driftwatch.daemon.dead_letters import open_dead_letters  # noqa: PLC0415
    from driftwatch.daemon.service import wall_clock_ms  # noqa: PLC0415

    _check(reason, stream)
    with open_dead_letters(directory) as letters:
        count = letters.replay(now_ms=wall_clock_ms(), reason=reason, stream=stream)
    typer.echo(f"{count} events are in the inbox again")


@app.command()
def purge(directory: _Directory, reason: _Reason = "", stream: _Stream = "") -> None:
    """Forget rejected events, kept or only listed."""
    from driftwatch.daemon.dead_letters import open_dead_letters  # noqa: PLC0415

    _check(reason, stream)
    with open_dead_letters(directory) as letters:
        count = letters.purge(reason=reason, stream=stream)
    typer.echo(f"{count} events are forgotten")


def _check(reason: str, stream: str) -> None:
    from driftwatch.stream.raw import EVENT_STREAMS  # noqa: PLC0415
    from driftwatch.stream.reject import Reject  # noqa: PLC0415

    for option, given, known in (("--reason", reason, Reject), ("--stream", stream, EVENT_STREAMS)):
        if given and given not in set(known):
            raise typer.BadParameter(f'{option}: "{given}" is none of {", ".join(known)}')
