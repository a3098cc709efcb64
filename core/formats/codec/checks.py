"""Whether a net can be stored in a compact file, checked before a byte is written."""

import numpy as np

from core.errors import InputError
from core.formats.codec.codebook_coding import MAX_VALUES, floats, words_of
from core.formats.codec.compact import (
    CODEBOOK_DTYPES,
    DTYPES,
    MAX_STEPS,
    Codebook,
    CompactFile,
    Entry,
    Raw,
    Steps,
    Tied,
)
from core.formats.codec.header import MAX_DIMENSIONS, MAX_SIDE
from core.nets.zoo import ZOO


def check_file(file: CompactFile) -> None:
    """Raise InputError if `file` is inconsistent or a tensor exceeds a limit of the format."""
    if file.model and file.model not in ZOO:
        known = ", ".join(ZOO)
        raise InputError(f"unknown model '{file.model}': expected one of {known}, or '' for others")
    before: dict[str, Entry] = {}
    for entry in file.entries:
        try:
            _check_entry(entry, before)
        except InputError as error:
            message = f"'{entry.name}' cannot be stored in a compact file: {error}"
            raise InputError(message) from error
        before[entry.name] = entry


def _check_entry(entry: Entry, before: dict[str, Entry]) -> None:
    if entry.name in before or "\n" in entry.name:
        raise InputError("its name contains a line break or is used twice")
    if len(entry.shape) > MAX_DIMENSIONS or any(not 0 <= n <= MAX_SIDE for n in entry.shape):
        limits = f"at most {MAX_DIMENSIONS} dimensions of at most {MAX_SIDE}"
        raise InputError(f"its shape is {entry.shape}, expected {limits}")
    match entry.values:
        case Raw(dtype, words):
            _check_type(dtype, tuple(DTYPES))
            _check_array(words, entry.shape, DTYPES[dtype].words)
            if dtype == "bool" and words.size and words.max() > 1:
                raise InputError("a bool is neither 0 nor 1")
        case Codebook(dtype, values, codes):
            _check_type(dtype, CODEBOOK_DTYPES)
            _check_array(codes, entry.shape, np.dtype(np.int16))
            _check_codebook(values, dtype)
            _check_range(codes, 0, values.size)
        case Steps(step, codes):
            _check_array(codes, entry.shape, np.dtype(np.int32))
            _check_range(codes, -MAX_STEPS, MAX_STEPS)
            if not (np.isfinite(step) and step > 0 and float(np.float32(step)) == step):
                raise InputError(f"its step is {step}, expected a positive float32")
            if not np.isfinite(np.float32(step) * np.float32(MAX_STEPS)):
                raise InputError(f"its step is {step}, expected one whose multiples are finite")
        case Tied(to):
            _check_tied(entry, before.get(to))


def _check_tied(entry: Entry, to: Entry | None) -> None:
    if to is None or isinstance(to.values, Tied) or to.shape != entry.shape:
        raise InputError("it is tied to another tensor: expected an earlier one of the same shape")


def _check_type(dtype: str, known: tuple[str, ...]) -> None:
    if dtype not in known:
        raise InputError(f"its type is {dtype}, expected one of {', '.join(known)}")


def _check_array(array: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise InputError(f"its array is {array.dtype} {array.shape}, expected {dtype} {shape}")


def _check_range(codes: np.ndarray, minimum: int, maximum: int) -> None:
    if codes.size and not (minimum <= codes.min() and codes.max() <= maximum):
        actual = f"{codes.min()} to {codes.max()}"
        raise InputError(f"its codes range from {actual}, expected {minimum} to {maximum}")


def _check_codebook(values: np.ndarray, dtype: str) -> None:
    if values.dtype != np.float32 or values.ndim != 1 or not 1 <= values.size <= MAX_VALUES:
        raise InputError(f"its codebook is not a list of 1 to {MAX_VALUES} float32 values")
    if not np.isfinite(values).all() or (values == 0).any() or (np.diff(values) <= 0).any():
        raise InputError("the values of its codebook are not finite, nonzero and ascending")
    if (floats(words_of(values, dtype), dtype) != values).any():
        raise InputError(f"the values of its codebook are not exact in {dtype}")
