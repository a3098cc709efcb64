"""A net tried on a few images before any work: lazy layers, memory layout, logits."""

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
from core.nets.calls import EVALUATION, TRAINING, NetCall, NetError, evaluation_mode
from core.nets.layers import lazy_tensors
from core.nets.outputs import logits_hook


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


def fit(net: nn.Module, data: Splits) -> Stream[Splits]:
    """Fit a net to images: its lazy layers learn their sizes, and its calls return logits only.

    Notices say which of several outputs the logits are, and that there are more than classes.

    Returns:
        The images in the first memory layout the net accepts; `net` is converted to it, too.

    Raises:
        InputError: the net raises, or does not return logits for the images' classes.
    """
    classes = int(data.train.labels.max()) + 1
    learn_sizes(net, data.train.batch(slice(0, 2))[0])
    for layout in (torch.channels_last, torch.contiguous_format):
        data = data.with_layout(layout)
        images, _ = data.train.batch(slice(0, 2))
        try:
            outputs = try_forward(net.to(memory_format=layout), images, classes)
            break
        except InputError:
            if layout == torch.contiguous_format:
                raise
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
        InputError: it raises, or does not return logits [N, K] for at least `classes` classes.
    """
    logits_hook(net).classes = classes
    try:
        with NetCall(EVALUATION, images), random_kept(images.device), torch.no_grad():
            logits: Tensor = evaluation_mode(net)(images)
    except NetError as error:
        raise InputError(str(error)) from error
    return logits.shape[1]


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
            try:
                with NetCall(call, images), random_kept(images.device), torch.no_grad():
                    net.train(training)
                    net(images.contiguous())
            except NetError as error:
                raise InputError(str(error)) from error
    for module, mode in modes.items():
        module.training = mode
    for buffer, value in kept.items():
        buffer.copy_(value)
    if left := lazy_tensors(net):
        raise InputError(f"lazy '{left[0]}' cannot learn its size: forward() does not use it")
