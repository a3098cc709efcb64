"""Pruning during fine-tuning: masks that may tighten step by step."""

import math
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass
from typing import Any

from torch import nn
from torch.optim import Optimizer

from core.errors import StoppedError
from core.nets.layers import dropouts, prunable_layers
from core.nets.weights import Weights, state_dict
from core.pruning.masks import Masks, sparsity_of
from core.training.recipes import Recipe


@dataclass(eq=False)
class Pruner:
    """Holds the masks of a fine-tuning, tightens them if the recipe is gradual, scales dropout.

    Args:
        model: the net being fine-tuned; its weights and dropouts change.
        plan: the final sparsities.
        final: the masks of the plan in one shot, in force from the start unless the recipe is
            gradual.
        steps_in_epoch: optimizer steps per epoch.
        original_dropout: each layer's dropout probability before pruning.
        rank: ranks the current weights when masks tighten, see `core.criteria.ranking`; may raise
            StoppedError. None if their magnitudes do.
    """

    model: nn.Module
    plan: Mapping[str, float]
    recipe: Recipe
    final: InitVar[Masks]
    steps_in_epoch: InitVar[int]
    original_dropout: Mapping[str, float]
    rank: Callable[[], Weights] | None = None

    def __post_init__(self, final: Masks, steps_in_epoch: int) -> None:
        self.layers = prunable_layers(self.model)
        self.dropouts = dropouts(self.model)
        steps = self.recipe.finetune.epochs * steps_in_epoch
        self.ramp_steps = max(1, int(steps * self.recipe.ramp)) if self.recipe.gradual else 0
        self.step = 0
        weights = state_dict(self.model)
        self.start = {layer.name: sparsity_of(weights[layer.key]) for layer in self.layers}
        self.masks = final.to(next(self.model.parameters()).device)
        self._counted: tuple[Masks, float] | None = None
        if self.recipe.gradual:
            self.masks = Masks.of(weights, self.layers, self.start)  # their zeros
        self._scale_dropout()

    @property
    def finished(self) -> bool:
        """Whether the full plan is in force."""
        return self.step >= self.ramp_steps

    def after_step(self, optimizer: Optimizer) -> None:
        """Keep pruned weights at zero, and tighten the masks when due."""
        self.step += 1
        self.masks.hold(self.model, optimizer)
        if self.step <= self.ramp_steps and (
            self.step % self.recipe.renew_every == 0 or self.step == self.ramp_steps
        ):
            try:
                self._prune_to(self._planned(self.step / self.ramp_steps), self._ranked())
            except StoppedError:  # the training ends before its next step
                self.step -= 1
                return
            self._scale_dropout()
            self.masks.hold(self.model, optimizer)

    def finish(self, plan: Mapping[str, float], ranked: Weights) -> None:
        """Prune to `plan` in one shot; `ranked` decides which of the current weights go."""
        if not self.finished or plan != self.plan:
            self._prune_to(plan, ranked)
        self.masks.hold(self.model)

    def sparsity(self) -> float:
        """Zeros over elements of all prunable weights."""
        masks = self.masks
        if self._counted is None or self._counted[0] is not masks:  # asked after every step
            elements = sum(layer.elements for layer in self.layers)
            kept = sum(masks.kept(layer) for layer in self.layers)
            self._counted = masks, 1.0 - kept / elements
        return self._counted[1]

    def state(self) -> dict[str, Any]:
        """Its state between two steps."""
        return {"step": self.step, "dropped": self.masks.pruned}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`; the caller restores the model's weights."""
        self.step = state["step"]
        self.masks = Masks(state["dropped"]).to(next(self.model.parameters()).device)
        self._scale_dropout()

    def _planned(self, progress: float) -> dict[str, float]:
        """Cubic from the base's sparsities to the plan's: s_f + (s_i - s_f)(1 - t)^3."""
        left = (1.0 - progress) ** 3
        return {
            name: final + (self.start[name] - final) * left for name, final in self.plan.items()
        }

    def _ranked(self) -> Weights:
        return self.rank() if self.rank else state_dict(self.model)

    def _prune_to(self, sparsities: Mapping[str, float], ranked: Weights) -> None:
        self.masks = Masks.of(ranked, self.layers, sparsities)

    def _scale_dropout(self) -> None:
        """Han et al. 2015, section 3.2: D_r = D_o * sqrt(C_r / C_o), C a layer's connections."""
        if not self.recipe.scale_dropout:
            return
        for layer in self.layers:
            if layer.name in self.dropouts:
                left = self.masks.kept(layer) / layer.elements
                original = self.original_dropout[layer.name]
                self.dropouts[layer.name].p = original * math.sqrt(left)
