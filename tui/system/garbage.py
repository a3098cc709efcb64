"""Imports without the garbage collector, which would scan their modules again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Turn the collector off; from the end on it skips all objects that exist by then.

    It stops every thread while it scans.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
