"""A net tried on a few images before any work: lazy layers, layout, logits, state_dict."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from core.data.batches import Splits
from core.errors import InputError
from core.events import Notice, Stream
from core.nets.calls import (
    EVALUATION,
    TRAINING,
    NetCall,
    NetError,
    evaluation_mode,
    forward_place,
    refused,
)
from core.nets.layers import lazy_tensors
from core.nets.outputs import logits_hook
from core.nets.weights import Weights, load_into, shapes, state_dict
from core.system.error_text import some


@contextmanager
def random_kept(device: torch.device) -> Iterator[None]:
    """A context that leaves the global generators of torch, NumPy and Python as they were."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def fit(net: nn.Module, data: Splits, loads: bool = False) -> Stream[Splits]:
    """Fit a net to images: its lazy layers learn their sizes, and its calls return logits only.

    Notices say which of several outputs the logits are, and that there are more than classes. With
    `loads`, its state_dict is also loaded back into it, as it will be at the end of training.

    Returns:
        The images in the first memory layout the net accepts; `net` is converted to it, too.

    Raises:
        InputError: the net raises, does not return logits for the images' classes, or adds or
            removes parameters.
    """
    classes = int(data.train.labels.max()) + 1
    with names_kept(net), refused():
        learn_sizes(net, data.train.batch(slice(0, 2))[0])
        state = state_dict(net) if loads else None
        for layout in (torch.channels_last, torch.contiguous_format):
            data = data.with_layout(layout)
            images, _ = data.train.batch(slice(0, 2))
            with NetCall("to()"):
                net.to(memory_format=layout)
            try:
                outputs = _logits_of(net, images, classes)
                break
            except NetError:
                if layout == torch.contiguous_format:
                    raise
    if state is not None:
        try_loading(net, state)
    if text := logits_hook(net).notice(training=False):
        yield Notice(text)
    if outputs != classes:
        text = f"the net has {outputs:,} outputs, the data set {classes:,} classes"
        yield Notice(text, warning=True)
    return data


def try_forward(net: nn.Module, images: Tensor, classes: int) -> int:
    """Run a few images [N, C, H, W] through a net in evaluation mode; returns its logit count.

    From then on its calls return logits only; see `core.nets.outputs`.

    Raises:
        InputError: it raises, does not return logits [N, K] for at least `classes` classes, or adds
            or removes parameters.
    """
    with names_kept(net), refused():
        return _logits_of(net, images, classes)


def _logits_of(net: nn.Module, images: Tensor, classes: int) -> int:
    logits_hook(net).classes = classes
    with NetCall(EVALUATION, images), random_kept(images.device), torch.no_grad():
        logits: Tensor = evaluation_mode(net)(images)
    return logits.shape[1]


@contextmanager
def names_kept(net: nn.Module) -> Iterator[None]:
    """Raise InputError if calls of a net add or remove parameters or buffers of its state_dict.

    Weights that are not there before the first call cannot be loaded, listed or pruned.
    """
    before = _state_names(net)
    yield
    after = _state_names(net)
    if added := [name for name in after if name not in before]:
        raise InputError(
            f"forward(){forward_place(net)} adds {some(added)}: create it in __init__, or use a "
            "lazy layer such as nn.LazyLinear"
        )
    if gone := [name for name in before if name not in after]:
        text = f"forward(){forward_place(net)} removes {some(gone)}"
        raise InputError(f"{text}: keep it, or leave it out of __init__")


def _state_names(net: nn.Module) -> dict[str, None]:
    """The names of parameters and stored buffers, without a call of the net's own code."""
    return {
        f"{path}.{name}" if path else name: None
        for path, module in net.named_modules(remove_duplicate=False)
        for name, tensor in (*module._parameters.items(), *module._buffers.items())
        if tensor is not None and name not in module._non_persistent_buffers_set
    }


def try_loading(net: nn.Module, state: Weights) -> None:
    """Load the `state_dict` that a net had before calls of it, as jobs do after work.

    Raises InputError if that fails: its own code raises, or a call changed the shape of a buffer.
    """
    with refused():
        now = shapes(state_dict(net))
        changed = [name for name, was in shapes(state).items() if now.get(name, was) != was]
        try:
            load_into(net, state)
        except NetError as error:
            if not changed:
                raise
            raise NetError(
                f"forward(){forward_place(net)} changes the shape of {some(changed)}, which then "
                "cannot be loaded: use register_buffer with persistent=False"
            ) from error


def learn_sizes(net: nn.Module, images: Tensor) -> None:
    """Let the lazy layers of a net learn their sizes from a few images [N, C, H, W].

    Their weights are drawn from torch's global generator, which stays, as do modes and statistics.

    Raises InputError if the net raises, or does not use one of them.
    """
    if not lazy_tensors(net):
        return
    modes = {module: module.training for module in net.modules()}
    kept = {buffer: buffer.clone() for buffer in net.buffers() if not is_lazy(buffer)}
    for training, call in ((False, EVALUATION), (True, TRAINING)):
        if lazy_tensors(net):
            with refused(), NetCall(call, images), random_kept(images.device), torch.no_grad():
                net.train(training)
                net(images.contiguous())
    for module, mode in modes.items():
        module.training = mode
    for buffer, value in kept.items():
        buffer.copy_(value)
    if left := lazy_tensors(net):
        raise InputError(f"lazy '{left[0]}' cannot learn its size: forward() does not use it")
