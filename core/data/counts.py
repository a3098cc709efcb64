"""How many classes and channels the images of a data set have, before they are loaded."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from core.data.image_shape import image_shape
from core.data.inputs import Inputs
from core.data.registry import FOLDER, describe, is_folder


@dataclass(frozen=True)
class Counts:
    """Counted when first asked for; an image folder is listed, and some headers are read.

    Attributes:
        dataset: the data set's name.
        inputs: image settings; they may name the channels.

    Both raise InputError if the data set cannot be read.
    """

    dataset: str
    inputs: Inputs

    @cached_property
    def classes(self) -> int:
        """The number of classes."""
        if not is_folder(self.dataset):
            return describe(self.dataset).classes
        from core.data.folders.image_folder import class_folders

        root = Path(self.dataset.removeprefix(FOLDER)).expanduser()
        train = root / "train"
        return len(class_folders(train if train.is_dir() else root))

    @cached_property
    def channels(self) -> int:
        """The number of channels of an image as the net gets it."""
        return self.inputs.channels or image_shape(self.dataset, self.inputs)[0]
