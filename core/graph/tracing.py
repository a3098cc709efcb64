"""A net traced with torch.fx and verified: the same logits, and no value overwritten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from core.errors import InputError
from core.nets.model_copy import copy_model

Shapes = Mapping[fx.Node, tuple[int, ...]]
"""Shapes of the results of calls, for those that are tensors."""


class UntraceableError(Exception):
    """The net cannot be followed from call to call; says why."""


@contextmanager
def untraceable(why: str = "torch.fx cannot trace it") -> Iterator[None]:
    """Turn whatever a net's own code raises into an UntraceableError that begins with `why`."""
    try:
        yield
    except UntraceableError:
        raise
    except Exception as error:  # a net's own code runs here: it may raise anything
        raise UntraceableError(f"{why}: {error}") from error


@dataclass(frozen=True, eq=False)
class Traced:
    """A net as a list of calls.

    Attributes:
        net: the traced net; it shares the original's modules.
        shapes: shapes of results for two images and for three.
        images: the three images.
        logits: its logits for them.
    """

    net: fx.GraphModule
    shapes: tuple[Shapes, Shapes]
    images: Tensor
    logits: Tensor

    def release(self) -> None:
        """Drop the net's modules; the net is unusable afterwards.

        Otherwise, a torch.fx net and its graph would keep them until garbage collection.
        """
        self.net._modules.clear()
        self.net._parameters.clear()


def graph_of(model: nn.Module) -> fx.GraphModule:
    """The calls of a net, which ends up in evaluation; it raises what torch.fx or the net raises.

    They run on the parts of the net itself, in the order of its graph's nodes.
    """
    tracer = fx.Tracer()
    net = fx.GraphModule(model, tracer.trace(model.eval()))
    vars(tracer).clear()  # it is one of a ring, and would keep the net
    return net


def trace(model: nn.Module, images: Tensor) -> Traced:
    """Trace a net; it ends up in evaluation mode.

    Args:
        model: the net.
        images: a few to try it with, [N, ...].

    Raises:
        UntraceableError: torch.fx cannot trace it, the traced net gives different logits, or the
            net overwrites a value it uses again.
    """
    with untraceable(), torch.no_grad():
        net = graph_of(model)
        two, three = (_Trial(net, _some_of(images, count)) for count in (2, 3))
        tried = _some_of(images, 3)
        logits = model(tried.clone())  # it may write into what it is given
    if two.written_over or three.written_over:
        raise UntraceableError("it overwrites a value it uses again")
    if not same_logits(three.result, logits):
        raise UntraceableError("its traced version gives different logits")
    return Traced(net, (two.shapes, three.shapes), tried, logits)


def traceable_copy(model: nn.Module) -> nn.Module:
    """A copy of a net, to be traced and changed.

    Raises:
        UntraceableError: it cannot be copied.
    """
    try:
        return copy_model(model).model
    except InputError as error:
        raise UntraceableError(str(error)) from error


def _some_of(images: Tensor, count: int) -> Tensor:
    """So many images, in memory of their own; where there are fewer, some come again."""
    return images[torch.arange(count, device=images.device) % len(images)]


def same_logits(made: Any, expected: Any, within: float = 1e-4) -> bool:
    """Whether two results are the same finite logits up to rounding.

    Args:
        made: a result.
        expected: the expected result.
        within: allowed difference, relative to the largest expected value.
    """
    both = isinstance(made, Tensor) and isinstance(expected, Tensor)
    if not both or made.shape != expected.shape:
        return False
    # NaN is at no distance.
    return bool(((made - expected).abs() <= within * expected.abs().max() + 1e-6).all())


class _Trial(fx.Interpreter):
    """Runs the calls, and keeps the shapes of what they give.

    Attributes:
        result: what the last one gives.
        written_over: a call was given something that was not as it had been made.
    """

    def __init__(self, net: fx.GraphModule, images: Tensor) -> None:
        super().__init__(net)
        self.shapes: dict[fx.Node, tuple[int, ...]] = {}
        self.written_over = False
        self._versions: dict[fx.Node, int] = {}
        self.result = self.run(images)

    def run_node(self, n: fx.Node) -> Any:
        """Run one call."""
        # Views share the version of what they look at, so this sees every way to write.
        for node in n.all_input_nodes:
            made = self._versions.get(node)
            if made is not None and made != self.env[node]._version:
                self.written_over = True
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.shapes[n], self._versions[n] = tuple(result.shape), result._version
        return result
