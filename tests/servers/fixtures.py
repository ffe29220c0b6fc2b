"""The fixtures `kafka` (one cluster for the whole session) and `own_broker` (one to stop and start at will).

kafka-python leaves sockets of refused and of just opened connections to the garbage collector, and reads its schemas by
functions that Python 3.11 and 3.12 call deprecated. Tests marked `kafka` forgive both, and no other test sees it.
"""

import gc
import logging
import os
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.servers.broker import Broker, Unavailable

if TYPE_CHECKING:
    from tests.servers.cluster import Cluster


FORGIVEN = ("ignore:unclosed <:ResourceWarning", "ignore:(read|open)_text is deprecated:DeprecationWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Forgive kafka-python in the tests that need it."""
    for item in items:
        if item.get_closest_marker("kafka"):
            for warning in FORGIVEN:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(autouse=True)
def collected(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collect kafka-python's garbage while it is forgiven."""
    if request.node.get_closest_marker("kafka") is None:
        yield
        return
    # Captured log records would keep its errors, and with them the sockets.
    request.getfixturevalue("caplog").set_level(logging.CRITICAL + 1, logger="kafka")
    yield
    gc.collect()


def _broker(tmp_path_factory: pytest.TempPathFactory, *, secure: bool = False) -> Broker:
    try:
        return Broker(tmp_path_factory.mktemp("kafka"), secure=secure)
    except Unavailable as reason:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))


def _show_tail(request: pytest.FixtureRequest, broker: Broker) -> None:
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if request.session.testsfailed and reporter is not None:
        reporter.section("end of the Kafka broker's log")
        reporter.write(broker.tail())


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Cluster"]:
    """A running Kafka cluster: `kafka.bootstrap` and what tests do to it."""
    with warnings.catch_warnings():
        # kafka-python reads its schemas by a function that Python 3.11 and 3.12 call deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        from tests.servers.cluster import Cluster  # noqa: PLC0415 - half a second that other tests need not wait
    outside = os.environ.get("DRIFTWATCH_TEST_KAFKA")
    broker = None if outside else _broker(tmp_path_factory)
    if broker is not None:
        broker.start()
    try:
        cluster = Cluster(outside or broker.bootstrap)
        yield cluster
        cluster.close()
    finally:
        if broker is not None:
            broker.stop()
            _show_tail(request, broker)


@pytest.fixture
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of the test's own, not started yet; it also listens for SASL over TLS."""
    broker = _broker(tmp_path_factory, secure=True)
    yield broker
    broker.stop()
