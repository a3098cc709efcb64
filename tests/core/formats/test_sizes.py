"""The bytes of a net, counted by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.errors import InputError
from core.formats import sizes
from core.formats.codec import CompactFile, encode
from core.formats.sizes import measure_sizes
from core.nets.layers import Layer

LAYERS = (Layer("conv", (1, 1, 10, 30), 300, 301), Layer("fc", (1, 100), 100, 101))
COMPACT = CompactFile("", {}, ())


def weights() -> dict[str, Any]:
    """One nonzero at the end of the convolution; two in the linear layer, 40 places apart."""
    conv, fc = torch.zeros(1, 1, 10, 30), torch.zeros(1, 100)
    conv[0, 0, 9, 29] = fc[0, 0] = fc[0, 40] = 1.0
    return {
        "conv.weight": conv,
        "fc.weight": fc,
        "conv.bias": torch.ones(1),
        "fc.bias": torch.ones(1),
    }


def test_values_count_four_bytes_for_each_nonzero_and_bias() -> None:
    assert measure_sizes(weights(), LAYERS, 402, lambda _: COMPACT).values == 4 * (3 + 2)


def test_a_gap_beyond_its_bits_costs_a_filler_zero() -> None:
    """300 places take 8 bits and a filler; the first takes none, and 40 take 5 bits and one."""
    bits = 2 * 32 + 2 * (32 + 8) + 3 * (32 + 5)
    assert measure_sizes(weights(), LAYERS, 402, lambda _: COMPACT).han2015 == -(-bits // 8)


def test_files_are_as_long_as_they_would_be_on_disk() -> None:
    measured = measure_sizes(weights(), LAYERS, 402, lambda _: COMPACT)
    assert measured.dense is not None
    assert measured.zip is not None
    assert 4 * 402 < measured.dense < 4 * 402 + 1_000
    assert measured.zip < measured.dense
    assert measured.compact == len(encode(COMPACT))


def test_a_net_no_compact_file_can_hold_has_its_other_sizes() -> None:
    def refuse(_: object) -> CompactFile:
        raise InputError("no compact file")

    measured = measure_sizes(weights(), LAYERS, 402, refuse)
    assert measured.compact is None
    assert measured.zip is not None


def test_a_large_net_has_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MAX_PARAMETERS", 401)
    measured = measure_sizes(weights(), LAYERS, 402, lambda _: COMPACT)
    assert measured.values == 20
    assert (measured.dense, measured.zip, measured.compact) == (None, None, None)
