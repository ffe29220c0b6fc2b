"""`driftwatch run` and `driftwatch check-config`."""

from pathlib import Path
from typing import Annotated

import typer


def run(config: Annotated[Path, typer.Option("--config", help="The configuration file.")]) -> None:
    """Run the service until SIGTERM or SIGINT; what is under way is worked off and saved."""
    from driftwatch.config import load  # noqa: PLC0415 - heavy imports only where they are used: `--help` stays quick
    from driftwatch.daemon.logs import set_up_logs  # noqa: PLC0415
    from driftwatch.daemon.running import run_until_stopped  # noqa: PLC0415
    from driftwatch.daemon.service import Service  # noqa: PLC0415

    set_up_logs()
    raise typer.Exit(run_until_stopped(Service(load(config))))


def check_config(file: Annotated[Path, typer.Argument(help="The configuration file.")]) -> None:
    """Load a configuration, build everything that can fail, and say what would run."""
    from driftwatch.config import load  # noqa: PLC0415
    from driftwatch.daemon.watch import load_watches  # noqa: PLC0415

    config = load(file)
    for watch in load_watches(config):
        spec, layout = watch.spec, watch.layout
        window = f"{spec.window.rows} rows" if spec.window.rows else f"{(spec.window.size or 0) / 1000:g} s"
        columns = f"{len(layout.numeric)} numeric and {len(layout.categorical)} categorical columns"
        typer.echo(
            f'model "{spec.name}": {spec.task}, {columns}, reference of {watch.reference.rows} rows, '
            f"windows of {window}, {len(spec.rules)} rule(s)"
        )
    for source in config.sources:
        typer.echo(f"source {source.type}")
    for target in config.targets:
        typer.echo(f'target "{target.name}": {target.type}')
    typer.echo(f"{file}: good")
