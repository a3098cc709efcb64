"""The format is stable: the golden file is decoded and encoded bit for bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.formats.codec import Codebook, CompactFile, Entry, Raw, Steps, Tied, decode, encode
from tests.core.formats.codec.files import assert_same

GOLDEN = """
f746570183d309fb47ee655ed48b16909435c36959b0ba0d07482d44db39460b00b6c225c1ca855ac6bf2d1dcb3e58e6
0b059b21f8f75e1efac6b3338c049490ad813b384385a6aab32bd03b014473af3eed8205032ef5f45bb23ca943cd8682
935591c8d254f6d3fd47f89ff935d7b80024fd34b0de2ec929a4f0602090f1dd7f12777f180943eb50047f8efc832a14
826c1feb62a6d10545ecdb46ec0106a0c3448be44f04586b5d0f7c49577d2b4a78b8fc8a6fa7bbd5de79f0488b67f67b
b15a52c29a97936403127824750b9a1c9b834926e299ac8577980b3ee72c5cdd098cd2d1f069f2b78f8495114cd9784a
060cec0e56082115f655ac9b532691f3ce1230c018a8278871a79458534bc4be3fa4370062eb5887e2abb5920001bd2e
6cdce6cea68636f9ea29965de41ec83ac5a64940c4c466e6eb8c7227c16bfcf1db7f8f70db65d68457aca5d874970e94
c575ed51408fef
"""


def scattered(count: int, among: int) -> NDArray[np.int64]:
    """Deterministic, random-looking integers below `among`."""
    return np.arange(1, count + 1, dtype=np.int64) * 2654435761 % 4294967296 // 65536 % among


def file() -> CompactFile:
    """A file with every kind of tensor."""
    book = np.array([-1.5, -0.5, 0.25, 2.0], np.float32)
    codes = np.maximum(scattered(216, 13) - 8, 0).astype(np.int16).reshape(6, 4, 3, 3)
    order = sorted(range(6), key=lambda o: tuple(codes[o].reshape(-1) != 0), reverse=True)
    steps = (np.maximum(scattered(432, 40) - 20, 0) * (1 - 2 * scattered(432, 2))).astype(np.int32)
    words = np.where(scattered(40, 3) == 0, scattered(40, 1 << 31), 0).astype(np.uint32)
    return CompactFile(
        "",
        (
            Entry("conv.weight", (6, 4, 3, 3), Codebook("bfloat16", book, codes[order])),
            Entry("conv.bias", (6,), Steps(0.125, np.array([0, 3, -1, 0, 15, -40], np.int32))),
            Entry("norm.count", (), Raw("int64", np.array(2**64 - 2, np.uint64))),
            Entry("fc.weight", (8, 54), Steps(0.1015625, steps.reshape(8, 54))),
            Entry("head.weight", (5, 8), Raw("float32", words.reshape(5, 8))),
            Entry("head.copy", (5, 8), Tied("head.weight")),
            Entry("head.mask", (3,), Raw("bool", np.array([1, 0, 1], np.uint8))),
        ),
        {"dataset": "mnist", "ratio": 36.88},
    )


def test_the_golden_bytes_decode_to_the_file() -> None:
    assert_same(decode(bytes.fromhex(GOLDEN)), file())


def test_the_file_encodes_to_the_golden_bytes() -> None:
    assert encode(file()) == bytes.fromhex(GOLDEN)
