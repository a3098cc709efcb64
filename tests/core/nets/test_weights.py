"""A digest tells weights apart by any bit, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from core.nets.weights import Weights, weights_digest


def some() -> Weights:
    return {"fc.weight": torch.arange(6.0).reshape(2, 3), "fc.bias": torch.zeros(2)}


def rename(weights: Weights) -> None:
    weights["other"] = weights.pop("fc.bias")


def reshape(weights: Weights) -> None:
    weights["fc.weight"] = weights["fc.weight"].reshape(3, 2)


def retype(weights: Weights) -> None:
    weights["fc.bias"] = weights["fc.bias"].to(torch.int32)


def nudge(weights: Weights) -> None:
    weights["fc.weight"][1, 2] = torch.tensor(5.0).nextafter(torch.tensor(6.0))


def negate_zero(weights: Weights) -> None:
    weights["fc.bias"][0] = -0.0


def add(weights: Weights) -> None:
    weights["none"] = torch.empty(0)


@pytest.mark.parametrize("change", [rename, reshape, retype, nudge, negate_zero, add])
def test_any_change_of_a_weight_changes_the_digest(change: Callable[[Weights], None]) -> None:
    weights = some()
    change(weights)
    assert weights_digest(weights) != weights_digest(some())


def test_a_digest_is_sixteen_digits_that_never_change() -> None:
    assert weights_digest(some()) == "3568b787805f9618"


def test_order_and_layout_of_tensors_do_not_change_the_digest() -> None:
    spread = {"fc.bias": torch.zeros(2, 2)[:, 0], "fc.weight": some()["fc.weight"].T.contiguous().T}
    assert not any(tensor.is_contiguous() for tensor in spread.values())
    assert weights_digest(spread) == weights_digest(some())


@pytest.mark.parametrize("dtype", [torch.bool, torch.bfloat16, torch.float16, torch.int64])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 2)])
def test_tensors_of_any_type_and_shape_have_a_digest(
    dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    ones, zeros = torch.ones(shape, dtype=dtype), torch.zeros(shape, dtype=dtype)
    same = weights_digest({"it": ones}) == weights_digest({"it": zeros})
    assert same == (not ones.numel())
