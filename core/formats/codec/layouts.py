"""The names and shapes of the zoo's nets, which files leave out.

They are part of the format: a layout never changes; a net that changes gets a new number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A net's state_dict without its values.

    Attributes:
        model: its name in the zoo.
        shapes: of its tensors, by name, in order.
    """

    model: str
    shapes: tuple[tuple[str, Shape], ...]


def _layers(**weights: Shape) -> Iterator[tuple[str, Shape]]:
    """A weight and a bias for each layer; an underscore in a keyword stands for a point."""
    for name, shape in weights.items():
        path = name.replace("_", ".")
        yield f"{path}.weight", shape
        yield f"{path}.bias", shape[:1]


def _vgg16() -> Iterator[tuple[str, Shape]]:
    channels, inputs = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512), 3
    for place, outputs in zip(
        (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), channels, strict=True
    ):
        yield from _layers(**{f"features_{place}": (outputs, inputs, 3, 3)})
        inputs = outputs
    yield from _layers(
        classifier_0=(4096, 25088), classifier_3=(4096, 4096), classifier_6=(1000, 4096)
    )


LAYOUTS = (
    Layout(
        "cnn5",
        tuple(
            _layers(
                conv1=(32, 1, 5, 5),
                conv2=(32, 32, 5, 5),
                conv3=(64, 32, 5, 5),
                fc1=(256, 576),
                fc2=(10, 256),
            )
        ),
    ),
    Layout("lenet-300-100", tuple(_layers(fc1=(300, 784), fc2=(100, 300), fc3=(10, 100)))),
    Layout(
        "lenet-5",
        tuple(_layers(conv1=(20, 1, 5, 5), conv2=(50, 20, 5, 5), fc1=(500, 800), fc2=(10, 500))),
    ),
    Layout(
        "alexnet",
        tuple(
            _layers(
                features_0=(64, 3, 11, 11),
                features_3=(192, 64, 5, 5),
                features_6=(384, 192, 3, 3),
                features_8=(256, 384, 3, 3),
                features_10=(256, 256, 3, 3),
                classifier_1=(4096, 9216),
                classifier_4=(4096, 4096),
                classifier_6=(1000, 4096),
            )
        ),
    ),
    Layout("vgg16", tuple(_vgg16())),
)


def layout_number(model: str, shapes: tuple[tuple[str, Shape], ...]) -> int:
    """The number of the layout with this model, names and shapes, from 1; 0 where there is none."""
    wanted = Layout(model, shapes)
    return LAYOUTS.index(wanted) + 1 if wanted in LAYOUTS else 0
