"""Learning-rate schedules, by the names in `recipes.Phase`."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from core.training.recipes import Phase

PER_STEP = ("onecycle",)
"""Schedules that change the learning rate at every step; the others do after every epoch."""


def build_scheduler(optimizer: Optimizer, phase: Phase, steps_in_epoch: int) -> LRScheduler:
    """The learning-rate schedule of a phase."""
    match phase.schedule:
        case "step":
            return StepLR(optimizer, step_size=1, gamma=0.7)
        case "cosine":
            return CosineAnnealingLR(optimizer, T_max=phase.epochs)
        case "onecycle":
            steps = phase.epochs * steps_in_epoch
            return OneCycleLR(optimizer, max_lr=phase.lr, total_steps=steps)
