"""Dead units of a pruned net: found, removed exactly, counted.

Han et al. (2015, section 3.5) call a neuron dead that has no input or no output connection left. A
unit without inputs puts out a constant, which the biases of the next layer can take in; one without
outputs has no effect; either takes its connections along, so that others may die of it. One pass
forward finds all constants and one back all that is not needed, which is what repeated removal
comes to.

Nothing changes but the rounding: a constant is folded only where it is the same everywhere, so not
at the border of a convolution that pads with zeros, and only into a bias that is there. A unit is
dead where no call of the net needs it, see `unit_graph` for what is known of calls. What is
found is checked: the net gives the same logits without it.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cached_property

import torch
from torch import Tensor, fx, nn

from core.data.batches import Images
from core.events import Progress, Stream
from core.graph.tracing import UntraceableError, alike, trace, untraceable
from core.graph.unit_graph import steps_of
from core.graph.units import Each, LayerStep, Step
from core.nets.footprint import DeadUnits
from core.nets.layers import prunable_layers


def count_dead(model: nn.Module, data: Images) -> Stream[DeadUnits | None]:
    """Count the dead units of `model`, which is used up, on a few images of a split.

    A large net has no room for a copy: it ends up without its dead units.

    Returns:
        None where the net cannot be followed from call to call: nothing is known then.
    """
    yield Progress("count dead units")
    images, _ = data.batch(slice(0, 3))
    try:
        found = Pass(model, images)
        counted = found.remove()
    except Exception:  # a net's own code runs here, and a training that is over is not to be lost
        return None
    found.traced.let_go()
    return counted


def remove_dead(model: nn.Module, images: Tensor) -> DeadUnits:
    """Remove the dead units of `model` in place: it keeps its shapes, its logits and its layers.

    Their weights and biases are zero then, in batch norms too, and the biases of the layers that
    read them hold the constants that they put out.

    Args:
        model: the net, which ends up in evaluation.
        images: a few to try it with, [N, C, H, W].

    Raises:
        UntraceableError: it cannot be followed from call to call; nothing is removed.
    """
    without = deepcopy(model)
    counted = Pass(without, images).remove()
    model.eval().load_state_dict(without.state_dict())
    return counted


class Pass:
    """What is known of the units of a net, from its input to its logits and back.

    Args:
        model: the net, which ends up in evaluation; it is not copied.
        images: a few to try it with, [N, C, H, W].

    Attributes:
        traced: the net as torch.fx has it.
        steps: its calls, in their order.
        constants: of each call's units, see `Step.constants`.
        needed: which of them anything depends on.

    Raises:
        UntraceableError: it cannot be followed from call to call.
    """

    @torch.no_grad()
    def __init__(self, model: nn.Module, images: Tensor) -> None:
        self._model = model
        self.traced = trace(model, images)
        self.steps = steps_of(self.traced, model)
        self.constants: dict[fx.Node, Tensor] = {}
        for step in self.steps:
            self.constants[step.node] = step.constants(self.constants)
        self.needed = {step.node: torch.zeros(step.units, dtype=torch.bool) for step in self.steps}
        for step in reversed(self.steps):
            for node, units in step.needs(self.constants, self.needed[step.node]).items():
                self.needed[node] |= units

    @torch.no_grad()
    def remove(self) -> DeadUnits:
        """Remove dead units in place, one layer after the other, and see that nothing else changes.

        Returns:
            What was removed.

        Raises:
            UntraceableError: the net gives other logits without them; it is of no use then.
        """
        counted = self.count()
        for step in self.steps:
            self._remove(step)
        with untraceable("it cannot run with other weights"):
            made = self._model(self.traced.images.clone())
        if not alike(made, self.traced.logits):
            raise UntraceableError("without what its calls do not need it gives other logits")
        return counted

    def kept(self, node: fx.Node) -> Tensor:
        """Which units of a result a smaller net has: those of its layer that are needed, or one."""
        maker = self._maker(node)
        if maker is None:
            return torch.ones_like(self.needed[node])
        kept = self.needed[maker.node].clone()
        kept[0] |= not kept.any()
        return kept

    def count(self) -> DeadUnits:
        """The dead units in plain numbers."""
        units = {layer.name: 0 for layer in prunable_layers(self._model)}
        for step in self.steps:
            if isinstance(step, LayerStep):
                units[step.name] = int((~self.needed[step.node]).sum())
        goes = [self._goes(step) for step in self.steps]
        nonzero, parameters = (sum(counts) for counts in zip(*goes, strict=True))
        return DeadUnits(units, nonzero, parameters)

    @cached_property
    def _steps_by_node(self) -> dict[fx.Node, Step]:
        return {step.node: step for step in self.steps}

    def _maker(self, node: fx.Node) -> LayerStep | None:
        """The layer whose units these are; None where it is not known."""
        step = self._steps_by_node[node]
        while isinstance(step, Each):
            step = self._steps_by_node[step.source]
        return step if isinstance(step, LayerStep) else None

    def _remove(self, step: Step) -> None:
        """Remove what is dead of a step's parameters."""
        if isinstance(step, LayerStep):
            step.remove(self.constants, self.needed[step.node])
        elif isinstance(step, Each) and step.norm and (maker := self._maker(step.node)):
            dead = ~self.needed[maker.node]
            for parameter in self._norm_parameters(step.norm):
                parameter.masked_fill_(dead.to(parameter.device), 0.0)

    def _goes(self, step: Step) -> tuple[int, int]:
        """The nonzero parameters of a step that go, and all that a smaller net does not have."""
        if isinstance(step, LayerStep):
            needed, kept = self.needed[step.node], self.kept(step.node)
            unread = step.reads(self.constants, needed).logical_not_()
            biases = 0 if step.bias is None else 1
            inputs = int(self.kept(step.source).sum())
            taps = step.weight.shape[2]
            here = step.units * (step.inputs * taps + biases)
            smaller = int(kept.sum()) * (inputs * taps + biases)
            gone = int((step.weight != 0).logical_and_(unread[:, :, None]).count_nonzero())
            nonzero = gone + biases * int((~needed).sum())
            return nonzero, here - smaller
        if isinstance(step, Each) and step.norm and (maker := self._maker(step.node)):
            parts = len(self._norm_parameters(step.norm))
            dead = int((~self.needed[maker.node]).sum())
            return parts * dead, parts * int((~self.kept(step.node)).sum())
        return 0, 0

    def _norm_parameters(self, name: str) -> list[nn.Parameter]:
        return list(self._model.get_submodule(name).parameters(recurse=False))
