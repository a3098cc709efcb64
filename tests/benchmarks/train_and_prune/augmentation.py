"""What augmentation costs: a step of training cnn5 with every change, against one without."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from itertools import islice

from core.events import Batch
from core.training.dense import train
from core.training.recipes import AUGMENTATIONS, Augmentation, recipe_named
from tests.benchmarks.support.figures import Figure, in_turns, medians, ratio
from tests.benchmarks.support.subject import Subject, subject

STEPS, ROUNDS, EPOCHS = 4, 31, 100


def figures(_wanted: tuple[str, ...]) -> list[Figure]:
    """Four steps of 256 images with and without, in turns, 31 rounds."""
    cnn5 = subject()
    plain, augmented = _steps(cnn5, ()), _steps(cnn5, tuple(AUGMENTATIONS))
    seconds = in_turns(
        {
            "without": lambda: list(islice(plain, STEPS)),
            "augmented": lambda: list(islice(augmented, STEPS)),
        },
        rounds=ROUNDS,
    )
    spent = medians(seconds)
    epoch = len(cnn5.data.train) / recipe_named("fast").dense.batch_size / STEPS
    detail = {f"{name}_epoch": epoch * spent[name] for name in spent}
    share = 100 * (ratio(seconds["augmented"], seconds["without"]) - 1)
    what = f"cnn5 in {cnn5.precision}, {', '.join(AUGMENTATIONS)}, of a step without"
    return [Figure("augmentation_share", what, share, " %", 10.0, False, detail)]


def _steps(cnn5: Subject, augment: tuple[Augmentation, ...]) -> Iterator[Batch]:
    phase = replace(recipe_named("fast").dense, epochs=EPOCHS, augment=augment)
    stream = train(deepcopy(cnn5.net), cnn5.data, phase, precision=cnn5.precision)
    return (event for event in stream if isinstance(event, Batch))
