"""Both kinds of evidence of change against one reference, made ready once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftwatch.kernels.overdispersion import Overdispersion
from driftwatch.statistics.abrupt import Abrupt
from driftwatch.statistics.evidence import Evidence
from driftwatch.statistics.slow import Slow, SlowState
from driftwatch.summaries.layout import Floats, Layout
from driftwatch.summaries.profile import Profile


@dataclass(frozen=True)
class Witness:
    """What one reference has to say of windows. make_slow: asked at the first window, for it takes its time."""

    abrupt: Abrupt
    make_slow: Callable[[], Slow]

    @classmethod
    def of(
        cls,
        layout: Layout,
        reference: Profile,
        *,
        tolerance: Floats,
        over: Callable[[int], Overdispersion] | None,
        learns: bool = True,
    ) -> Self:
        """Make ready; tolerance: (columns,) total variation distance that does not matter.

        over: by how much windows of so many rows vary more than independent rows do; None where they do not.
        learns: False where every window has a reference of its own.
        """
        make_slow = partial(Slow.of, layout, reference, over=over, tolerance=tolerance, learns=learns)
        return cls(Abrupt.of(layout, reference, over), make_slow)

    @cached_property
    def slow(self) -> Slow:
        """The evidence of all windows."""
        return self.make_slow()

    def advance(self, state: SlowState, current: Profile, *, held: NDArray[np.bool_]) -> SlowState:
        """The slow detector after a window, but for the columns that are held, (columns,): it does not see these."""
        after = self.slow.advance(state, current)
        return after if not held.any() else self.slow.holding(after, state, held)

    def evidence(self, current: Profile, state: SlowState, *, risk: Floats) -> Evidence:
        """Say what speaks for a change; state: of the detector after this window. risk: (columns,) of each test."""
        return Evidence(
            self.abrupt.p_values(current), self.slow.evidence(state), self.abrupt.detectable(current.rows, level=risk)
        )
