"""The names and shapes of the zoo's nets, which files leave out.

They are part of the format: a layout never changes; a net that changes gets a new number.
"""

from typing import NamedTuple

Shape = tuple[int, ...]

_VGG_CHANNELS = {
    0: 64, 2: 64, 5: 128, 7: 128, 10: 256, 12: 256, 14: 256, 17: 512, 19: 512, 21: 512, 24: 512,
    26: 512, 28: 512,
}  # fmt: skip
"""Output channels of VGG-16's convolutions, by place in `features`."""


class Layout(NamedTuple):
    """The names and shapes in the state_dict of the zoo's net `model`, in order."""

    model: str
    shapes: tuple[tuple[str, Shape], ...]


def _layout(model: str, weights: dict[str, Shape]) -> Layout:
    """The layout of a net whose layers have these weights, and a bias each."""
    tensors = [
        ((f"{name}.weight", shape), (f"{name}.bias", shape[:1])) for name, shape in weights.items()
    ]
    return Layout(model, sum(tensors, ()))


def _vgg16() -> dict[str, Shape]:
    channels = zip(_VGG_CHANNELS.items(), (3, *_VGG_CHANNELS.values()), strict=False)
    return {f"features.{it}": (outputs, inputs, 3, 3) for (it, outputs), inputs in channels} | {
        "classifier.0": (4096, 25088), "classifier.3": (4096, 4096), "classifier.6": (1000, 4096)
    }  # fmt: skip


LAYOUTS = (
    _layout("cnn5", {
        "conv1": (32, 1, 5, 5), "conv2": (32, 32, 5, 5), "conv3": (64, 32, 5, 5),
        "fc1": (256, 576), "fc2": (10, 256),
    }),
    _layout("lenet-300-100", {"fc1": (300, 784), "fc2": (100, 300), "fc3": (10, 100)}),
    _layout("lenet-5", {
        "conv1": (20, 1, 5, 5), "conv2": (50, 20, 5, 5), "fc1": (500, 800), "fc2": (10, 500),
    }),
    _layout("alexnet", {
        "features.0": (64, 3, 11, 11), "features.3": (192, 64, 5, 5),
        "features.6": (384, 192, 3, 3), "features.8": (256, 384, 3, 3),
        "features.10": (256, 256, 3, 3), "classifier.1": (4096, 9216),
        "classifier.4": (4096, 4096), "classifier.6": (1000, 4096),
    }),
    _layout("vgg16", _vgg16()),
)  # fmt: skip


def layout_number(model: str, shapes: tuple[tuple[str, Shape], ...]) -> int:
    """The number of the layout with this model, names and shapes, from 1; 0 if there is none."""
    layout = Layout(model, shapes)
    return LAYOUTS.index(layout) + 1 if layout in LAYOUTS else 0
