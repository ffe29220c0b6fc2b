"""`driftwatch run` and `driftwatch check-config`."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from driftwatch.daemon.watch import Watch


def run(config: Annotated[Path, typer.Option("--config", help="The configuration file.")]) -> None:
    """Run the service until SIGTERM or SIGINT; what is under way is worked off and saved."""
    gc.disable()  # until `collect_less_often`: of what imports make nothing is garbage, and looking for it takes time
    from driftwatch.config import load, naming  # noqa: PLC0415 - heavy imports only where used: `--help` stays quick
    from driftwatch.daemon.logs import set_up_logs  # noqa: PLC0415
    from driftwatch.daemon.memory import collect_less_often, hand_back_memory  # noqa: PLC0415
    from driftwatch.daemon.running import run_until_stopped  # noqa: PLC0415
    from driftwatch.daemon.service import Service  # noqa: PLC0415

    hand_back_memory()
    set_up_logs()
    loaded = load(config)
    with naming(config):
        service = Service(loaded)
    collect_less_often()
    raise typer.Exit(run_until_stopped(service))


def check_config(file: Annotated[Path, typer.Argument(help="The configuration file.")]) -> None:
    """Load a configuration, build everything that can fail, and say what would run."""
    from driftwatch.config import load, naming  # noqa: PLC0415
    from driftwatch.daemon.dividing import unmet_values  # noqa: PLC0415
    from driftwatch.daemon.enrolment import is_to_learn  # noqa: PLC0415
    from driftwatch.daemon.secrets import check_secrets  # noqa: PLC0415
    from driftwatch.daemon.watch import load_watches  # noqa: PLC0415

    config = load(file)
    with naming(file):
        watches = load_watches(config)
        learning = [spec for position, spec in enumerate(config.models) if is_to_learn(spec, f"models[{position}]")]
        check_secrets(config)
    for watch in watches:
        typer.echo(_described(watch))
        if watch.budgeted is not None:
            typer.echo(f"  {_budget(watch)}")
        if watch.output_form.task != "none":
            typer.echo(f"  {_labels(watch)}")
        for line in unmet_values(watch.reference):
            typer.echo(f"  never met: {line}")
    for spec in learning:
        typer.echo(f'model "{spec.name}": {spec.task}, learns its reference from its first events')
    for source in config.sources:
        typer.echo(f"source {source.type}")
    for target in config.targets:
        typer.echo(f'target "{target.name}": {target.type}, told of {", ".join(target.actions)}')
    if config.state is None or not config.sources:
        typer.echo("`driftwatch run` would also need [state] and [[sources]]; the offline commands do not")
    typer.echo(f"{file}: good")


def _described(watch: "Watch") -> str:
    spec, layout = watch.spec, watch.layout
    window = spec.window
    if window.rows:
        windows = f"windows of {window.rows} rows"
    else:
        windows = f"windows of {_duration(window.size or 0)}"
        windows += f" every {_duration(window.slide)}" if window.slide else ""
    budgeted = () if watch.budgeted is None else (watch.budgeted.rule,)
    rules = ", ".join(f'"{rule.name}"' for rule in (*budgeted, *spec.rules)) or "none"
    rows = watch.reference.rows
    reference = f"reference of {rows} rows" if rows else "no reference, what is declared alone"
    return (
        f'model "{spec.name}": {spec.task}, {len(layout.numeric)} numeric and {len(layout.categorical)} categorical '
        f"columns, {reference}, {windows}, rules: {rules}"
    )


def _budget(watch: "Watch") -> str:
    """How many false alarms may be, and what is too small to be one of the others."""
    from driftwatch.backtest.rates import budget_of  # noqa: PLC0415
    from driftwatch.evaluation.budget import effects  # noqa: PLC0415

    told, alerting = budget_of(watch.spec), watch.spec.alerting
    least = ", ".join(f"{name} {size:g}" for name, size in effects(alerting.min_effect).items())
    own = sum(column.min_effect is not None for column in watch.spec.columns.values())
    more = f" ({own} columns have their own)" if own else ""
    return (
        f"budget of false alarms: {told['text'] if told else 'none'}; the smallest effect that matters: {least}{more}"
    )


def _labels(watch: "Watch") -> str:
    """How labels are joined, and which classes there are."""
    spec, form = watch.spec, watch.output_form
    if not spec.remember_predictions:
        joined = "labels are not joined (remember_predictions = 0)"
    else:
        joined = f"labels are waited for {_duration(spec.label_wait)}"
    if form.task == "binary":
        negative, positive = form.classes
        return f'{joined}; the positive class is "{positive}", the negative one "{negative}"'
    if form.classes:
        return f"{joined}; classes: " + ", ".join(f'"{name}"' for name in form.classes)
    return joined


def _duration(milliseconds: int) -> str:
    from datetime import timedelta  # noqa: PLC0415

    return str(timedelta(milliseconds=milliseconds))
