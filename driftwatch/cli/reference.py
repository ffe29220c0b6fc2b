"""`driftwatch reference`: make a model's reference from data files, and look at one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from driftwatch.summaries.known_outcomes import KnownOutcomes
    from driftwatch.summaries.reference import Reference
    from driftwatch.summaries.season_profiles import SeasonProfiles

app = typer.Typer(help="Make a model's reference from data files, and look at one.", no_args_is_help=True)

_NAMED_CATEGORIES = 3
_NAME = 30


@app.command(short_help="Count data files into a reference.")
def build(
    data: Annotated[list[str], typer.Argument(help="Files or globs: CSV, Parquet, JSONL.")],
    config: Annotated[Path, typer.Option("--config", help="The configuration file.")],
    model: Annotated[str, typer.Option("--model", help="The model's name in it.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the reference is written.")],
) -> None:
    """Count the data into a reference, in bounded memory whatever its size."""
    import time  # noqa: PLC0415 - heavy imports only where they are used: `--help` stays quick

    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    from driftwatch.config import load  # noqa: PLC0415
    from driftwatch.daemon.dividing import unmet_values  # noqa: PLC0415
    from driftwatch.daemon.referencing import build_reference, save_reference  # noqa: PLC0415

    spec = load(config).model(model)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("counting", total=None)
        reference = build_reference(
            data,
            spec,
            now_ms=time.time_ns() // 1_000_000,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    save_reference(reference, out)
    console.print(f"{out}: {reference.rows} rows, {len(reference.layout.names)} columns", highlight=False)
    if reference.outcomes is not None:
        console.print(f"labels: {_labels(reference.outcomes)}", highlight=False)
    if reference.segments:
        console.print(f"segments: {len(reference.segments)}", highlight=False)
    for line in unmet_values(reference):
        console.print(f"never met: {line}", highlight=False, soft_wrap=True)
    if reference.left_out:
        console.print(f"left out, neither numbers nor categories: {', '.join(reference.left_out)}", highlight=False)


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="A file made by `driftwatch reference build`.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    window_rows: Annotated[
        int, typer.Option(min=1, help="By how much windows of so many rows vary more than independent rows.")
    ] = 1000,
) -> None:
    """Print what a reference holds."""
    from driftwatch.daemon.referencing import load_reference  # noqa: PLC0415

    reference = load_reference(file)
    if json:
        import json as encoder  # noqa: PLC0415

        print(encoder.dumps(_document(reference, window_rows), indent=2, allow_nan=False))
        return
    for name, value in {**_facts(reference), "window_rows": window_rows}.items():
        typer.echo(f"{name:<12} {'' if value is None else value}".rstrip())
    typer.echo("\n" + "\n".join((*_lines(reference, window_rows), *_division_lines(reference))))


def _facts(reference: "Reference") -> dict[str, Any]:
    return {
        "model": reference.model,
        "task": reference.task.value,
        "rows": reference.rows,
        "first": _moment(reference.first_ms),
        "last": _moment(reference.last_ms),
        "fingerprint": reference.layout.fingerprint,
        "source_hash": reference.source_hash,
        "created": _moment(reference.created_ms),
        "written_by": reference.written_by,
        "block_rows": reference.blocks.length,
        "left_out": ", ".join(reference.left_out),
        "labels": None if reference.outcomes is None else _labels(reference.outcomes),
        **({} if reference.season is None else {"season": _season(reference.season)}),
    }


def _season(parts: "SeasonProfiles") -> str:
    """Into what it is cut, and how well the slots are filled."""
    season, rows = parts.season, parts.rows
    cut = f"{season.slots} months" if season.of_months else f"{season.slots} slots of {season.width_ms / 3_600_000:g} h"
    return f"{cut}, of {rows.min()} to {rows.max()} rows"


def _labels(outcomes: "KnownOutcomes") -> str:
    """What a person should know of them: how many, how good the model was, and how many are none."""
    metric = "" if outcomes.performance is None else "{} {:.4g}".format(*outcomes.performance)
    refused = f"{outcomes.refused} cannot be read" if outcomes.refused else ""
    if outcomes.refused and outcomes.classes:
        refused += f" as {' or '.join(outcomes.classes[:_NAMED_CATEGORIES])}"
    return ", ".join(part for part in (f"{outcomes.rows} rows", metric, refused) if part)


def _document(reference: "Reference", window_rows: int) -> dict[str, Any]:
    from driftwatch.summaries.portrait import portraits  # noqa: PLC0415

    importance = _importance(reference)
    factors = _factors(reference, window_rows)
    columns = [
        {
            "name": portrait.name,
            "kind": portrait.kind,
            "missing": portrait.missing,
            "invalid": portrait.invalid,
            "min": portrait.least,
            "mean": portrait.mean,
            "max": portrait.greatest,
            "categories": [{"value": text, "count": count} for text, count in portrait.categories],
            "other": portrait.other,
            "dispersion": portrait.dispersion,
            "overdispersion": factor,
            "importance": importance.get(portrait.name),
        }
        for portrait, factor in zip(portraits(reference), factors, strict=True)
    ]
    return {
        **_facts(reference),
        "window_rows": window_rows,
        "left_out": list(reference.left_out),
        "labels": _label_document(reference.outcomes),
        "columns": columns,
        "segments": [
            {"name": name, "rows": segment.rows}
            for name, segment in zip(reference.dimensions.segment_names, reference.segments, strict=True)
        ],
        "protected": [
            {"name": title, "groups": [{"name": name, "rows": rows} for name, rows in groups]}
            for title, groups in _protected(reference)
        ],
        "hours_of_week": None if reference.rhythm is None else reference.rhythm.covered.tolist(),
        "rows_by_hour_of_week": None if reference.rhythm is None else reference.rhythm.rows.tolist(),
    }


def _label_document(outcomes: "KnownOutcomes | None") -> dict[str, Any] | None:
    if outcomes is None:
        return None
    performance = [] if outcomes.performance is None else [outcomes.performance]
    return {"rows": outcomes.rows, "refused": outcomes.refused, **dict(performance)}


def _lines(reference: "Reference", window_rows: int) -> list[str]:
    """Each column on one line of 80 characters: what it is and how it spreads; then what does not fit there."""
    from driftwatch.summaries.portrait import portraits  # noqa: PLC0415

    importance = _importance(reference)
    lines = [f"{'column':<{_NAME}} {'kind':<11} {'missing':>7} {'histogram':<16}"]
    factors = _factors(reference, window_rows)
    for portrait, factor in zip(portraits(reference), factors, strict=True):
        if portrait.least is None:
            shares = [f"{text} {count / reference.rows:.0%}" for text, count in portrait.categories[:_NAMED_CATEGORIES]]
            more = len(portrait.categories) - _NAMED_CATEGORIES
            values = ", ".join(shares) + (f", {more} more" if more > 0 else "")
        else:
            numbers = (portrait.least, portrait.mean, portrait.greatest)
            values = "min {}, mean {}, max {}".format(*map(_short, numbers))
        missing = f"{portrait.missing / reference.rows:.1%}" if portrait.missing else "-"
        lines.append(f"{_cut(portrait.name):<{_NAME}} {portrait.kind:<11} {missing:>7} {portrait.histogram}")
        extra = [f"dispersion {_short(portrait.dispersion)}"] if portrait.dispersion is not None else []
        extra += _varying(factor)
        extra += [f"{portrait.invalid} invalid"] if portrait.invalid else []
        extra += [f"importance {importance[portrait.name]:.2f}"] if portrait.name in importance else []
        lines.append("  " + "; ".join([values, *extra] if values else extra))
    return lines


def _factors(reference: "Reference", window_rows: int) -> list[dict[str, float | None]]:
    """Of each column, numeric first; `freedom` is None where rows are found to be independent."""
    names = ("location", "scale", "cells", "path", "freedom")
    if reference.pyramid is None:
        return [dict.fromkeys(names, 1.0) | {"freedom": None} for _ in reference.layout.names]
    over = reference.pyramid.over(window_rows)
    values = zip(*(getattr(over, name).tolist() for name in names), strict=True)
    return [{name: None if v == float("inf") else v for name, v in zip(names, each, strict=True)} for each in values]


def _varying(factor: dict[str, float | None]) -> list[str]:
    """How a person reads it: by location most shifts are seen, by cells all others; nothing where both are 1."""
    location, cells = _short(factor["location"]), _short(factor["cells"])
    if location == cells == "1":
        return []
    return [f"windows vary {location} times" + (f" (cells {cells})" if cells != location else "")]


def _importance(reference: "Reference") -> dict[str, float]:
    if reference.importance is None:
        return {}
    return dict(zip(reference.layout.names, reference.importance.tolist(), strict=True))


def _protected(reference: "Reference") -> list[tuple[str, list[tuple[str, int]]]]:
    """The protected dimensions, with the rows of each of their groups."""
    rows = iter(reference.protected_rows)
    return [
        (dimension.name, [(name, next(rows)) for name in dimension.members])
        for dimension in reference.dimensions.protected
    ]


def _division_lines(reference: "Reference") -> list[str]:
    """The segments and the protected groups, with their rows; nothing where there are none."""
    lines = []
    if reference.segments:
        lines += ["", f"{'rows':>12}  segment"]
        pairs = zip(reference.dimensions.segment_names, reference.segments, strict=True)
        lines += [f"{segment.rows:>12}  {name}" for name, segment in pairs]
    for title, groups in _protected(reference):
        lines += ["", f"{'rows':>12}  protected by {title}"]
        lines += [f"{rows:>12}  {name}" for name, rows in groups]
    return lines


def _cut(name: str) -> str:
    return name if len(name) <= _NAME else name[: _NAME - 1] + "…"


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:.4g}"


def _moment(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
