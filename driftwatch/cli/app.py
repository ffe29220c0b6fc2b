"""The command line's frame: the commands, and how an error becomes one line and an exit code."""

import sys
from typing import Annotated, Any

import typer

from driftwatch.cli import demo, reference, replay, run
from driftwatch.errors import ConfigError, DataError, DriftwatchError, StateError

app = typer.Typer(
    name="driftwatch",
    help="Watches machine-learning models in production.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("demo")(demo.demo)
app.command("check-config")(run.check_config)
app.command("replay")(replay.replay)
app.add_typer(reference.app, name="reference")

_EXITS: tuple[tuple[type[DriftwatchError], int], ...] = ((ConfigError, 2), (DataError, 2), (StateError, 3))


def _version(value: bool) -> None:  # noqa: FBT001 - typer calls it so
    if value:
        from driftwatch import __version__  # noqa: PLC0415

        typer.echo(f"driftwatch {__version__}")
        raise typer.Exit


@app.callback()
def frame(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watches machine-learning models in production."""


def main() -> Any:
    """Run a command; what went wrong on purpose is one line on stderr and the exit code of its kind."""
    try:
        app()
    except DriftwatchError as error:
        print(f"driftwatch: {error}", file=sys.stderr)
        sys.exit(next((code for kind, code in _EXITS if isinstance(error, kind)), 1))
