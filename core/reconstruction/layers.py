"""One layer: the support and the values that keep its output best, never worse than magnitude's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core.events import StopFlag, Stream, never
from core.nets.layers import Layer, bias_key
from core.reconstruction.least_squares import fit
from core.reconstruction.problems import Sums
from core.reconstruction.support import admm, largest, thinned_out, thinning_cost

DAMPING = 3e-3
"""Penalty on the distance from the dense weights, relative to the mean square of the inputs.

A third or three times as much is as good: mean validation accuracy 98.50 and 98.50 % instead of
98.49, over four nets and three samples (tests/benchmarks/README.md).
"""

_WIDER, _THINNING = 1.5, 1e9
"""How much wider the support to thin out is, and most multiplications for it: a few seconds."""


@dataclass(frozen=True, eq=False)
class Solution:
    """A pruned layer, and the error of its output over all rows, as fractions of its energy.

    Attributes:
        weight: [blocks, out, m], exactly zero where pruned.
        bias_change: [blocks, out]; None if the bias stays, or there is none.
        magnitude: the error of magnitude pruning with as many weights.
        error: the error of `weight`; at most `magnitude`.
    """

    weight: Tensor
    bias_change: Tensor | None
    magnitude: float
    error: float


def solve(
    sums: Sums,
    weight: Tensor,
    by_magnitude: Tensor,
    bias: bool,
    step: str = "reconstructing",
    stop: StopFlag = never,
) -> Stream[Solution]:
    """Prune a layer as far as magnitude does; raises StoppedError if `stop` is raised.

    Args:
        sums: of its inputs now and its dense outputs.
        weight: the dense weights [blocks, out, m] in float64.
        by_magnitude: the weights that magnitude keeps, booleans of the same shape; as many are
            kept, and none that is zero already.
        bias: whether the layer has one, which is then fitted too.
        step: what the progress is of.
        stop: the stop flag.
    """
    used = sums.used()
    number = int(by_magnitude.sum())
    some = sums.only(used)
    start, first = weight[..., used], by_magnitude[..., used]
    solution = yield from _solve(some, start, first, number, bias, step, stop)
    if bool(used.all()):
        return solution
    # Weights of inputs that are always zero change no output; the largest make up the number.
    result = torch.zeros_like(weight)
    result[..., used] = solution.weight
    free = (weight * ~used).abs()
    left = min(number - int(result.count_nonzero()), int(free.count_nonzero()))
    result += weight * largest(free, left)
    return replace(solution, weight=result)


def _solve(
    sums: Sums,
    weight: Tensor,
    by_magnitude: Tensor,
    number: int,
    bias: bool,
    step: str,
    stop: StopFlag,
) -> Stream[Solution]:
    """As `solve`, where ADMM may keep `number` weights; magnitude's support may have fewer."""
    plain = sums.problem()
    problem = sums.centered() if bias else plain
    damped = problem.damped(weight, DAMPING)
    pruned = weight * by_magnitude
    magnitude = plain.error(pruned)
    best, least = pruned, magnitude
    fitted = False
    allowed = weight != 0
    number = min(number, int(allowed.sum()))
    supports = [by_magnitude]
    if 0 < number < int(allowed.sum()):
        scores = yield from admm(damped, weight, number, allowed, step, stop)
        supports.append(largest(scores, number))
        wide = largest(scores, min(int(_WIDER * number), int(allowed.sum())))
        if thinning_cost(wide) <= _THINNING:
            supports.append(thinned_out(damped, wide, number))
    elif number > int(by_magnitude.sum()):
        supports.append(allowed)
    for kept in supports:
        values = fit(damped, kept, weight)
        error = problem.error(values.float().double())
        if error < least:
            best, least, fitted = values, error, True
    change = sums.bias_change(best) if bias and fitted else None
    energy = plain.energy or 1.0
    return Solution(best, change, max(0.0, magnitude) / energy, max(0.0, least) / energy)


def in_blocks(weight: Tensor, blocks: int) -> Tensor:
    """A weight [out, ...] as [blocks, out of the block, m]."""
    return weight.reshape(blocks, len(weight) // blocks, -1)


def own_bias(net: nn.Module, layer: Layer) -> tuple[str, nn.Parameter] | None:
    """The bias of a layer, and its name, if no other layer has it; a tied weight has several."""
    named, key = dict(net.named_parameters(remove_duplicate=False)), bias_key(layer.key)
    bias = named.get(key)
    if bias is None or layer.aliases or bias.shape != layer.shape[:1]:
        return None
    return (key, bias) if sum(other is bias for other in named.values()) == 1 else None
