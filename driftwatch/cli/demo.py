"""`driftwatch demo`: the bundled data set through the real pipeline."""

from typing import Annotated

import typer


def demo(
    port: Annotated[int, typer.Option("--port", help="Where metrics and API are served.")] = 9464,
    once: Annotated[bool, typer.Option("--once", help="End after the replay, with a summary.")] = False,
    speed: Annotated[float, typer.Option("--speed", help="Event time per wall time; 0 for as fast as can be.")] = 0,
) -> None:
    """Watch a real model drift: New York's flights of 2013, a retraining webhook included."""
    import logging  # noqa: PLC0415 - heavy imports only where they are used

    from driftwatch.daemon.logs import set_up_logs  # noqa: PLC0415
    from driftwatch.demo.play import play  # noqa: PLC0415

    set_up_logs(level=logging.WARNING)
    raise typer.Exit(play(port=port, once=once, speed=speed or None))
