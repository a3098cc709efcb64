"""Finds, counts and exactly removes the dead units of a pruned net.

Han et al. (2015, section 3.5) call a neuron dead if it has no input or no output connections left.
A unit without inputs outputs a constant, which the biases of the next layer can absorb; a unit
without outputs has no effect. Removing one removes its connections, which may leave others dead.
One forward pass finds all constants and one backward pass all unneeded units, which gives the same
result as repeated removal.

Logits change only by rounding: a constant is folded only if it is the same everywhere (so not at
the border of a convolution that pads with zeros) and only into a bias that exists. A unit is dead
if no call needs it; `call_classes` decides what is known about calls. The result is checked: the
net must give the same logits without its dead units.
"""

import torch
from torch import Tensor, fx, nn

from core.data.batches import Images
from core.errors import ENDING
from core.events import Progress, Stream
from core.graph.call_classes import unit_calls
from core.graph.tracing import trace, traceable_copy
from core.graph.units import LayerCall, UnitCall, UnitwiseCall
from core.nets.calls import evaluation_mode
from core.nets.footprint import DeadUnits
from core.nets.layers import prunable_layers
from core.nets.weights import load_into, state_dict


def count_dead_units(model: nn.Module, data: Images) -> Stream[DeadUnits | None]:
    """Count the dead units of `model`, trying it on a few images of a split.

    `model` cannot be used afterwards: its dead units are removed in place, because a large net
    leaves no memory for a copy.

    Returns:
        None if torch.fx cannot trace the net.
    """
    yield Progress("counting dead units")
    images, _ = data.batch(slice(0, 3))
    try:
        analysis = UnitAnalysis(model, images)
        dead = analysis.remove()
    except ENDING:
        raise
    except BaseException:  # the net's own code runs here, and must not lose a finished training
        return None
    analysis.traced.release()
    return dead


def remove_dead(model: nn.Module, images: Tensor) -> DeadUnits:
    """Remove the dead units of `model` in place; shapes, logits and layers stay.

    Their weights and biases become zero, in batch norms too, and the constants they output are
    added to the biases of the layers that read them.

    `images` [N, C, H, W] are a few to try it on; `model` is left in evaluation mode. Raises
    UntraceableError if it cannot be traced; nothing is removed then.
    """
    without = traceable_copy(model)
    dead = UnitAnalysis(without, images).remove()
    load_into(evaluation_mode(model), state_dict(without))
    return dead


class UnitAnalysis:
    """The constants and the needed units of every call of a net.

    The net is traced with a few images [N, C, H, W], not copied, and left in evaluation mode;
    raises UntraceableError if it cannot be traced.

    Attributes:
        calls: the classified calls of the traced net, in order.
        constants: for each call, the constants of its units, see `UnitCall.constants`.
        needed: for each call, booleans [units]: which units later calls need.
    """

    @torch.no_grad()
    def __init__(self, model: nn.Module, images: Tensor) -> None:
        self._model = model
        self.traced = trace(model, images)
        self.calls = unit_calls(self.traced, model)
        self.constants: dict[fx.Node, Tensor] = {}
        self.needed: dict[fx.Node, Tensor] = {}
        for node, call in self.calls.items():
            self.constants[node] = call.constants(self.constants)
            self.needed[node] = torch.zeros(call.units, dtype=torch.bool)
        for call in reversed(self.calls.values()):
            for node, units in call.needs(self.constants, self.needed[call.node]).items():
                self.needed[node] |= units

    @torch.no_grad()
    def remove(self) -> DeadUnits:
        """Remove and count dead units in place, layer by layer.

        Raises UntraceableError if the logits change; the net cannot be used afterwards.
        """
        dead = self._count()
        for call in self.calls.values():
            if isinstance(call, LayerCall):
                call.remove(self.constants, self.needed[call.node])
            for parameter in self._norm_parameters(call):
                parameter.masked_fill_(self._dead(call.node).to(parameter.device), 0.0)
        self.traced.check_logits(self._model, "unneeded units are removed")
        return dead

    def kept(self, node: fx.Node) -> Tensor:
        """Which units of a result a compacted net keeps: the needed ones, at least one."""
        kept = ~self._dead(node)
        if len(kept):
            kept[0] |= not kept.any()
        return kept

    def _count(self) -> DeadUnits:
        units = {layer.name: 0 for layer in prunable_layers(self._model)}
        for node, call in self.calls.items():
            if isinstance(call, LayerCall):
                units[call.name] = int((~self.needed[node]).sum())
        removed = map(self._removed_parameters, self.calls.values())
        nonzero, parameters = (sum(counts) for counts in zip(*removed, strict=True))
        return DeadUnits(units, nonzero, parameters)

    def _dead(self, node: fx.Node) -> Tensor:
        """Which units of a result are dead in the layer they come from; none if that is unknown."""
        call = self.calls[node]
        while isinstance(call, UnitwiseCall):
            call = self.calls[call.source]
        if isinstance(call, LayerCall):
            return ~self.needed[call.node]
        return torch.zeros_like(self.needed[node])

    def _removed_parameters(self, call: UnitCall) -> tuple[int, int]:
        """Nonzero parameters removed from a call, and parameters a compacted net does without."""
        if isinstance(call, LayerCall):
            unread = call.reads(self.constants, self.needed[call.node]).logical_not_()
            biases = 0 if call.module.bias is None else 1
            units, inputs = (int(self.kept(node).sum()) for node in (call.node, call.source))
            taps = call.weight.shape[2]
            before = call.units * (call.inputs * taps + biases)
            after = units * (inputs * taps + biases)
            weights = int((call.weight != 0).logical_and_(unread[:, :, None]).count_nonzero())
            return weights + biases * int(self._dead(call.node).sum()), before - after
        count = len(self._norm_parameters(call))
        dead, dropped = self._dead(call.node), ~self.kept(call.node)
        return count * int(dead.sum()), count * int(dropped.sum())

    def _norm_parameters(self, call: UnitCall) -> list[nn.Parameter]:
        """The parameters of a batch norm; none for other calls."""
        if not isinstance(call, UnitwiseCall) or not call.norm:
            return []
        return list(self._model.get_submodule(call.norm).parameters(recurse=False))
