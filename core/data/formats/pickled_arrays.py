"""Arrays in a pickle, read by an unpickler that creates only arrays and plain values."""

import pickle
from gzip import GzipFile
from typing import IO, Any

import numpy as np

_RECONSTRUCT = np.empty(0).__reduce__()[0]

_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,  # its name in NumPy 1
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
}


class _ArrayUnpickler(pickle.Unpickler):
    """Looks up only what an array consists of."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"refused {module}.{name}: only arrays are allowed")
        return _ALLOWED[module, name]


def unpickle(stream: IO[bytes] | GzipFile) -> Any:
    """Read a pickle of Python 2 or 3; raises UnpicklingError for other than arrays."""
    return _ArrayUnpickler(stream, encoding="latin1").load()
