"""Each layer of a net reconstructed alone, at several sparsities, as a sensitivity scan needs it.

A layer's inputs and outputs are those of the dense net, so its Gram matrices are added up once for
all sparsities, unless its inputs are so many that they are solved in parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.data.batches import Images
from core.events import Notice, StopFlag, Stream, never, portions, within
from core.measure.recalibration import SAMPLE_SEED
from core.nets.layers import Layer, prunable_layers
from core.pruning.thresholds import pruned_by, threshold
from core.reconstruction.activations import MOST_BYTES, Activations, cut_net, drawn, sample_size
from core.reconstruction.inputs import Half, Part, UnsuitableError, Uses, add_up, find_uses
from core.reconstruction.layers import in_blocks, own_bias
from core.reconstruction.parts import SumsOf, solve_parts
from core.reconstruction.problems import Sums
from core.reconstruction.scanned.packed import Packed
from core.reconstruction.tasks import Task, tasks_of


@dataclass(frozen=True, eq=False)
class ReconstructedLayer:
    """The parameters of a layer at one sparsity; called, it gives them by name."""

    key: str
    weight: Packed
    bias: tuple[str, Tensor] | None
    device: torch.device

    def __call__(self) -> Mapping[str, Tensor]:
        """The weight, and the bias if it changes."""
        weight = {self.key: self.weight.unpacked().to(self.device)}
        return weight | (dict([self.bias]) if self.bias else {})


class LayersAlone:
    """Reconstructs layers of a net, which stays as it is, on a sample of training images.

    Args:
        net: the net, with its own weights and statistics whenever a layer is reconstructed.
        data: the training images.
        seed: of the sample.
        stop: checked between batches and steps.
    """

    def __init__(
        self, net: nn.Module, data: Images, *, seed: int = SAMPLE_SEED, stop: StopFlag = never
    ) -> None:
        self._net, self._data, self._stop = net, data, stop
        self._seed, self._generator = seed, torch.Generator().manual_seed(seed)
        self.images = sample_size(data)
        self._batches = drawn(data, self.images, self._generator)
        self._some, _ = data.batch(torch.arange(3) % len(data))
        self._layers = prunable_layers(net)
        found = find_uses(net, self._some, self._layers)
        tasks = tasks_of(self._layers, found, self.images)
        self._tasks = {task.layer.name: task for task in tasks}
        self._half: Half | None = None
        self._reached = 0

    def cost(self, layer: Layer, points: int) -> float:
        """About how long it takes, in multiplications."""
        task = self._tasks[layer.name]
        if task.refusal:
            return 0.0
        reaching, adding, solving = task.costs
        return reaching + adding + points * solving

    def __call__(
        self, layer: Layer, sparsities: Sequence[float]
    ) -> Stream[dict[float, ReconstructedLayer]]:
        """The layer at each sparsity that prunes it; raises StoppedError if `stop` is raised.

        Empty, after a notice, if it cannot be reconstructed: prune it by magnitude.
        """
        task = self._tasks[layer.name]
        reason = task.refusal
        if task.uses is not None and not reason:
            try:
                return (yield from self._every(task, task.uses, sparsities))
            except UnsuitableError as error:
                reason = str(error)
        yield Notice(f"{layer.name} is scanned pruned by magnitude: {reason}", warning=True)
        return {}

    def _every(
        self, task: Task, uses: Uses, sparsities: Sequence[float]
    ) -> Stream[dict[float, ReconstructedLayer]]:
        reaching, adding, solving = task.costs
        reach, add, *solve = portions(reaching, adding, *[solving] * len(sparsities))
        half = yield from within(reach, self._reach(task))
        self._generator.manual_seed(self._seed + task.number)  # whichever layers were before
        rows, found = self._generator.get_state(), dict[float, ReconstructedLayer]()
        shared: Sums | None = None

        def sums_of(part: Part) -> Stream[Sums]:
            if shared is not None:
                return shared
            self._generator.set_state(rows)
            step = task.step("adding up inputs")
            return (
                yield from add_up(
                    half, half, task.layer, uses, part, self._generator, step, self._stop
                )
            )

        if len(uses.parts) == 1:
            shared = yield from within(add, sums_of(Part(uses.parts[0])))
        for sparsity, portion in zip(sparsities, solve, strict=True):
            point = yield from within(portion, self._solve(task, uses, sums_of, sparsity))
            if point is not None:
                found[sparsity] = point
        return found

    def _solve(
        self, task: Task, uses: Uses, sums_of: SumsOf, sparsity: float
    ) -> Stream[ReconstructedLayer | None]:
        """The layer at a sparsity; None if that prunes nothing."""
        layer = task.layer
        parameter = self._net.get_parameter(layer.key).detach()
        weight = parameter.cpu()
        kept = ~pruned_by(weight, threshold(weight, sparsity))
        if torch.equal(kept, weight != 0):
            return None
        bias = own_bias(self._net, layer)
        solution = yield from solve_parts(
            sums_of,
            uses.parts,
            in_blocks(weight, uses.blocks),
            in_blocks(kept, uses.blocks),
            bias is not None,
            (task.costs[1] if len(uses.parts) > 1 else 0.0, task.costs[2]),
            task.step("choosing weights"),
            self._stop,
        )
        values, change, changed = solution.weight.reshape(weight.shape), solution.bias_change, None
        if bias is not None and change is not None:
            name, before = bias
            changed = name, before.detach() + change.flatten().float().to(before.device)
        return ReconstructedLayer(layer.key, Packed.of(values.float()), changed, parameter.device)

    def _reach(self, task: Task) -> Stream[Half]:
        """Run the sample up to a layer, from the layer before it if that was used earlier."""
        half = self._half
        if half is None or task.number < self._reached:
            cut = cut_net(self._net, self._layers, {}, self._some)
            most = MOST_BYTES / self.images
            half = Half(self._net, Activations(cut, self._data, self._batches, most))
        self._half, self._reached = half, task.number
        step = task.step("reaching it")
        yield from half.activations.advance(task.layer.name, step, self._stop)
        return half
