"""A world whose past has a known change in its middle, and its backtest, made once."""

import pytest

from driftwatch.backtest.history import read_history
from driftwatch.backtest.trials import backtest
from tests.backtest.world import make_world


@pytest.fixture(scope="session")
def changed(tmp_path_factory):
    """From row 1500 of 3000 on, `amount` is a standard deviation higher."""
    return make_world(tmp_path_factory.mktemp("changed"), shift=1.0, since=1_500)


@pytest.fixture(scope="session")
def history(changed):
    return read_history(changed.watch, [changed.history], labels=(), now_ms=0)


@pytest.fixture(scope="session")
def tested(changed, history):
    return backtest(changed.watch, history, seed=3, repeats=2)
