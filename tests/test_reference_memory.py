"""Building a reference takes bounded memory, whatever the number of rows."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS, PARTS = 500_000, 10
LIMIT_KIB = 1024 * 1024

BUILD = """
import resource, sys
from driftwatch.config import ModelSpec
from driftwatch.daemon.referencing import build_reference
from driftwatch.stream.schema import Task
spec = ModelSpec(name="m", task=Task.NONE)
reference = build_reference([sys.argv[1]], spec, now_ms=0, progress=lambda *_: None)
print(reference.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.soak
def test_five_million_rows_take_less_than_a_gibibyte(tmp_path):
    """Beyond a million rows the sample is full and memory stands still: 1e8 rows take no more than 5e6."""
    rng = np.random.default_rng(0)
    path = tmp_path / "a.parquet"
    writer = None
    for _ in range(PARTS):
        columns = {f"x{place}": rng.normal(size=ROWS) for place in range(8)}
        words = pa.array(rng.integers(0, 300_000, ROWS).astype(str))
        part = pa.table({**columns, "few": pa.array(rng.choice(["a", "b"], ROWS)), "many": words})
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    writer.close()
    done = subprocess.run([sys.executable, "-c", BUILD, path], capture_output=True, text=True, check=True, timeout=600)
    rows, peak_kib = map(int, done.stdout.split())
    assert rows == ROWS * PARTS
    assert peak_kib < LIMIT_KIB
