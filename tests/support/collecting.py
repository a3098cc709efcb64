"""What a fresh checkout costs before the first test, paid once instead of by every worker.

Pytest rewrites each test module, and numba compiles the coder of compact files. Both keep what they
made on disk, but workers that start together would all make all of it.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from pathlib import Path

TESTS = Path(__file__).parents[1]


def make_share(worker: int, workers: int) -> None:
    """Make one worker's share: the first compiles, the others import test modules in turns."""
    if worker == 0:
        _compile_coder()
    else:
        for path in sorted(TESTS.rglob("test_*.py"))[worker - 1 :: workers - 1]:
            with suppress(Exception):  # collecting imports it again and tells
                import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))


def _compile_coder() -> None:
    """Compile all that encoding and decoding use, for codes and for plain numbers."""
    from core.formats.codec import decode, encode
    from tests.core.formats.codec.files import nets

    for net in nets().values():
        decode(encode(net))
