"""Convolutions in int8, as a coarse but fast way to compute logits on processors without bf16.

Inputs are rounded to 256 levels from the smallest to the largest of a batch, the weights of each
output channel to 255 (Jacob et al. 2018, "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", section 2), and sums are exact, then float32. That
takes oneDNN a quarter of the time where the processor multiplies int8 (Intel's and AMD's VNNI);
elsewhere its products saturate, so it is not used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

FEWEST_INPUTS, FEWEST_OUTPUTS = 16, 16
"""Convolutions of fewer weights per output, or of fewer outputs, are no faster in int8."""

_LEVELS, _LARGEST = 255, 127
"""Of an input, an unsigned byte; and of a weight, a signed one."""

_CHUNK = 1 << 18
"""Values rounded at once: they stay in a core's cache."""

_LEAST = 1e-30
"""The least step between two levels."""


def is_fast_here() -> bool:
    """Whether torch computes convolutions of int8 on this processor, and the processor is fast."""
    operations = ("qconv_prepack", "qconv_pointwise")
    known = all(hasattr(torch.ops.onednn, name) for name in operations)
    return known and torch.backends.mkldnn.is_available() and _has_vnni()


def is_faster(weight: Tensor) -> bool:
    """Whether convolutions with this weight [out, in, height, width] are faster in int8."""
    if weight.dim() != 4:
        return False
    return weight.shape[0] >= FEWEST_OUTPUTS and prod(weight.shape[1:]) >= FEWEST_INPUTS


class Int8Convolutions(TorchFunctionMode):
    """A context in which convolutions of float32 tensors on the CPU are computed in int8.

    It can be entered again and again.

    Args:
        unchanging: inputs that nobody overwrites: they are rounded once.

    Attributes:
        used: how many convolutions have been computed in int8.
    """

    def __init__(self, unchanging: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.used = 0
        self._unchanging = {id(values): values for values in unchanging}
        self._rounded: dict[int, _Rounded | None] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """One call of torch from Python."""
        if func is torch.conv2d:
            coarse = self._convolution(*args, **(kwargs or {}))
            if coarse is not None:
                self.used += 1
                return coarse
        return func(*args, **(kwargs or {}))

    def _convolution(
        self,
        input: Tensor,  # noqa: A002  torch's name
        weight: Tensor,
        bias: Tensor | None = None,
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
    ) -> Tensor | None:
        """The convolution; None if it has to be computed as it is."""
        usual = input.dim() == 4 and groups == 1
        kinds = {input.dtype, weight.dtype} == {torch.float32} and input.device.type == "cpu"
        if isinstance(padding, str) or not (usual and kinds and len(input) and is_faster(weight)):
            return None
        settings = [_pair(stride), _pair(padding), _pair(dilation)]
        rounded = self._round(input)
        scales = weight.detach().abs().amax((1, 2, 3)) / _LARGEST
        if rounded is None or not bool(scales.isfinite().all()):
            return None
        step, zero = rounded.step, rounded.zero
        scales = scales.clamp_min(_LEAST)
        levels = (weight.detach() / scales[:, None, None, None]).round_().to(torch.int8)
        operations, shape = torch.ops.onednn, list(input.shape)
        packed = operations.qconv_prepack(levels, scales, step, zero, *settings, 1, shape)
        zeros = torch.zeros(len(scales), dtype=torch.int32)
        result: Tensor = operations.qconv_pointwise(
            rounded.levels, step, zero, packed, scales, zeros, bias, *settings, 1,
            1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        by_channel = input.is_contiguous(memory_format=torch.channels_last)
        return result if by_channel else result.contiguous()

    def _round(self, values: Tensor) -> _Rounded | None:
        if id(values) not in self._unchanging:
            return _rounded(values)
        if id(values) not in self._rounded:
            self._rounded[id(values)] = _rounded(values)
        return self._rounded[id(values)]


@dataclass(frozen=True, slots=True, eq=False)
class _Rounded:
    """An input [N, C, height, width] as levels from 0 to 255: `step` apart, `zero` is 0."""

    levels: Tensor
    step: float
    zero: int


def _rounded(values: Tensor) -> _Rounded | None:
    """An input rounded to levels; None if a value is not finite."""
    rows = values.permute(0, 2, 3, 1).contiguous()
    low, high = (float(end) for end in rows.aminmax())
    if not -torch.inf < low <= high < torch.inf:
        return None
    low, high = min(low, 0.0), max(high, 0.0)
    step = max((high - low) / _LEVELS, _LEAST)
    zero = round(-low / step)
    return _Rounded(_levels(rows, step, zero).permute(0, 3, 1, 2), step, zero)


def _levels(values: Tensor, step: float, zero: int) -> Tensor:
    """Values [N, height, width, C] as levels from 0 to 255, a part at a time."""
    levels = torch.empty(values.shape, dtype=torch.int8)
    middle = torch.tensor(zero - 128.0)
    for some, into in zip(
        values.flatten().split(_CHUNK), levels.flatten().split(_CHUNK), strict=True
    ):
        into.copy_(torch.add(middle, some, alpha=1.0 / step).round_())
    # Signed bytes first: torch converts to unsigned ones at less than half the speed.
    return levels.view(torch.uint8).bitwise_xor_(128)


def _has_vnni() -> bool:
    check = getattr(torch.cpu, "_is_vnni_supported", None)
    return bool(check and check())


def _pair(value: int | Sequence[int]) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value) * (2 // len(value))
