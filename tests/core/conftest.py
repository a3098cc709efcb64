"""Drawn digits in the place of MNIST, and the shipped net."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.data.batches import Images, Splits
from core.formats.weights_files import load_weights
from core.nets.architectures import Cnn5
from core.nets.layers import Layer, prunable_layers
from core.nets.weights import Weights
from core.nets.zoo import model_spec
from core.pruning.plans import Plan
from core.pruning.presets import preset_plan
from tests.digits import draw, in_place_of_mnist


def head(images: Images, count: int) -> Images:
    return Images(images.images[:count], images.labels[:count], images.mean, images.std)


@pytest.fixture
def digits(digits_dir: Path) -> Iterator[Path]:
    """A data folder of drawn digits that stand in for `mnist` in one test."""
    with in_place_of_mnist(digits_dir):
        yield digits_dir


@pytest.fixture(scope="session")
def few() -> Splits:
    """Drawn digits: 2,000, 500 and 500."""
    train, validation, test = (_images(count, seed) for seed, count in enumerate((2000, 500, 500)))
    return Splits(train, validation, test)


def _images(count: int, seed: int) -> Images:
    images, labels = (torch.from_numpy(array) for array in draw(count, seed))
    return Images(images[:, None], labels.long(), mean=0.1307, std=0.3081)


@pytest.fixture(scope="session")
def tiny(few: Splits) -> Splits:
    """Enough for ten steps of 12 images."""
    return Splits(head(few.train, 120), head(few.validation, 50), head(few.test, 50))


@pytest.fixture(scope="session")
def layers() -> tuple[Layer, ...]:
    return prunable_layers(Cnn5())


@pytest.fixture(scope="session")
def aggressive(layers: tuple[Layer, ...]) -> Plan:
    return preset_plan("aggressive", "cnn5", [layer.name for layer in layers])


@pytest.fixture(scope="session")
def shipped() -> Weights:
    """The dense weights that come with cnn5."""
    return load_weights(model_spec("cnn5").shipped_weights, Cnn5())


@pytest.fixture
def dense(shipped: Weights) -> Iterator[Weights]:
    """The shipped weights; the test must not change a bit of them."""
    before = {name: tensor.clone() for name, tensor in shipped.items()}
    yield shipped
    assert all(torch.equal(before[name], shipped[name]) for name in before)


@pytest.fixture(scope="class")
def one_thread() -> Iterator[None]:
    """Torch computes with one thread, which is faster for small batches on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def few_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train on few images for the recipe's epochs, not for hundreds of steps."""
    monkeypatch.setattr("core.training.recipes.TRAINING_STEPS", 1)


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The cache folder of the platform, moved to an empty place."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    return home / "cache" / "featherweight"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all examples of a property: Hypothesis takes no fixture that is new for a test."""
    return tmp_path_factory.mktemp("config") / "recipe.toml"
