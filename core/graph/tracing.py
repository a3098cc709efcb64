"""A net traced with torch.fx and verified: the same logits, and no value overwritten."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, fx, nn

from core.errors import ENDING, InputError
from core.nets.calls import describe, evaluation_mode
from core.nets.model_copy import copy_model
from core.nets.outputs import Path, logits_path

Shapes = Mapping[fx.Node, tuple[int, ...]]
"""Shapes of the results of calls, for those that are tensors."""


class UntraceableError(Exception):
    """The net cannot be followed from call to call; says why."""


@contextmanager
def untraceable(why: str = "torch.fx cannot trace it") -> Iterator[None]:
    """Turn whatever a net's own code raises into an UntraceableError that begins with `why`."""
    try:
        yield
    except (*ENDING, UntraceableError):
        raise
    except BaseException as error:
        raise UntraceableError(f"{why}: {describe(error)}") from error


@dataclass(frozen=True, eq=False)
class Traced:
    """A traced net, which shares the original's modules.

    Attributes:
        net: the calls.
        shapes: shapes of results for two images and for three.
        images: the three images.
        logits: its logits for them.
    """

    net: fx.GraphModule
    shapes: tuple[Shapes, Shapes]
    images: Tensor
    logits: Tensor

    def check_logits(self, model: nn.Module, change: str) -> None:
        """Raise UntraceableError if `model`, after a `change`, fails or gives other logits."""
        with untraceable(f"it fails when {change}"), torch.no_grad():
            logits = model(self.images.clone())  # the net may write into its input
        if not same_logits(logits, self.logits):
            raise UntraceableError(f"its logits change when {change}")

    def release(self) -> None:
        """Drop the net's modules, which it would keep until garbage collection; ends its use."""
        self.net._modules.clear()
        self.net._parameters.clear()


def graph_of(model: nn.Module) -> fx.GraphModule:
    """Trace a net, which is left in evaluation mode; raises what torch.fx or the net raises.

    The result shares the net's modules.
    """
    tracer = fx.Tracer()
    graph = tracer.trace(evaluation_mode(model))
    net = fx.GraphModule(model, graph)
    if path := logits_path(model):
        _return_logits(net, path)
    vars(tracer).clear()  # a reference cycle through the tracer would keep the net
    return net


def _return_logits(net: fx.GraphModule, path: Path) -> None:
    """Let a net return the part of its output at `path`, without the calls for the rest."""
    graph = net.graph
    (output,) = (node for node in graph.nodes if node.op == "output")
    value = output.args[0]
    with graph.inserting_before(output):
        for step, key in path:
            is_call = isinstance(value, fx.Node)
            value = graph.call_function(step, (value, key)) if is_call else step(value, key)
    output.args = (value,)
    graph.eliminate_dead_code()
    net.recompile()


def trace(model: nn.Module, images: Tensor) -> Traced:
    """Trace a net with a few images [N, ...]; it is left in evaluation mode.

    Raises:
        UntraceableError: torch.fx cannot trace it, the traced net gives different logits, or the
            net overwrites a value it uses again.
    """
    with untraceable(), torch.no_grad():
        net = graph_of(model)
        two, three = (_Trial(net, _repeated(images, count)) for count in (2, 3))
        inputs = _repeated(images, 3)
        logits = model(inputs.clone())  # the net may write into its input
    if two.overwritten or three.overwritten:
        raise UntraceableError("it overwrites a value it uses again")
    if not same_logits(three.result, logits):
        raise UntraceableError("its traced version gives different logits")
    return Traced(net, (two.shapes, three.shapes), inputs, logits)


def parameters_read(net: fx.GraphModule, node: fx.Node) -> Iterator[Tensor]:
    """The parameters that a call of `net` reads: its module's, or the attribute it gets."""
    if node.op == "call_module":
        yield from net.get_submodule(str(node.target)).parameters()
    elif node.op == "get_attr":
        yield attrgetter(str(node.target))(net)


def traceable_copy(model: nn.Module) -> nn.Module:
    """A copy of a net; raises UntraceableError if the net cannot be copied."""
    try:
        return copy_model(model).model
    except InputError as error:
        raise UntraceableError(str(error)) from error


def _repeated(images: Tensor, count: int) -> Tensor:
    """A copy of the first `count` images; repeats them if there are fewer."""
    return images[torch.arange(count, device=images.device) % len(images)]


def same_logits(logits: Any, expected: Any, within: float = 1e-4) -> bool:
    """Whether two results are the same finite logits up to rounding.

    `within` is the allowed difference relative to the largest expected value.
    """
    both = isinstance(logits, Tensor) and isinstance(expected, Tensor)
    if not both or logits.shape != expected.shape:
        return False
    # Comparisons with NaN are false.
    return bool(((logits - expected).abs() <= within * expected.abs().max() + 1e-6).all())


class _Trial(fx.Interpreter):
    """Runs the calls and records the shapes of their results.

    Attributes:
        result: the result of the last call.
        overwritten: whether a call read a value that had been changed in place.
    """

    def __init__(self, net: fx.GraphModule, images: Tensor) -> None:
        super().__init__(net)
        self.shapes: dict[fx.Node, tuple[int, ...]] = {}
        self.overwritten = False
        self._versions: dict[fx.Node, int] = {}
        self.result = self.run(images)

    def run_node(self, n: fx.Node) -> Any:
        """Run one call."""
        # Views share the version counter of their base, so this sees every write.
        for node in self._versions.keys() & n.all_input_nodes:
            self.overwritten |= self._versions[node] != self.env[node]._version
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.shapes[n], self._versions[n] = tuple(result.shape), result._version
        return result
