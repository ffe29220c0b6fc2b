"""The command line's frame: the commands, and how an error becomes one line and an exit code."""

import os
import sys
from typing import Annotated, Any

import typer

from driftwatch.cli import (
    alerts,
    backtest,
    dead_letters,
    deliveries,
    demo,
    incidents,
    reference,
    replay,
    run,
    silences,
    state,
)
from driftwatch.errors import ConfigError, DataError, DriftwatchError, StateError

app = typer.Typer(
    name="driftwatch",
    help="Watches machine-learning models in production.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: drawing boxes would load rich, a quarter of a second
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run", short_help="Run the service.")(run.run)
app.command("demo", short_help="Watch a bundled model drift.")(demo.demo)
app.command("check-config", short_help="Say what a file would run, or what is wrong.")(run.check_config)
app.command("replay", short_help="Run the pipeline over files.")(replay.replay)
app.command("backtest", short_help="Measure false alarms, power and delay on history.")(backtest.backtest)
app.add_typer(reference.app, name="reference")
state.app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(state.app, name="state")
for operating, name in (
    (alerts.app, "alerts"), (deliveries.app, "deliveries"), (silences.app, "silences"), (incidents.app, "incidents"),
):  # fmt: skip
    app.add_typer(operating, name=name)

_EXITS: tuple[tuple[type[DriftwatchError], int], ...] = ((ConfigError, 2), (DataError, 2), (StateError, 3))
_UsageError: type[Any] = typer.BadParameter.__mro__[
    1
]  # typer names the exception that stands for all wrong usage only so


def _version(value: bool) -> None:  # noqa: FBT001 - typer calls it so
    if value:
        import driftwatch  # noqa: PLC0415

        typer.echo(f"driftwatch {driftwatch.__version__}")
        raise typer.Exit


@app.callback()
def frame(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watches machine-learning models in production."""


def main() -> None:
    """Run a command and exit; what went wrong on purpose is one line on stderr and the exit code of its kind."""
    # The matrices are small: threads of linear algebra would only wait for each other, and for other processes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        sys.exit(app(prog_name="driftwatch", standalone_mode=False) or 0)
    except DriftwatchError as error:
        _tell(str(error))
        sys.exit(next((code for kind, code in _EXITS if isinstance(error, kind)), 1))
    except _UsageError as error:
        _tell_usage(error)
        sys.exit(2)


def _tell(text: str) -> None:
    print("driftwatch: " + " ".join(text.split()), file=sys.stderr)


def _tell_usage(error: Any) -> None:
    message, context = error.format_message(), error.ctx
    if "\n" in message:  # a command group without a command: its help
        print(message, file=sys.stderr)
        return
    command = context.command_path if context else "driftwatch"
    _tell(f"{message.rstrip('.')}; see `{command} --help`")
