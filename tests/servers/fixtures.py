"""The fixtures `kafka` (one cluster for the session), and `own_broker` and `secure_broker`, to stop and start at will.

kafka-python leaves sockets of refused and of just opened connections to the garbage collector, and reads its schemas by
functions that Python 3.11 and 3.12 call deprecated. Tests marked `kafka` forgive both, and no other test sees it.
"""

import gc
import logging
import os
import warnings
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.servers.broker import Broker, Unavailable, install

if TYPE_CHECKING:
    from tests.servers.cluster import Cluster


BROKERS = pytest.StashKey[list[Broker]]()
FORGIVEN = ("ignore:unclosed <:ResourceWarning", "ignore:(read|open)_text is deprecated:DeprecationWarning")


def forgive(items: list[pytest.Item]) -> None:
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


def _broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, *, secure: bool = False
) -> Broker:
    try:
        install()
        broker = Broker(tmp_path_factory.mktemp("kafka"), secure=secure)
    except Unavailable as reason:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    request.config.stash.setdefault(BROKERS, []).append(broker)
    return broker


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the ends of the brokers' logs beneath a test that failed; they go with its report, wherever it ran."""
    report = yield
    if report.failed and item.get_closest_marker("kafka"):
        for broker in item.config.stash.get(BROKERS, []):
            report.sections.append((f"end of the log of Kafka at {broker.bootstrap}", broker.tail()))
    return report


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Cluster"]:
    """A running Kafka cluster: `kafka.bootstrap` and what tests do to it."""
    with warnings.catch_warnings():
        # kafka-python reads its schemas by a function that Python 3.11 and 3.12 call deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        from tests.servers.cluster import Cluster  # noqa: PLC0415 - half a second that other tests need not wait
    outside = os.environ.get("DRIFTWATCH_TEST_KAFKA")
    broker = None if outside else _broker(request, tmp_path_factory)
    if broker is not None:
        broker.start()
    try:
        cluster = Cluster(outside or broker.bootstrap)
        yield cluster
        cluster.close()
    finally:
        if broker is not None:
            broker.stop()


@pytest.fixture
def own_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of the test's own, not started yet."""
    broker = _broker(request, tmp_path_factory)
    yield broker
    broker.stop()
    request.config.stash[BROKERS].remove(broker)


@pytest.fixture
def secure_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The same, which also listens for passwords and for certificates over TLS."""
    broker = _broker(request, tmp_path_factory, secure=True)
    yield broker
    broker.stop()
    request.config.stash[BROKERS].remove(broker)
