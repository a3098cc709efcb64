"""What a run is asked to do, apart from the plan: checked before anything heavy is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.data.folders.disk_budget import BUDGET
from core.data.inputs import AS_THEY_ARE, Inputs
from core.errors import InputError
from core.nets.zoo import model_spec
from core.settings.choices import NO_CHOICES, Choices
from core.training.recipes import Phase, Recipe, recipe_named

PROTOCOLS = ("default", "reference")
PRECISIONS = ("auto", "fp32", "bf16")
DEVICES = ("auto", "cpu", "cuda", "mps")
MAX_THREADS = 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices that every job of a session shares.

    Attributes:
        protocol: `default` trains on 55,000 images and chooses on 5,000 apart from test;
            `reference` trains on all 60,000 and chooses on test, as the notebook did.
        choices: changes to the recipe, for the training that a command is for.
        device: `auto` takes cuda or mps where there is one.
        threads: that torch computes with; None leaves it to torch.
        data_dir: where data sets are kept; None is the platform's cache folder.
        weights: a file of weights to start from; None takes the dense net of the protocol.
        inputs: what is given of the images' size, channels and normalisation.
        cache_budget: bytes that the folders of images that are decoded may take in the cache.

    Raises:
        InputError: a value that is not one of those expected.
    """

    model: str = "cnn5"
    dataset: str = "mnist"
    protocol: str = "default"
    recipe: str = "fast"
    choices: Choices = NO_CHOICES
    precision: str = "auto"
    device: str = "auto"
    threads: int | None = None
    seed: int = 0
    data_dir: Path | None = None
    weights: Path | None = None
    inputs: Inputs = AS_THEY_ARE
    cache_budget: int = BUDGET

    def __post_init__(self) -> None:
        model_spec(self.model)
        self.choices.applied_to(recipe_named(self.recipe))
        _one_of("protocol", self.protocol, PROTOCOLS)
        _one_of("precision", self.precision, PRECISIONS)
        _one_of("device", self.device, DEVICES)
        if self.threads is not None and not 1 <= self.threads <= MAX_THREADS:
            raise InputError(f"{self.threads} threads: expected from 1 to {MAX_THREADS}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed {self.seed}: expected a whole number from 0 to 2^63 - 1")

    @property
    def finetuning(self) -> Recipe:
        """The recipe with the choices."""
        return self.choices.applied_to(recipe_named(self.recipe))

    @property
    def training(self) -> Phase:
        """How a dense net is trained by the recipe and what of the choices has a meaning there."""
        return self.choices.applied_to_dense(recipe_named(self.recipe).dense)


def _one_of(what: str, given: str, expected: tuple[str, ...]) -> None:
    if given not in expected:
        raise InputError(f"unknown {what} '{given}': expected one of {', '.join(expected)}")


DEFAULTS = Settings()
"""Everything as it is where nothing was chosen."""
