"""The rows of the matrix X that a weight is multiplied by, and those of the output.

A linear layer has a row for each vector it is applied to; a convolution one for each position of
its output, with what lies under its kernel there. Many positions of an image are nearly alike, so a
random sample of them is enough.
"""

from __future__ import annotations

from itertools import product
from math import prod

import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor

from core.reconstruction.uses import Convolution, Use


def choices(use: Use) -> int:
    """How many rows of X a use has: for each image of a convolution, or in all."""
    return use.outputs[0, 0].numel() if use.convolution else len(use.outputs)


def choose(use: Use, most: int, generator: torch.Generator) -> Tensor:
    """At most `most` of the rows of a use, at random: their numbers, ascending."""
    number = choices(use)
    if number <= most:
        return torch.arange(number)
    return torch.randperm(number, generator=generator)[:most].sort().values


def output_rows(use: Use, chosen: Tensor) -> Tensor:
    """The chosen rows of the output, [n, rows of the weight]; a copy."""
    if use.convolution is None:
        return use.outputs[chosen]
    return use.outputs.flatten(2)[..., chosen].transpose(1, 2).flatten(0, 1)


def input_rows(use: Use, chosen: Tensor) -> Tensor:
    """The chosen rows of X, [groups, n, inputs of an output]."""
    if use.convolution is None:
        return use.inputs[chosen][None]
    return unfolded(use.inputs, use.convolution, chosen)


def unfolded(images: Tensor, settings: Convolution, chosen: Tensor) -> Tensor:
    """What lies under the kernel at some positions of a convolution's output.

    Args:
        images: [N, C, ...] with any number of dimensions.
        settings: the convolution's.
        chosen: numbers of positions of the output, row by row.

    Returns:
        [groups, N x positions, C / groups x kernel], the columns in the order of the weight's.
    """
    padding = [side for size in reversed(settings.padding) for side in (size, size)]
    padded = F.pad(images, padding)
    places = _places(tuple(padded.shape[2:]), settings, chosen)
    patches = padded.flatten(2)[..., places]
    batch, channels, positions, kernel = patches.shape
    split = patches.reshape(batch, settings.groups, -1, positions, kernel)
    return split.permute(1, 0, 3, 2, 4).reshape(
        settings.groups, batch * positions, channels // settings.groups * kernel
    )


def _places(size: tuple[int, ...], settings: Convolution, chosen: Tensor) -> Tensor:
    """The pixels under the kernel at some positions, as numbers in a flat image: [n, kernel]."""
    kernel, stride, dilation = settings.kernel, settings.stride, settings.dilation
    reach = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
    steps = [(n - r - 1) // s + 1 for n, r, s in zip(size, reach, stride, strict=True)]
    strides = [prod(size[place + 1 :]) for place in range(len(size))]
    corners = torch.zeros_like(chosen)
    rest = chosen
    for count, step, width in reversed(list(zip(steps, stride, strides, strict=True))):
        corners = corners + rest % count * step * width
        rest = rest // count
    offsets = [
        sum(at * d * width for at, d, width in zip(place, dilation, strides, strict=True))
        for place in product(*map(range, kernel))
    ]
    return corners[:, None] + torch.tensor(offsets, device=chosen.device)
