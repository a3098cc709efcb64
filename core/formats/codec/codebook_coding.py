"""The values that the elements of a tensor share: codebooks and steps."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.formats.codec.coder.stream import Stream
from core.formats.codec.compact import DTYPES

MAX_VALUES = 256


def code_codebook(
    stream: Stream, dtype: str, values: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Code a codebook: its values as ascending integers, each by its distance from the one before.

    Raises:
        InputError: the stream does not hold a valid codebook.
    """
    kind = DTYPES[dtype]
    words = words_of(values, dtype) if values is not None else np.zeros(0, kind.words)
    sign = 1 << (kind.bits - 1)
    infinity = ((1 << kind.exponent) - 1) << kind.mantissa
    below = [int(word) - sign for word in words if word >= sign][::-1]
    above = [int(word) for word in words if word < sign]
    # Magnitudes ascend as the bits of floating-point numbers do.
    label = f"codebook of {dtype}"
    below = _rising(stream, f"{label}, below", below)
    above = _rising(stream, f"{label}, above", above)
    if not 0 < len(below) + len(above) <= MAX_VALUES or max(below + above) >= infinity:
        raise InputError("a codebook has no values, too many, or values that are not finite")
    ordered = [word + sign for word in reversed(below)] + above
    return floats(np.array(ordered, kind.words), dtype)


def _rising(stream: Stream, label: str, words: list[int]) -> list[int]:
    """Code ascending positive integers."""
    count = stream.number("size of a codebook", len(words), MAX_VALUES)
    coded, last = [], 0
    for k in range(count):
        delta = words[k] - last - 1 if words else 0
        last += 1 + stream.number(f"{label}, {'next' if k else 'first'}", delta, 1 << 31)
        coded.append(last)
    return coded


def code_step(stream: Stream, step: float) -> float:
    """Code a positive float32, in fewer bits if it is a bfloat16."""
    word = int(np.float32(step).view(np.uint32))
    top = stream.number("step", word >> 16, 0xFFFF)
    fine = stream.number("rest of a step", word & 0xFFFF, 0xFFFF)
    return float(np.uint32(top << 16 | fine).view(np.float32))


def floats(words: NDArray[np.unsignedinteger], dtype: str) -> NDArray[np.float32]:
    """The float32 values of bits in `dtype`."""
    if dtype == "bfloat16":
        return (words.astype(np.uint32) << 16).view(np.float32)
    return words.view(np.float16 if dtype == "float16" else np.float32).astype(np.float32)


def words_of(values: NDArray[np.float32], dtype: str) -> NDArray[Any]:
    """The bits in `dtype` of values exact in it."""
    words_type = DTYPES[dtype].words
    if dtype == "bfloat16":
        return (values.view(np.uint32) >> 16).astype(np.uint16)
    with np.errstate(over="ignore"):
        return values.astype(np.float16 if dtype == "float16" else np.float32).view(words_type)
