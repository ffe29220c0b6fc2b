"""A model with its reference, and configurations of services that watch it."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from driftwatch.config import load
from driftwatch.daemon.referencing import build_reference, save_reference
from tests.scenarios import events

HTTP = '[[sources]]\ntype = "http"\n'

RULES = """
[[models.rules]]
name = "shift"
statistic = "psi"
columns = ["amount", "country"]
above = 0.25
for = 2
min_rows = 50
severity = "critical"
action = "retrain"

[[models.rules]]
name = "watch"
statistic = "ks"
above = 0.2
min_rows = 50
"""

MODEL = f"""
[[models]]
name = "{events.MODEL}"
task = "binary"
reference = "{{reference}}"
window = {{{{ size = "1h", slide = "30m", lateness = "2m", idle_after = "1h", keep = "30m", max_future = "10m" }}}}
"""


def files(path: Path) -> str:
    """A source that follows one file of predictions."""
    return f'[[sources]]\ntype = "files"\npredictions = ["{path}"]\npoll = "20ms"\n'


def kafka(bootstrap: str, topic: str, group: str, *, labels: str = "") -> str:
    """A source that reads one topic of predictions, and maybe one of labels."""
    more = f'labels = ["{labels}"]\n' if labels else ""
    head = f'[[sources]]\ntype = "kafka"\nbrokers = ["{bootstrap}"]\ngroup = "{group}"\n'
    return f'{head}predictions = ["{topic}"]\n{more}'


def webhook(url: str, secret_file: Path, *, name: str = "trainer", actions: Sequence[str] = ("retrain",)) -> str:
    """A target."""
    return (
        f'[[targets]]\nname = "{name}"\ntype = "webhook"\nurl = "{url}"\nsecret_file = "{secret_file}"\n'
        f"actions = {json.dumps(list(actions))}\n"
    )


def configuration(
    folder: Path,
    reference: Path,
    *,
    sources: str = HTTP,
    targets: str = "",
    rules: str = RULES,
    state: str = "state",
    port: int = 0,
) -> Path:
    """Write the configuration of a service into a folder and return its path; port 0 is any free one."""
    path = folder / f"{state}.toml"
    path.write_text(
        f'[server]\nlisten = "127.0.0.1:{port}"\n[state]\npath = "{state}"\ncheckpoint = "200ms"\n'
        f"{sources}{targets}{MODEL.format(reference=reference)}{rules}",
        encoding="utf-8",
    )
    return path


def write_reference(folder: Path, *, rows: int = 4_000) -> Path:
    """Build the model's reference from rows without drift and return its path."""
    rng = np.random.default_rng(11)
    data = folder / "reference.jsonl"
    data.write_bytes(
        b"\n".join(events.event(rng, events.START - (rows - row) * 1_000, version="1") for row in range(rows))
    )
    path = folder / "fraud.reference"
    spec = load(configuration(folder, path)).models[0]
    save_reference(build_reference([str(data)], spec, now_ms=events.START, progress=lambda *_: None), path)
    return path
