"""Learning rates over a training."""

from __future__ import annotations

from math import cos, pi

import pytest
from torch import nn

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
