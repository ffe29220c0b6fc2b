"""Bytes that flip and files that are cut off: the start gives exactly the state that was saved, or is refused."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from driftwatch.store.database import FILE, LOCK
from driftwatch.store.seal import MARK
from tests.disk.images import Held, crashed, is_honest, spoil, start, stopped

WAL, SHM = f"{FILE}-wal", f"{FILE}-shm"
IMAGES = {"stopped": stopped, "crashed": crashed}
FILES = {"stopped": (FILE, MARK), "crashed": (FILE, WAL, SHM, MARK)}
PAGE, FRAME = 4_096, 4_096 + 24
FLIPS_A_PAGE = 2


@pytest.fixture(scope="module", params=sorted(IMAGES))
def image(request, tmp_path_factory) -> tuple[str, Path, Held]:
    """How it was left, the directory, and what is in it."""
    folder = tmp_path_factory.mktemp(request.param)
    directory = IMAGES[request.param](folder / "image")
    expected = start(spoil(directory, folder / "whole", LOCK, b""))
    assert isinstance(expected, Held)
    return request.param, directory, expected


def places(name: str, size: int, rng: np.random.Generator, *, a_page: int) -> list[int]:
    """Places all over a file: the head of every page, where its structure stands, and its content."""
    step = FRAME if name == WAL else PAGE
    heads = [start + offset for start in range(0, size, step) for offset in rng.integers(0, 48, a_page // 2)]
    inner = [start + offset for start in range(0, size, step) for offset in rng.integers(0, step, a_page - a_page // 2)]
    first = list(range(0, 100, 3)) if name != SHM else []
    return sorted({int(place) for place in (*heads, *inner, *first) if place < size})


def flip(data: bytes, place: int, rng: np.random.Generator) -> bytes:
    """Change one byte, by one bit or by all of them."""
    changed = bytearray(data)
    changed[place] ^= int(rng.choice([1, 2, 4, 8, 16, 32, 64, 128, 255]))
    return bytes(changed)


def test_no_flipped_byte_changes_a_count_in_silence(image, tmp_path):
    """Over every page of every file: the same state hash and the same waiting bodies, or a refusal that helps."""
    try_flips(image, tmp_path, a_page=FLIPS_A_PAGE, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_no_flipped_byte_changes_a_count_in_silence_at_length(image, tmp_path, seed):
    """Many times as many."""
    try_flips(image, tmp_path, a_page=FLIPS_A_PAGE * 5, seed=seed)


def try_flips(image, folder: Path, *, a_page: int, seed: int) -> None:
    """Flip bytes one by one, and print what happened."""
    left, directory, expected = image
    rng = np.random.default_rng(seed)
    for name in FILES[left]:
        data = (directory / name).read_bytes()
        outcomes: Counter[str] = Counter()
        for place in places(name, len(data), rng, a_page=a_page):
            outcome = start(spoil(directory, folder / "spoilt", name, flip(data, place, rng)))
            assert is_honest(outcome, expected), (name, place, seed, outcome)
            outcomes["same" if isinstance(outcome, Held) else "refused"] += 1
        print(f"{left} {name} ({len(data)} bytes): {dict(outcomes)}")


def test_no_cut_changes_a_count_in_silence(image, tmp_path):
    """Every file, cut off at many lengths and at all of its pages' ends, and gone altogether."""
    left, directory, expected = image
    rng = np.random.default_rng(2)
    for name in FILES[left]:
        data = (directory / name).read_bytes()
        step = FRAME if name == WAL else PAGE
        cuts = {0, 1, 16, 32, 99, 100, *range(0, len(data), 4 * step), *rng.integers(0, max(1, len(data)), 10).tolist()}
        outcomes: Counter[str] = Counter()
        for cut in sorted(cut for cut in cuts if cut < len(data)):
            outcome = start(spoil(directory, tmp_path / "spoilt", name, data[:cut]))
            assert is_honest(outcome, expected), (name, cut, outcome)
            outcomes["same" if isinstance(outcome, Held) else "refused"] += 1
        spoil(directory, tmp_path / "spoilt", name, b"")
        (tmp_path / "spoilt" / name).unlink()
        outcome = start(tmp_path / "spoilt")
        assert is_honest(outcome, expected), (name, "gone", outcome)
        print(f"{left} {name} cut: {dict(outcomes)}")


def test_a_log_that_is_lost_is_told_from_one_that_was_never_written(tmp_path):
    """The mark outlives a crash; where a person decides to go on, deleting it says so."""
    directory = crashed(tmp_path / "image")
    (directory / WAL).unlink()
    refused = start(directory)
    assert "transactions" in str(refused)
    assert MARK in str(refused)
    (directory / MARK).unlink()
    assert isinstance(start(directory), Held)
