"""Where a net multiplies by a layer's weight, and with what.

Seen by a torch dispatch mode, below autograd: there `nn.Linear`, `F.linear`, and the projections of
attention, packed or not, are all one matrix product, and convolutions name all of their settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from core.measure.operations import FACTORS
from core.nets.calls import EVALUATION, NetCall, evaluation_mode
from core.nets.layers import Layer

_aten = torch.ops.aten

_PRODUCTS = {_aten.mm, _aten.addmm}
"""Matrix products; the last two operands are the inputs and the transposed weight."""


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """One product with a layer's weight, or with some of its rows.

    Attributes:
        first: the first row of the weight that is used.
        rows: how many are used.
        inputs: [N, m], or [N, C, ...] of a convolution.
        outputs: the product without the bias: [N, rows], or [N, rows, ...].
        convolution: its settings; None for a matrix product.
    """

    layer: str
    first: int
    rows: int
    inputs: Tensor
    outputs: Tensor
    convolution: Convolution | None = None


class Convolution(NamedTuple):
    """The settings of a convolution, one number per dimension."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


class _EnoughSeen(BaseException):
    """Ends a net's forward; not an Exception, which the net's own code may catch."""


OnUse = Callable[[Use], bool]
"""Called with each use as it happens; returns whether the rest of the net need not run."""


def run_watched(
    net: nn.Module,
    run: Callable[[], object],
    layers: Sequence[Layer],
    on_use: OnUse,
    on_other: Callable[[str], object] = lambda _: None,
) -> None:
    """Run a net, or a part of it, in evaluation mode and report what uses its weights.

    `on_other` gets the names of layers whose weights are used in another way.
    """
    evaluation_mode(net)
    with torch.no_grad(), NetCall(EVALUATION), _plain_attention(), suppress(_EnoughSeen):
        watch = _Watch(_places(net, layers), on_use, on_other)
        with watch:
            run()


class _Place(NamedTuple):
    """Where a layer's weight lies in memory."""

    layer: Layer
    weight: Tensor

    def rows_of(self, tensor: Tensor) -> tuple[int, int] | None:
        """Which rows of the weight a tensor of its shape but for the rows is: first, number."""
        weight = self.weight
        if tensor.shape[1:] != weight.shape[1:] or tensor.stride() != weight.stride():
            return None
        before = int(tensor.storage_offset()) - int(weight.storage_offset())
        first, rest = divmod(before, int(weight.stride(0)))
        inside = not rest and first >= 0 and first + len(tensor) <= len(weight)
        return (first, len(tensor)) if inside else None

    def overlaps(self, tensor: Tensor) -> bool:
        """Whether a tensor in the same memory starts within the weight."""
        before = int(tensor.storage_offset()) - int(self.weight.storage_offset())
        return 0 <= before < self.weight.numel()


_Places = Mapping[int, Sequence[_Place]]
"""By their memory, which a net's code may share among several weights."""


def _places(net: nn.Module, layers: Sequence[Layer]) -> _Places:
    places: dict[int, list[_Place]] = {}
    for layer in layers:
        weight = net.get_parameter(layer.key).detach()
        places.setdefault(_memory(weight), []).append(_Place(layer, weight))
    return places


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


class _Watch(TorchDispatchMode):
    def __init__(self, places: _Places, on_use: OnUse, on_other: Callable[[str], object]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._places, self._on_use, self._on_other = places, on_use, on_other

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        operation = func.overloadpacket
        if operation in FACTORS:
            use = self._use(operation, args, result, scaled=bool(kwargs))
            if use is not None and self._on_use(use):
                raise _EnoughSeen
        return result

    def _use(
        self, operation: Any, args: Sequence[Any], result: Tensor, *, scaled: bool
    ) -> Use | None:
        """The use that an operation is, if it is one; `scaled` by factors, as addmm can be."""
        use = None
        if operation is _aten.convolution and not args[6]:
            use = self._convolution(args, result)
        elif operation in _PRODUCTS and not scaled:
            use = self._product(operation, args, result)
        if use is None:
            for tensor in args:
                if isinstance(tensor, Tensor) and (place := self._place(tensor)):
                    self._on_other(place.layer.name)
        return use

    def _place(self, tensor: Tensor) -> _Place | None:
        """The weight that a tensor is, or is a part of."""
        places = self._places.get(_memory(tensor), ())
        return next((place for place in places if place.overlaps(tensor)), None)

    def _convolution(self, args: Sequence[Any], result: Tensor) -> Use | None:
        inputs, weight, bias, stride, padding, dilation, _, _, groups = args
        place = self._place(weight)
        if place is None or place.rows_of(weight) != (0, len(place.weight)):
            return None
        dimensions = weight.dim() - 2
        convolution = Convolution(
            tuple(weight.shape[2:]),
            _each(stride, dimensions),
            _each(padding, dimensions),
            _each(dilation, dimensions),
            groups,
        )
        outputs = result if bias is None else result - bias.view(-1, *[1] * dimensions)
        return Use(place.layer.name, 0, len(weight), inputs, outputs, convolution)

    def _product(self, operation: Any, args: Sequence[Any], result: Tensor) -> Use | None:
        *bias, inputs, weight = args if operation is _aten.addmm else args[:2]
        place = self._place(weight)
        rows = place and place.rows_of(weight.t())
        if place is None or rows is None:
            return None
        outputs = result - bias[0] if bias else result
        return Use(place.layer.name, *rows, inputs, outputs)


def _each(values: Sequence[int], dimensions: int) -> tuple[int, ...]:
    """One number per dimension; torch may pass one for all."""
    return tuple(values) * (dimensions if len(values) == 1 else 1)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Attention as separate products, not as one fused operation, which hides its projections."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
