"""Seeds of a deterministic simulation: `DRIFTWATCH_SEED=n pytest tests/simulation` replays one of them."""

import os

import pytest

from tests.simulation.seeds import Outcome, run_seed, run_seeds

_CHOSEN = os.environ.get("DRIFTWATCH_SEED")
_SEEDS, _MANY = 1_000, 10_000
_TOLD = 3
"""So many stories are told in full."""

_every_seed = pytest.mark.skipif(_CHOSEN is not None, reason="DRIFTWATCH_SEED asks for one seed")

LEAST = {
    "answer to a post lost": 500,
    "body known by its key": 200,
    "body refused by the disk": 500,
    "broker cut off": 200,
    "broker waited for no longer": 50,
    "clock jumps back": 100,
    "clock jumps forth": 100,
    "commit failed, but is durable": 100,
    "connection lost in a post": 100,
    "dead letter": 10,
    "died after commit": 50,
    "died before commit": 100,
    "disk outage": 200,
    "disk outage met": 1_000,
    "event sent twice": 1_000,
    "future event": 100,
    "hole in offsets": 200,
    "inbox could not be read": 20,
    "inbox full": 200,
    "killed": 500,
    "label before its prediction": 500,
    "label corrected": 500,
    "label sent twice": 500,
    "label that will never come": 500,
    "late event": 1_000,
    "letter sent again": 100,
    "malformed event": 1_000,
    "outcome of a delivery not saved": 100,
    "partition added": 50,
    "partition idle": 500,
    "queue full": 100,
    "records before the broker was reached": 300,
    "records held back": 100,
    "records read again": 1_000,
    "restart with a full queue": 10,
    "retention": 50,
    "statement failed": 100,
    "stopped": 100,
    "webhook: 410": 10,
    "webhook: 429": 50,
    "webhook: 429 with Retry-After": 20,
    "webhook: 500": 100,
    "webhook: answer lost": 100,
    "webhook: refused connection": 100,
}
"""Every kind of fault, and how often it must have been met for a thousand seeds to prove anything."""


def _judge(outcome: Outcome) -> None:
    if outcome.stories:
        told = "\n\n".join(outcome.stories[:_TOLD])
        pytest.fail(f"{len(outcome.stories)} seeds failed\n{told}", pytrace=False)


@_every_seed
def test_seeds() -> None:
    """A thousand seeds: nothing lost, nothing twice; and every kind of fault has been met."""
    outcome = run_seeds(range(_SEEDS))
    _judge(outcome)
    rare = {kind: outcome.faults[kind] for kind, least in LEAST.items() if outcome.faults[kind] < least}
    assert not rare, f"met too rarely to prove anything: {rare}"
    assert set(outcome.faults) <= set(LEAST), "a kind of fault that the table does not know"


@_every_seed
def test_seed_is_deterministic() -> None:
    """The same seed tells the same story, or it could not be replayed."""
    assert run_seed(4).trace == run_seed(4).trace


@pytest.mark.soak
@_every_seed
def test_many_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten thousand more, and what they met."""
    outcome = run_seeds(range(_SEEDS, _SEEDS + _MANY))
    with capsys.disabled():
        print("\n" + "\n".join(f"{count:9} {kind}" for kind, count in outcome.faults.most_common()))
    _judge(outcome)


if _CHOSEN is not None:  # there is nothing to skip when no seed is named

    def test_chosen_seed() -> None:
        """One seed again, by itself."""
        _judge(run_seed(int(_CHOSEN)))
