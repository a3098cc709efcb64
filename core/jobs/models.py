"""The models of a workbench: freshly initialized, uninitialized, and with given weights."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cached_property

import torch
from torch import Tensor, nn

from core.criteria.magnitude import Magnitude
from core.criteria.names import MAGNITUDE
from core.criteria.ranking import Ranking, rank_base
from core.data.batches import Images, Splits
from core.data.counts import Counts
from core.data.inputs import Inputs
from core.data.registry import is_folder
from core.errors import InputError
from core.events import Notice, StopFlag, Stream
from core.nets.calls import NetCall, refused
from core.nets.footprint import BYTES_PER_VALUE
from core.nets.fresh_head import check_head, head_name
from core.nets.layers import Layer, lazy_tensors, parameter_count, prunable_layers
from core.nets.model_args import format_model_args
from core.nets.model_copy import copy_model
from core.nets.outputs import LogitsHook
from core.nets.prunable.plain_net import Change, PlainNet, explained, plain
from core.nets.prunable.unprunable import check_prunable, unprunable_summary
from core.nets.trial import fit, learn_sizes
from core.nets.user_model import builder_args
from core.nets.weights import Weights, extra_state, load_into
from core.nets.zoo import ModelSpec
from core.pruning.budgets.costs import NetCosts, Unit
from core.system.allocator import trim_memory
from core.system.error_text import some

LARGE = 128 << 20
"""Models of at least this many bytes: freed memory is returned before one is made."""

RANKINGS = 2
"""Rankings kept: those of the dense net and of the base."""


class Models:
    """Makes models of one net on one device; those of a user's own return logits only.

    Args:
        shape: channels, height and width of its images, by default MNIST's; called only if the net
            has lazy layers.

    Attributes:
        counts: of the data, which complete the arguments of a user's own net.
        step_tried: whether the net has been trained for one step to try it.
        costs: what its layers cost, as far as `measurement.costs_in` has worked it out.
    """

    def __init__(
        self,
        spec: ModelSpec,
        device: torch.device,
        shape: Callable[[], tuple[int, int, int]] = lambda: (1, 28, 28),
        counts: Counts | None = None,
    ) -> None:
        self.spec = spec
        self.device = device
        self.counts = counts
        self._shape = shape
        self.step_tried = False
        self.costs: dict[Unit, NetCosts] = {}
        self._hook = LogitsHook()
        self._rankings: dict[tuple[str, str, int], Ranking] = {}

    @cached_property
    def outline(self) -> nn.Module:
        """The net's structure; without memory for the weights unless it is the user's own."""
        if self.spec.is_user_model:
            return self._first.model
        with torch.device("meta"):
            return self.spec.build()

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The prunable layers."""
        return prunable_layers(self.outline)

    @cached_property
    def parameters(self) -> int:
        """The number of parameters of the net."""
        return parameter_count(self.outline)

    @cached_property
    def inputs(self) -> Inputs:
        """The image settings of the net's own weights, as far as known."""
        return self.spec.inputs_of(self.outline) if self.spec.is_pretrained else self.spec.inputs

    def check_head(self, model: nn.Module, images: Tensor) -> None:
        """Raise InputError if the net was trained for other classes than the data's."""
        if self.spec.is_pretrained and self.counts is not None:
            check_head(model, images, self.counts.classes, self.spec.name)

    def tried(self, data: Splits, dataset: str) -> Stream[Splits]:
        """The images in a layout the net accepts, after a trial on a few of them.

        Notices say what was changed in the net, and what of it cannot be pruned. Raises InputError
        if nothing can be, or the images do not fit it.
        """
        model = self.uninitialized()
        check_prunable(model)
        self.check_head(model, data.train.batch(slice(0, 2))[0])
        for change in self.changes:
            yield Notice(change.what, warning=True)
        with explained(self.changes):
            data = yield from self._fitted(model, data, dataset)
        for text in unprunable_summary(model):
            yield Notice(text, warning=True)
        return data

    def _fitted(self, model: nn.Module, data: Splits, dataset: str) -> Stream[Splits]:
        """The images in a layout the net accepts; raises InputError if there is none."""
        try:
            return (yield from fit(model, data, loads=self.spec.is_user_model))
        except InputError as error:
            if self.spec.dataset is None or not is_folder(dataset):
                raise
            own = "a net of your own: --model path/to/net.py:Net"
            raise InputError(
                f"{self.spec.name} takes 28x28 grayscale images of at most 10 classes from a "
                f"folder: use --image-size 28 --channels 1, or {own}"
            ) from error

    def notes(self, seed: int) -> Iterator[str]:
        """What a user should know of how their own net is built, a line each."""
        spec = self.spec
        args = builder_args(spec.name, spec.given, self.counts, spec.fresh_head)
        yield f"running code from {spec.name}" + (f" ({format_model_args(args)})" if args else "")
        if extra := extra_state(self.outline):
            names = f"{some(extra)} in its state_dict"
            yield f"{names}: kept as the net has it, and stored in no file (not a tensor)"
        if spec.fresh_head:
            yield f"the last layer, {head_name(self.outline)}, is new: drawn from seed {seed}"

    @cached_property
    def buffers(self) -> frozenset[str]:
        """The names of the buffers."""
        return frozenset(name for name, _ in self.outline.named_buffers(remove_duplicate=False))

    @property
    def changes(self) -> tuple[Change, ...]:
        """What is changed in the user's own net after it is built."""
        return self._first.changes if self.spec.is_user_model else ()

    def fresh(self, seed: int) -> nn.Module:
        """A model with initial weights drawn from a seed."""
        return self.fresh_net(seed).model

    def fresh_net(self, seed: int) -> PlainNet:
        """The same, with the masks that the user's own code gives it."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = self.spec.build(self.counts)
            if not self.spec.is_user_model:
                return PlainNet(model.to(self.device), {}, ())
            net = plain(model)
            with refused(), NetCall("to()"):
                net.model.to(self.device)
            if lazy_tensors(model):
                with explained(net.changes):
                    learn_sizes(model, torch.zeros(2, *self._shape(), device=self.device))
            model.register_forward_hook(self._hook)
            return net

    def uninitialized(self) -> nn.Module:
        """A model with arbitrary weights, for a caller that loads its own."""
        if BYTES_PER_VALUE * self.parameters >= LARGE:
            trim_memory()
        if self.spec.is_user_model:
            return self._own_copy()
        model = deepcopy(self.outline)
        # to_empty() imports much of torch's compiler, for half a second.
        tensors = {
            name: torch.empty(tensor.shape, dtype=tensor.dtype, device=self.device)
            for name, tensor in model.state_dict().items()
        }
        load_into(model, tensors, assign=True)
        return model

    def for_inference(self, weights: Weights) -> nn.Module:
        """A model for inference only that shares the memory of `weights`.

        A user's own model gets a copy, since its code may write to its weights.
        """
        if self.spec.is_user_model:
            model = self._own_copy()
            load_into(model, weights)
            return model
        model = deepcopy(self.outline)
        on_device = {name: tensor.to(self.device) for name, tensor in weights.items()}
        load_into(model, on_device, assign=True)
        return model.requires_grad_(False)

    def ranking(
        self, base: Weights, digest: str, criterion: str, data: Images, seed: int, stop: StopFlag
    ) -> Stream[Ranking]:
        """What a criterion says of the weights with this digest; the last ones are kept."""
        if criterion == MAGNITUDE:
            return Ranking(Magnitude(), base)
        key = digest, criterion, seed
        if key not in self._rankings:
            ranking = yield from rank_base(
                self.uninitialized(), base, criterion, data, seed=seed, stop=stop
            )
            kept = list(self._rankings.items())[1 - RANKINGS :]
            self._rankings = dict([*kept, (key, ranking)])
        return self._rankings[key]

    @cached_property
    def _first(self) -> PlainNet:
        return self.fresh_net(0)

    def _own_copy(self) -> nn.Module:
        """A copy of the user's net: its constructor may be slow or have side effects."""
        try:
            copy = copy_model(self.outline)
        except InputError:
            return self.fresh(0)
        # Tensors its constructor computed from parameters would be constants in a copy.
        return self.fresh(0) if copy.computed else copy.model
