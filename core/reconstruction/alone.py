"""Each layer of a net reconstructed alone, at several sparsities, as a sensitivity scan needs it.

A layer's inputs and outputs are those of the dense net, so its Gram matrices are added up once for
all sparsities. Layers that cannot be reconstructed are left to magnitude pruning, with a notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.data.batches import Images
from core.events import Notice, StopFlag, Stream, never, portions, within
from core.nets.layers import Layer, prunable_layers
from core.pruning.thresholds import pruned_by, threshold
from core.reconstruction.inputs import Uses, UsesChangedError, add_up, find_uses, refusal
from core.reconstruction.layers import in_blocks, own_bias, solve
from core.reconstruction.problems import Sums
from core.reconstruction.sequence import SAMPLE, solving_costs


@dataclass(frozen=True, eq=False)
class Packed:
    """A tensor whose zeros take a bit each."""

    values: Tensor
    bits: npt.NDArray[np.uint8]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, tensor: Tensor) -> Packed:
        """A tensor on the CPU, packed."""
        kept = tensor != 0
        return cls(tensor[kept], np.packbits(kept.numpy()), tuple(tensor.shape))

    def unpacked(self) -> Tensor:
        """The tensor again."""
        result = torch.zeros(self.shape, dtype=self.values.dtype)
        bits = np.unpackbits(self.bits, count=result.numel())
        result[torch.from_numpy(bits).bool().view(self.shape)] = self.values
        return result


@dataclass(frozen=True, eq=False)
class ReconstructedLayer:
    """The parameters of a layer at one sparsity; called, it gives them by name."""

    key: str
    weight: Packed
    bias: tuple[str, Tensor] | None
    device: torch.device

    def __call__(self) -> Mapping[str, Tensor]:
        """The weight, and the bias if it changes."""
        parameters = {self.key: self.weight.unpacked().to(self.device)}
        if self.bias is not None:
            name, values = self.bias
            parameters[name] = values
        return parameters


class LayersAlone:
    """Reconstructs layers of a net, which stays as it is, on a sample of training images.

    Args:
        net: the net, with its own weights whenever a layer is reconstructed.
        data: the training images.
        seed: of the sample.
        images: its size.
        stop: checked between batches and steps.
    """

    def __init__(
        self,
        net: nn.Module,
        data: Images,
        *,
        seed: int = 0,
        images: int = SAMPLE,
        stop: StopFlag = never,
    ) -> None:
        self._net, self._data, self._stop = net, data, stop
        self._generator = torch.Generator().manual_seed(seed)
        self._sample = torch.randperm(len(data), generator=self._generator)[:images]
        layers = prunable_layers(net)
        self._uses = find_uses(net, data.batch(slice(0, 2))[0], layers)
        self._number = {layer.name: number for number, layer in enumerate(layers, 1)}

    def cost(self, layer: Layer, points: int) -> float:
        """About how long it takes, in multiplications."""
        uses = self._uses.get(layer.name)
        if uses is None or refusal(layer, uses):
            return 0.0
        adding, solving = solving_costs(layer, uses)
        return adding + points * solving

    def __call__(
        self, layer: Layer, sparsities: Sequence[float]
    ) -> Stream[dict[float, ReconstructedLayer]]:
        """The layer at each sparsity that prunes it; raises StoppedError if `stop` is raised.

        Empty if it cannot be reconstructed.
        """
        uses = self._uses.get(layer.name)
        reason = refusal(layer, uses)
        if uses is not None and not reason:
            adding, *solving = portions(*self._costs(layer, uses, len(sparsities)))
            try:
                sums = yield from within(adding, self._sums(layer, uses))
            except UsesChangedError:
                reason = "the net uses it differently from batch to batch"
            else:
                if sums.finite():
                    found = dict[float, ReconstructedLayer]()
                    for sparsity, portion in zip(sparsities, solving, strict=True):
                        point = yield from within(portion, self._solve(layer, uses, sums, sparsity))
                        if point is not None:
                            found[sparsity] = point
                    return found
                reason = "its inputs or outputs are not all finite"
        yield Notice(f"{layer.name} is scanned pruned by magnitude: {reason}", warning=True)
        return {}

    def _costs(self, layer: Layer, uses: Uses, points: int) -> list[float]:
        adding, solving = solving_costs(layer, uses)
        return [adding, *[solving] * points]

    def _step(self, what: str, layer: Layer) -> str:
        return f"{what} {layer.name}, layer {self._number[layer.name]} of {len(self._number)}"

    def _sums(self, layer: Layer, uses: Uses) -> Stream[Sums]:
        return add_up(
            self._net,
            self._net,
            layer,
            uses,
            self._data,
            self._sample,
            self._generator,
            self._step("reconstructing", layer),
            self._stop,
        )

    def _solve(
        self, layer: Layer, uses: Uses, sums: Sums, sparsity: float
    ) -> Stream[ReconstructedLayer | None]:
        parameter = self._net.get_parameter(layer.key).detach()
        weight = parameter.cpu()
        kept = ~pruned_by(weight, threshold(weight, sparsity))
        if torch.equal(kept, weight != 0):
            return None  # nothing is pruned
        bias = own_bias(self._net, layer)
        solution = yield from solve(
            sums,
            in_blocks(weight.double(), uses.blocks),
            in_blocks(kept, uses.blocks),
            bias=bias is not None,
            step=self._step("choosing the weights of", layer),
            stop=self._stop,
        )
        values, change = solution.weight.reshape(weight.shape).float(), solution.bias_change
        changed = None
        if bias is not None and change is not None:
            name, before = bias
            changed = name, before.detach() + change.flatten().float().to(before.device)
        return ReconstructedLayer(layer.key, Packed.of(values), changed, parameter.device)
