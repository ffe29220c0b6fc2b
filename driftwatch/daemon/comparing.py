"""What a model's windows are compared with, as its configuration asks for it."""

from driftwatch.config import ModelSpec
from driftwatch.errors import ConfigError
from driftwatch.summaries.against import Against
from driftwatch.summaries.reference import Reference
from driftwatch.summaries.rolling import Rolling
from driftwatch.summaries.seasonal import Seasonal


def check_compared(spec: ModelSpec, reference: Reference, where: str) -> None:
    """ConfigError, which begins with `where`, when the reference or the windows do not allow what is asked for."""
    wanted, window = spec.reference, spec.window
    if wanted is None:
        return
    if wanted.seasons is not None and (reference.season is None or reference.season.season != wanted.seasons):
        how = "without a season" if reference.season is None else "with another season or other slots"
        raise ConfigError(
            f"{where}.reference.season: the reference was built {how}; build it again with "
            "`driftwatch reference build` and this configuration"
        )
    if wanted.rolling is not None:
        if window.rows is not None:
            raise ConfigError(
                f"{where}.reference.rolling: windows counted in rows have no time before them; "
                "give the window a size, or leave rolling out"
            )
        if wanted.rolling % window.pane_ms:
            raise ConfigError(
                f"{where}.reference.rolling: is no multiple of the step in which windows move (window.slide, or else "
                f"size), {window.pane_ms} ms; write one"
            )


def against_of(spec: ModelSpec, reference: Reference) -> Against:
    """What windows are compared with, new; `check_compared` has found nothing against it."""
    wanted = spec.reference
    if wanted is not None and wanted.rolling is not None:
        return Rolling(reference.layout, period_ms=wanted.rolling, pane_ms=spec.window.pane_ms)
    season, first, last = reference.season, reference.first_ms, reference.last_ms
    if wanted is not None and wanted.seasons is not None and season is not None:
        assert first is not None
        assert last is not None
        return Seasonal(season, reference.profile, first_ms=first, last_ms=last)
    return Against()
