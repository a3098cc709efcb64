"""A net cut before a layer: the part before it is computed once, the part after it repeatedly.

The net is traced with torch.fx (Reed et al. 2022, "torch.fx: Practical Program Capture and
Transformation for Deep Learning in Python") into a list of calls in execution order. At a cut
before the first call that reads certain weights, only a few values are alive; from these, the rest
of the net can be run again and again while only those weights change.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from core.graph.tracing import UntraceableError, graph_of, parameters_read, untraceable
from core.nets.calls import evaluation_mode

Values = dict[Any, Any]
"""The values alive at a cut, by the call that made them."""


@dataclass(frozen=True, eq=False)
class CutPoint:
    """A place in the list of calls.

    Attributes:
        before: the calls before it.
        alive: the earlier calls whose results are used after it.
        batched: those whose result has one row per image, or is the number of images.
    """

    before: tuple[fx.Node, ...]
    alive: tuple[fx.Node, ...]
    batched: frozenset[fx.Node]


class PrefixCache:
    """A net in evaluation mode that can be run up to a cut and on from it.

    Attributes:
        calls: all of it, in order; none if it is not traced.

    Args:
        model: the net, not copied; its weights may change between runs, its calls may not.
        groups: names of weights (as in the state_dict) that change together; each group gets a
            cut before the first call that reads one of them.
        images: images to trace it with, [N, ...], N at least 3.

    Raises:
        UntraceableError: torch.fx cannot trace it, or the traced net gives different logits.
    """

    def __init__(
        self, model: nn.Module, groups: Mapping[str, Sequence[str]], images: Tensor
    ) -> None:
        if len(images) < 3:
            raise UntraceableError(f"{len(images)} images to trace it with: expected at least 3")
        with untraceable():
            self._net = graph_of(model)
            self.calls = tuple(self._net.graph.nodes)
            self._reads = [frozenset(map(id, parameters_read(self._net, c))) for c in self.calls]
            with torch.no_grad():
                every = frozenset(self.calls)
                trials = [_recorded(self._net, every, images[:n]) for n in (2, 3)]
                self.cuts = {
                    name: self._cut({id(model.get_parameter(key)) for key in keys}, trials)
                    for name, keys in groups.items()
                }
                self._alive = frozenset(node for cut in self.cuts.values() for node in cut.alive)
                self._check(model, images)
        self._bytes = {node: _bytes(value) // 3 for node, value in trials[-1].items()}
        batched = {node for cut in self.cuts.values() for node in cut.batched}
        self.bytes_per_image = sum(self._bytes[node] for node in batched)

    def start(self, images: Tensor) -> Values:
        """Run it on `images` [N, ...]; returns the values alive at any of the cuts."""
        return _recorded(self._net, self._alive, images)

    def alive(self, name: str, values: Values) -> Values:
        """The values from `start` that the cut of group `name` needs."""
        return {node: values[node] for node in self.cuts[name].alive}

    def rows(self, name: str, alive: Values, index: Tensor) -> Values:
        """The values in `alive` for the images with indices `index` [k]."""
        return rows_of(self.cuts[name], alive, index)

    def bytes_at(self, cut: CutPoint) -> int:
        """The memory of the values alive at a cut, for each image."""
        return sum(self._bytes[node] for node in cut.batched)

    def first(self) -> CutPoint:
        """The place before all calls, where only the images are alive."""
        source = self.calls[:1]
        return CutPoint(source, source, frozenset(source))

    def advance(self, start: CutPoint, alive: Values, end: CutPoint) -> Values:
        """Run the part between two cuts; returns the values alive at the second."""
        if len(end.before) <= len(start.before):
            return {node: alive[node] for node in end.alive}
        recorder = _Recorder(self._net, frozenset(end.alive))
        recorder.run_until(dict.fromkeys(start.before) | alive, self.calls[len(end.before)])
        return {node: alive[node] if node in alive else recorder.values[node] for node in end.alive}

    def complete(self, cut: CutPoint, alive: Values) -> Tensor:
        """Run the part after a cut; returns the logits [N, classes]."""
        logits: Tensor = fx.Interpreter(self._net).run(
            initial_env=dict.fromkeys(cut.before) | alive
        )
        return logits

    def in_bf16(self, alive: Values) -> Values:
        """The values in `alive` as bf16, so that autocast need not convert them on every run."""
        return {
            node: v.bfloat16() if isinstance(v, Tensor) and v.dtype == torch.float32 else v
            for node, v in alive.items()
        }

    def finish(self, name: str, alive: Values) -> Tensor:
        """Run the part after the cut of group `name`; returns the logits [N, classes]."""
        return self.complete(self.cuts[name], alive)

    def _cut(self, weights: set[int], trials: Sequence[Values]) -> CutPoint:
        """The latest cut before the first use of these weights that can be taken image by image."""
        uses = [not weights.isdisjoint(reads) for reads in self._reads]
        first_use = uses.index(True) if any(uses) else len(uses) - 1
        for place in range(first_use, 0, -1):
            before, after = self.calls[:place], self.calls[place:]
            used = {node for call in after for node in call.all_input_nodes}
            alive = tuple(node for node in before if node in used)
            if all(_is_batched(node, trials) or _is_constant(node, trials) for node in alive):
                batched = frozenset(node for node in alive if _is_batched(node, trials))
                cut = CutPoint(before, alive, batched)
                if not self._writes(cut, trials[-1]):
                    return cut
        raise UntraceableError("it modifies its input in place")

    def _writes(self, cut: CutPoint, values: Values) -> bool:
        """Whether calls after the cut overwrite values alive at it."""
        alive = {n: v.clone() if isinstance(v, Tensor) else v for n, v in values.items()}
        tensors = [alive[node] for node in cut.alive if isinstance(alive[node], Tensor)]
        versions = [tensor._version for tensor in tensors]
        known = dict.fromkeys(cut.before) | {node: alive[node] for node in cut.alive}
        fx.Interpreter(self._net).run(initial_env=known)
        return versions != [tensor._version for tensor in tensors]

    def _check(self, model: nn.Module, images: Tensor) -> None:
        expected = model(images)
        values = self.start(images)
        some = torch.tensor([0, 2], device=images.device)
        for name in self.cuts:
            alive = self.alive(name, values)
            runs = self.finish(name, alive), self.finish(name, self.rows(name, alive, some))
            for run, logits in zip(runs, (expected, expected[some]), strict=True):
                if not torch.allclose(run, logits, rtol=1e-4, atol=1e-5):
                    raise UntraceableError("its traced version gives different logits")


class NoPrefixCache(PrefixCache):
    """A net that cannot be traced, as a single call: all of it runs every time."""

    def __init__(
        self, model: nn.Module, groups: Mapping[str, Sequence[str]], images: Tensor
    ) -> None:
        self.calls = ()
        self._model = evaluation_mode(model)
        source = fx.Graph().placeholder("images")
        self._alive = frozenset([source])
        self._first = CutPoint((source,), (source,), self._alive)
        self.cuts = dict.fromkeys(groups, self._first)
        self.bytes_per_image = _bytes(images) // len(images)
        self._bytes = {source: self.bytes_per_image}

    def first(self) -> CutPoint:
        """The only cut there is."""
        return self._first

    def start(self, images: Tensor) -> Values:
        """The images themselves: no part of the net runs before a cut."""
        return dict.fromkeys(self._alive, images)

    def in_bf16(self, alive: Values) -> Values:
        """The images unchanged: the net may need them in float32."""
        return alive

    def complete(self, cut: CutPoint, alive: Values) -> Tensor:
        """Run the whole net; returns the logits [N, classes]."""
        (images,) = alive.values()
        # A copy: a net may write into its input, and it runs more than once.
        logits: Tensor = self._model(images.clone())
        return logits


def rows_of(cut: CutPoint, alive: Values, index: Tensor) -> Values:
    """The values alive at a cut, for the images with indices `index` [k]."""
    rows = dict(alive)
    for node in cut.batched:
        rows[node] = alive[node][index] if isinstance(alive[node], Tensor) else len(index)
    return rows


class _EnoughRun(BaseException):
    """Ends a run; not an Exception, which torch.fx adds a text to."""


class _Recorder(fx.Interpreter):
    """Runs the calls and records the results of some."""

    def __init__(self, net: fx.GraphModule, nodes: frozenset[fx.Node]) -> None:
        super().__init__(net)
        self._nodes = nodes
        self._end: fx.Node | None = None
        self.values: Values = {}

    def run_until(self, known: Values, end: fx.Node) -> None:
        """Run the calls from those whose results are known to `end`, which is not run."""
        self._end = end
        with suppress(_EnoughRun):
            self.run(initial_env=known)

    def run_node(self, n: fx.Node) -> Any:
        """Run one call."""
        if n is self._end:
            raise _EnoughRun
        result = super().run_node(n)
        if n in self._nodes:
            self.values[n] = result
        return result


def _recorded(net: fx.GraphModule, nodes: frozenset[fx.Node], images: Tensor) -> Values:
    recorder = _Recorder(net, nodes)
    recorder.run(images)
    return recorder.values


def _is_batched(node: fx.Node, trials: Sequence[Values]) -> bool:
    """Whether its result has one row per image, or is the number of images: 2, then 3."""
    results = [trial[node] for trial in trials]
    if all(isinstance(result, Tensor) and result.dim() > 0 for result in results):
        results = [len(result) for result in results]
    return all(type(result) is int for result in results) and results == [2, 3]


def _is_constant(node: fx.Node, trials: Sequence[Values]) -> bool:
    """Whether its result does not depend on the images."""
    one, other = (trial[node] for trial in trials)
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.equal(one, other)
    return type(one) is type(other) and isinstance(one, int | float | str) and one == other


def _bytes(value: Any) -> int:
    return value.numel() * value.element_size() if isinstance(value, Tensor) else 0
