"""How good is the order in which items were shown: metrics of every query, exactly, from the rows themselves.

A query has the hashes of its items, best first, (rows, places), and the judged items, (rows, judged), with their
relevance; an item of 0 is none. An item is relevant when its relevance is above zero; an item that is not judged is
not relevant, one that is shown twice counts where it stands first. A query without relevant items says nothing of
the order: NaN in every metric. An empty list has found nothing: 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Ranks:
    """Metrics of every query, all (rows,) in [0, 1], NaN without relevant items; K is the number of places.

    ndcg: discounted gain over that of the best order; gain is the relevance, the discount 1 / log2(place + 1)
        (Järvelin and Kekäläinen, 2002; as scikit-learn).
    mrr: one over the place of the first relevant item, 0 where none of the K is.
    map: mean over the relevant items, at most K of them, of the precision at their places, 0 for those not shown.
    hit_rate: 1 where a relevant item is among the K.
    """

    ndcg: Floats
    mrr: Floats
    map: Floats
    hit_rate: Floats


def ranks(items: Hashes, judged: Hashes, relevance: NDArray[np.floating]) -> Ranks:
    """Judge every query: items (rows, places), judged and relevance (rows, judged)."""
    places = items.shape[1]
    worth = np.where((judged != 0) & (relevance > 0), relevance, 0).astype(np.float64)
    relevant = np.count_nonzero(worth, axis=1)
    gains = _gains(items, judged, worth)
    hits = gains > 0
    order = np.arange(1, places + 1)
    discount = 1 / np.log2(order + 1.0)
    best = -np.sort(-worth, axis=1)[:, :places]
    ideal = best @ discount[: best.shape[1]]
    known = relevant > 0
    found = hits.any(axis=1)
    precision = np.where(hits, np.cumsum(hits, axis=1) / order, 0.0).sum(axis=1)
    return Ranks(
        ndcg=np.where(known, gains @ discount / np.where(known, ideal, 1.0), np.nan),
        mrr=np.where(known, np.where(found, 1 / (hits.argmax(axis=1) + 1.0), 0.0), np.nan),
        map=np.where(known, precision / np.clip(relevant, 1, places), np.nan),
        hit_rate=np.where(known, found, np.nan),
    )


def _gains(items: Hashes, judged: Hashes, worth: Floats) -> Floats:
    """(rows, places) the relevance of what stands there, 0 for an item that was shown before."""
    gains = np.zeros(items.shape)
    # Place by place: all at once would need rows × places × judged bytes.
    for place in range(items.shape[1]):
        item = items[:, place]
        repeated = (items[:, :place] == item[:, None]).any(axis=1)
        gain = np.where(judged == item[:, None], worth, 0.0).max(axis=1, initial=0.0)
        gains[:, place] = np.where(repeated | (item == 0), 0.0, gain)
    return gains
