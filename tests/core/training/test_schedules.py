"""Learning rates over a training, and the steps taken with them."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adadelta, AdamW, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from core.data.batches import Images, Splits
from core.events import Batch
from core.training.dense import train
from core.training.optimizers import build_optimizer
from core.training.recipes import Phase
from core.training.schedules import PER_STEP, build_scheduler


def rates(phase: Phase, images: int) -> list[float]:
    """The learning rate at every update of the schedule, from the first on."""
    optimizer = build_optimizer(nn.Linear(1, 1), phase)
    scheduler = build_scheduler(optimizer, phase, phase.steps_in_epoch(images))
    steps = phase.steps_in_epoch(images) if phase.schedule in PER_STEP else 1
    values = []
    for _ in range(phase.epochs * steps):
        values.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return values


def test_step_multiplies_by_0_7_after_every_epoch() -> None:
    expected = [0.5 * 0.7**epoch for epoch in range(4)]
    assert rates(Phase(4, "sgd", 0.5, "step"), 1_000) == pytest.approx(expected)


def test_cosine_falls_to_zero_over_the_epochs() -> None:
    expected = [0.25 * (1 + cos(pi * epoch / 5)) for epoch in range(5)]
    assert rates(Phase(5, "sgd", 0.5, "cosine"), 1_000) == pytest.approx(expected)


def test_onecycle_peaks_at_30_percent_of_the_steps_and_ends_near_zero() -> None:
    values = rates(Phase(2, "sgd", 0.5, "onecycle", batch_size=10), 495)
    assert len(values) == 100
    assert values.index(max(values)) == 29
    assert max(values) == pytest.approx(0.5)
    assert values[-1] < 0.5 / 10_000


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
class TestSteps:
    """Compare with a reference loop on copies of one image, so that order does not matter."""

    EPOCHS = 3
    BATCH = 10
    STEPS = 4

    @pytest.fixture
    def copies(self, tiny: Splits) -> Splits:
        count = self.BATCH * self.STEPS
        one = tiny.train
        repeated = Images(
            one.images[:1].repeat(count, 1, 1, 1), one.labels[:1].repeat(count), one.mean, one.std
        )
        return Splits(repeated, tiny.validation, tiny.test)

    @pytest.mark.parametrize(
        ("phase", "optimizer", "scheduler", "each_step"),
        [
            (
                Phase(EPOCHS, "adadelta", 1.0, "step", weight_decay=1e-3, batch_size=BATCH),
                lambda p: Adadelta(p, lr=1.0, weight_decay=1e-3),
                lambda o: StepLR(o, 1, 0.7),
                False,
            ),
            (
                Phase(EPOCHS, "sgd", 0.1, "cosine", 0.9, weight_decay=1e-2, batch_size=BATCH),
                lambda p: SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-2),
                lambda o: CosineAnnealingLR(o, 3),
                False,
            ),
            (
                Phase(EPOCHS, "adamw", 4e-3, "onecycle", weight_decay=1e-2, batch_size=BATCH),
                lambda p: AdamW(p, lr=4e-3, weight_decay=1e-2),
                lambda o: OneCycleLR(o, 4e-3, total_steps=12),
                True,
            ),
        ],
        ids=["step", "cosine", "onecycle"],
    )
    def test_training_steps_equal_those_of_a_plain_loop(
        self,
        phase: Phase,
        optimizer: Callable[[Any], Optimizer],
        scheduler: Callable[[Optimizer], LRScheduler],
        each_step: bool,
        copies: Splits,
    ) -> None:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
        plain = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
        plain.load_state_dict(model.state_dict())
        stream = train(model, copies, phase)
        for event in stream:
            if isinstance(event, Batch) and (event.epoch, event.seen) == (3, len(copies.train)):
                break
        images, labels = copies.train.batch(slice(0, self.BATCH))
        steps = optimizer(plain.parameters())
        rate = scheduler(steps)
        for number in range(1, self.EPOCHS * self.STEPS + 1):
            steps.zero_grad()
            loss = nn.functional.cross_entropy(plain(images), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            steps.step()
            if each_step or number % self.STEPS == 0:
                rate.step()
        for name, tensor in plain.state_dict().items():
            torch.testing.assert_close(model.state_dict()[name], tensor)
