"""The operations of a net that multiply: by which factors, and how many multiplications.

These are operations as a torch dispatch mode sees them: below autograd, where `nn.Linear`,
`F.linear` and attention's projections are all one matrix product.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

_aten = torch.ops.aten

_RELUS = {
    _aten.relu, _aten.relu_, _aten.clamp_min, _aten.clamp_min_, _aten.threshold, _aten.threshold_,
    _aten.hardtanh, _aten.hardtanh_,
}  # fmt: skip
"""Operations that produce zeros: ReLU and ReLU6 in every form that reaches the dispatcher."""

LOOKUPS = {_aten.embedding: (0, 1), _aten._embedding_bag: (0, 1),
           _aten._embedding_bag_forward_only: (0, 1)}  # fmt: skip
"""Operations that copy weights, with the positions of weight and indices: no multiplications."""

PRODUCTS = {
    _aten.mm: (0, 1), _aten.bmm: (0, 1), _aten.convolution: (0, 1), _aten._trilinear: (0, 1),
    _aten.addmm: (1, 2), _aten.addmm_: (1, 2), _aten.addbmm: (1, 2), _aten.addbmm_: (1, 2),
    _aten.baddbmm: (1, 2), _aten.baddbmm_: (1, 2),
}  # fmt: skip
"""Products of matrices, and convolutions, with the positions of the factors."""

VECTOR_PRODUCTS = {
    _aten.mv: (0, 1), _aten.addmv: (1, 2), _aten.addmv_: (1, 2), _aten.dot: (0, 1),
    _aten.vdot: (0, 1),
}  # fmt: skip
"""Products with vectors, with the positions of the factors."""

_SCALINGS = {_aten.mul: (0, 1), _aten.mul_: (0, 1)}
"""Products element by element; only those with a prunable weight count."""

FACTORS = LOOKUPS | PRODUCTS | VECTOR_PRODUCTS | _SCALINGS
"""Every operation that may use a prunable weight, with the positions of its two operands."""

UNWEIGHTED = PRODUCTS | VECTOR_PRODUCTS
"""Operations that count without a prunable weight, too."""

ADDITIVE = {
    _aten.add, _aten.add_, _aten.sub, _aten.sub_, _aten.rsub, _aten.cat, _aten.stack, _aten.where,
    _aten.copy_, _aten.index, _aten.index_select, _aten.gather,
}  # fmt: skip
"""Operations that use the values of a weight without multiplying by them."""

WITHOUT_BIAS = {_aten.mm, _aten.bmm, _aten._trilinear}
"""Products to which torch adds the bias afterwards, if there is one."""

ADDITIONS = {_aten.add, _aten.add_}
"""What it adds it with."""

FUSED_LSTM = _aten.mkldnn_rnn_layer
"""One direction of one layer of an LSTM, over all time steps."""

SLICING = _aten.unbind
"""Cuts a tensor into slices, such as a sequence into its time steps."""


def is_relu(operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether an operation is a ReLU, perhaps written as a clamp."""
    if operation not in (_aten.clamp, _aten.clamp_):
        return operation in _RELUS
    least = args[1] if len(args) > 1 else kwargs.get("min")
    return isinstance(least, int | float) and least == 0


def is_attention(operation: Any) -> bool:
    """Whether an operation is scaled dot-product attention, whichever the kernel."""
    return str(operation).startswith(("aten._scaled_dot_product", "flex_attention"))


def creates(operation: Any) -> bool:
    """Whether an operation takes only shape and type from a tensor, such as `zeros_like`."""
    name = str(operation).removeprefix("aten.")
    return name.startswith("new_") or name.endswith("_like")


def attention_macs(query: Tensor, key: Tensor, value: Tensor) -> int:
    """The multiplications of the attention of `query` [..., S, E], `key` [..., T, E] and `value`.

    Those of QK^T, and of its softmax with V; a mask saves none, as in torch's own counter.
    """
    scores = query.numel() // query.shape[-1] * key.shape[-2]
    return scores * (query.shape[-1] + value.shape[-1])


def _factors(operation: Any, args: Sequence[Any]) -> tuple[Tensor, Tensor]:
    first, second = FACTORS[operation]
    return args[first], args[second]


def macs(operation: Any, args: Sequence[Any], result: Tensor) -> int:
    """The multiplications of an operation of `FACTORS`, zeros included."""
    if operation in LOOKUPS:
        return 0
    if operation in _SCALINGS:
        return result.numel()
    first, second = _factors(operation, args)
    if operation is _aten.convolution:
        transposed = args[6]
        return (first if transposed else result).numel() * prod(second.shape[1:])
    if operation is _aten._trilinear:
        return result.numel() * prod(second.shape[1:])
    return first.numel() * (second.shape[-1] if second.dim() > 1 else 1)
