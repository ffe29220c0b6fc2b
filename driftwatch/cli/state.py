"""`driftwatch state hash | verify | backup`: work on a state directory, of a running service too."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Check, compare and copy a state directory.", rich_markup_mode=None)

_Directory = Annotated[Path, typer.Argument(metavar="DIR", help="The directory of a [state] table.")]


@app.command("hash", short_help="Print a hash of what was counted and alerted.")
def print_hash(directory: _Directory) -> None:
    """Print a hash over counts, positions, watermarks, alert and webhook identities.

    Two runs over the same input print the same, however often either was interrupted.
    """
    from driftwatch.daemon.state import state_hash  # noqa: PLC0415 - heavy imports only where used

    typer.echo(state_hash(directory))


@app.command("verify", short_help="Say whether a state directory is whole.")
def verify(directory: _Directory) -> None:
    """Check pages, indexes, checksums, versions and references; exit 3 and say what is wrong when something is."""
    from driftwatch.daemon import state  # noqa: PLC0415

    typer.echo(state.verify(directory))


@app.command("backup", short_help="Copy a state directory, in use or not.")
def backup(
    directory: _Directory,
    output: Annotated[Path, typer.Option("--output", "-o", help="The directory to make and fill.")],
) -> None:
    """Copy a state directory into a new one, as of one moment, and check the copy."""
    from driftwatch.daemon import state  # noqa: PLC0415

    typer.echo(state.backup(directory, output))
