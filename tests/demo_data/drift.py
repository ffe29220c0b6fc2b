"""How far the demo's columns move: PSI against January and February, for windows of some days sliding by one.

    python tests/demo_data/drift.py [DAYS]

Ten reference deciles plus a bin for missing; a category's share is its bin; half a row is added to every bin, so
that an empty one does not make the value infinite. This is a second reading of the data, by other code than the
service's, to choose the demo's rules by and to check them.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

DATA = Path(__file__).resolve().parents[2] / "driftwatch" / "demo" / "data"
COLUMNS = ("dep_delay", "hour", "distance", "carrier", "origin", "dest", "score")
GROUPS, DAY_MINUTES = 10, 1440


def codes(reference: pa.Table, table: pa.Table, name: str) -> tuple[np.ndarray, int]:
    """A bin number for every row of the table, (rows,), and how many bins there are."""
    if pa.types.is_string(table[name].type) or pa.types.is_dictionary(table[name].type):
        known = pc.unique(reference[name].cast(pa.string()))
        found = pc.index_in(table[name].cast(pa.string()), known)
        return pc.fill_null(found, len(known)).to_numpy(), len(known) + 1
    edges = np.unique(np.nanquantile(numbers(reference, name), np.arange(1, GROUPS) / GROUPS))
    values = numbers(table, name)
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values)), len(edges) + 2


def numbers(table: pa.Table, name: str) -> np.ndarray:
    """A column as floats, NaN where it is missing, (rows,)."""
    return table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)


def daily(table: pa.Table, code: np.ndarray, bins: int) -> tuple[np.ndarray, int]:
    """Counts, (days, bins), and the first day since the epoch; the first and last UTC days are cut and left out."""
    day = table["minute"].to_numpy() // DAY_MINUTES
    first, last = int(day.min()), int(day.max())
    flat = np.bincount((day - first) * bins + code, minlength=(last - first + 1) * bins)
    return flat.reshape(-1, bins)[1:-1], first + 1


def psi(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Population stability index of every row of `current`, (windows, bins), against `reference`, (bins,)."""
    p = (reference + 0.5) / (reference + 0.5).sum()
    q = (current + 0.5) / (current + 0.5).sum(axis=1, keepdims=True)
    return ((q - p) * np.log(q / p)).sum(axis=1)


def windows_psi(reference: pa.Table, table: pa.Table, name: str, *, days: int) -> tuple[np.ndarray, np.ndarray]:
    """PSI of each full window and the month in which it ends, both (windows,)."""
    expected, bins = codes(reference, reference, name)
    code, _ = codes(reference, table, name)
    counts, first = daily(table, code, bins)
    sums = np.cumsum(np.vstack([np.zeros(bins), counts]), axis=0)
    current = sums[days:] - sums[:-days]
    ends = (first + days - 1 + np.arange(len(current))).astype("datetime64[D]")
    return psi(np.bincount(expected, minlength=bins), current), ends.astype("datetime64[M]").astype(int) % 12 + 1


def main(days: int) -> None:
    """Print median and highest PSI by month."""
    reference, flights = (pq.read_table(DATA / f"{name}.parquet") for name in ("reference", "flights"))
    print(f"PSI, median / highest over the windows of {days} day(s) that end in the month")
    print("month " + "".join(f"{name:>16}" for name in COLUMNS))
    for table in (reference, flights):
        found = {name: windows_psi(reference, table, name, days=days) for name in COLUMNS}
        for month in np.unique(found["score"][1]):
            cells = (values[ends == month] for values, ends in found.values())
            print(f"{month:5d} " + "".join(f"{np.median(cell):9.3f} /{cell.max():5.2f}" for cell in cells))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
