"""What augmentation and distillation cost: a step of training cnn5 with each, against one plain."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from itertools import islice

from core.events import Batch, never
from core.training.loop import Trainer
from core.training.losses import Teacher
from core.training.recipes import AUGMENTATIONS, Augmentation, recipe_named
from tests.benchmarks.support.figures import Figure, in_turns, medians, ratio
from tests.benchmarks.support.subject import Subject, subject

STEPS, ROUNDS, EPOCHS = 4, 31, 100


def figures(_wanted: tuple[str, ...]) -> list[Figure]:
    """Four steps of 256 images of each kind, in turns, 31 rounds."""
    cnn5 = subject()
    teacher = Teacher(deepcopy(cnn5.net), 0.9, cnn5.precision)
    steps = {
        "plain": _steps(cnn5),
        "augmented": _steps(cnn5, augment=tuple(AUGMENTATIONS)),
        "distilled": _steps(cnn5, teacher),
    }
    works = {name: lambda kind=kind: list(islice(kind, STEPS)) for name, kind in steps.items()}
    seconds = in_turns(works, rounds=ROUNDS)
    epoch = len(cnn5.data.train) / recipe_named("fast").dense.batch_size / STEPS
    detail = {f"{name}_epoch": epoch * spent for name, spent in medians(seconds).items()}
    what = f"cnn5 in {cnn5.precision}, {{}}, of a plain step"
    augmented, distilled = (
        100 * (ratio(seconds[name], seconds["plain"]) - 1) for name in ("augmented", "distilled")
    )
    changes = ", ".join(AUGMENTATIONS)
    return [
        Figure("augmentation_share", what.format(changes), augmented, " %", 10.0, False, detail),
        Figure("distillation_share", what.format("distilled"), distilled, " %", 40.0, False),
    ]


def _steps(
    cnn5: Subject, teacher: Teacher | None = None, augment: tuple[Augmentation, ...] = ()
) -> Iterator[Batch]:
    phase = replace(recipe_named("fast").dense, epochs=EPOCHS, augment=augment)
    net = deepcopy(cnn5.net)
    trainer = Trainer(net, cnn5.data.train, phase, 0, cnn5.precision, teacher=teacher)
    while not trainer.finished:
        for event in trainer.run_epoch(never):
            if isinstance(event, Batch):
                yield event
