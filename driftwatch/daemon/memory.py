"""How the C library keeps freed memory: handed back to the system, so that one large body does not count for ever.

By default glibc keeps up to eight arenas a core and raises its thresholds with every large block that is freed; decoded
bodies of a few megabytes from several threads then leave 80 to 120 MiB behind (measured under a flood of such bodies).
"""

import ctypes
import gc

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Parameters of mallopt(3)."""
_LARGE_BYTES = 1 << 20
_ARENAS = 2
_YOUNG_OBJECTS = 20_000


def hand_back_memory() -> bool:
    """Tell the allocator to use few arenas and to return large blocks at once; False where it is not glibc's."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = {_ARENA_MAX: _ARENAS, _MMAP_THRESHOLD: _LARGE_BYTES, _TRIM_THRESHOLD: _LARGE_BYTES}
    taken = [mallopt(parameter, value) for parameter, value in settings.items()]
    return all(taken)


def collect_less_often() -> None:
    """Take what has been built out of the garbage collection, and look for cycles among more objects at a time.

    Decoded events are no cycles, but there are hundreds of them at once, and every 700 new objects the collector would
    look at them again: a tenth of the time of decoding.
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 10, 10)
