"""The shape of a data set's images before they are loaded."""

from pathlib import Path

from core.data.inputs import Inputs
from core.data.registry import FOLDER, describe, is_folder
from core.events import drain


def image_shape(dataset: str, inputs: Inputs) -> tuple[int, int, int]:
    """Channels, height and width of a batch's images under image settings.

    Those of an image folder come from the headers of some files. Raises InputError if the data set
    is unknown, or the folder cannot be read.
    """
    if not is_folder(dataset):
        images = inputs.over(describe(dataset).inputs)
        side = images.image_size or 1
        return images.channels or 1, side, side
    from core.data.folders.image_folder import read_folder
    from core.data.folders.pixels import shape_of

    folder = drain(read_folder(Path(dataset.removeprefix(FOLDER)).expanduser()))
    shape = shape_of(folder.samples, inputs)
    return shape.channels, shape.height, shape.width
