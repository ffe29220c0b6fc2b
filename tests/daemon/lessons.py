"""Streams that a model learns its reference from in tests, and what comes of them."""

from driftwatch.config import load
from driftwatch.daemon.queue import Command
from tests.scenarios import events, world

LEARNT_HOURS = 2
LINES = events.calm_then_drifted(hours=7, drifted=range(4, 7))
LEARNT = LEARNT_HOURS * 300


WINDOW = 'window = { size = "1h", lateness = "2m", idle_after = "1h", keep = "30m", max_future = "10m" }'


def configured(folder, reference, *, rules=world.RULES, more="", task="binary", window=WINDOW):
    """The scenarios' model with another reference."""
    path = folder / "learning.toml"
    model = f'[[models]]\nname = "fraud"\ntask = "{task}"\nreference = {reference}\n{window}\n'
    path.write_text(f'{world.HTTP}[state]\npath = "state"\n{model}{rules}{more}', encoding="utf-8")
    return load(path, {})


FLOW = events.flow()


def whole(one):
    """What a stream comes to: its windows, its counts and its reference."""
    one.taught()
    one.order(Command.FINISH)
    reference = one.watch("fraud").reference
    return one.reports(), one.metrics().results(), (reference.layout.fingerprint, reference.source_hash)


def alerts(reports):
    """Which columns fired in which window."""
    return {
        (report["window"]["start"], alert["column"])
        for report in reports
        for alert in report["alerts"]
        if alert["state"] == "firing"
    }
