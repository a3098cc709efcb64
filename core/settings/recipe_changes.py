"""Changes to a recipe, each declared once: values, label and meaning."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from core.criteria.names import CRITERIA, CriterionName
from core.errors import InputError
from core.fields.declaration import check_fields, explicit_values, setting
from core.fields.kinds import integer, number, one_of, some_of, switch
from core.training.recipes import (
    AUGMENTATIONS,
    LOSSES,
    METHODS,
    OPTIMIZERS,
    Augmentation,
    LossName,
    Method,
    OptimizerName,
    Phase,
    Recipe,
)

DEFAULT_ROUNDS = 3
MAX_EPOCHS = 100_000

_DECADES = [float(f"{factor}e{power}") for power in range(-7, 1) for factor in (1, 2, 5)]

_RATE = number(0, 100, above=True, series=_DECADES[6:])
_STRENGTH = number(0, 1, series=(0.0, *_DECADES[:-3]))
_BATCH_SIZE = integer(1, 1_000_000, series=[2**power for power in range(13)])
_SHARE = number(0, 1, series=(0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0))
_SMOOTHING = number(0, 1, below=True, series=(0.0, 0.02, 0.05, 0.1, 0.2, 0.3))

_AUGMENT = some_of(AUGMENTATIONS, "the images as they are")


@dataclass(frozen=True, slots=True)
class RecipeChanges:
    """Changes to a recipe; None keeps the recipe's value.

    Raises InputError if a value is invalid.
    """

    UNSET: ClassVar[str] = "as the recipe says"

    method: Method | None = setting(None, one_of(METHODS), "how pruning and training alternate")
    rounds: int | None = setting(None, integer(1, 100), "prune-and-retrain rounds (iterative)")
    epochs: int | None = setting(None, integer(0, MAX_EPOCHS), "passes over the images, per round")
    lr: float | None = setting(
        None, _RATE, "step size (the peak for one-cycle)", label="learning rate"
    )
    scale_dropout: bool | None = setting(None, switch(), "lower dropout as weights are removed")
    l1: float | None = setting(None, _STRENGTH, "L1 penalty on the weights", label="L1")
    l2: float | None = setting(None, _STRENGTH, "L2 penalty (weight decay)", label="L2")
    rewind: bool | None = setting(None, switch(), "rewind kept weights to early values")
    reconstruct: bool | None = setting(None, switch(), "start from the reconstructed net")
    criterion: CriterionName | None = setting(None, one_of(CRITERIA), "what ranks the weights")
    optimizer: OptimizerName | None = setting(
        None, one_of({name: spec.meaning for name, spec in OPTIMIZERS.items()}), "optimizer"
    )
    batch_size: int | None = setting(None, _BATCH_SIZE, "images per optimizer step")
    loss: LossName | None = setting(None, one_of(LOSSES), "loss function", label="loss function")
    smoothing: float | None = setting(None, _SMOOTHING, "label smoothing, for cross-entropy")
    distill: float | None = setting(None, _SHARE, "share of distillation in the loss")
    augment: tuple[Augmentation, ...] | None = setting(
        None, _AUGMENT, "random changes to training images"
    )

    def __post_init__(self) -> None:
        check_fields(self)

    def applied_to(self, recipe: Recipe) -> Recipe:
        """The recipe with these changes; raises InputError if they conflict."""
        method, reconstruct = self.method_with(recipe), self.reconstructs(recipe)
        if reconstruct and method != "one-shot":
            raise InputError(
                f"a reconstructed net has the full plan from the start, which leaves the method "
                f"{method} nothing to prune: use one-shot, or fine-tune without reconstruction"
            )
        rewind = recipe.rewind if self.rewind is None else self.rewind
        if rewind and method == "gradual":
            raise InputError(
                "rewinding needs masks before training starts: use the method one-shot or iterative"
            )
        if self.rounds is not None and self.rounds > 1 and method != "iterative":
            raise InputError(f"{self.rounds} rounds need the method iterative, not {method}")
        for name in ("smoothing", "distill"):
            value = getattr(self, name)
            if value and (self.loss or recipe.finetune.loss) != "cross-entropy":
                raise InputError(f"{name} {value} needs the loss cross-entropy")
        rounds = (self.rounds or max(recipe.rounds, DEFAULT_ROUNDS)) if method == "iterative" else 1
        scale = recipe.scale_dropout if self.scale_dropout is None else self.scale_dropout
        return replace(
            recipe,
            finetune=self.applied_to_phase(recipe.finetune),
            method=method,
            rounds=rounds,
            scale_dropout=scale,
            rewind=rewind,
            criterion=self.criterion or recipe.criterion,
            reconstruct=reconstruct,
            distill=recipe.distill if self.distill is None else self.distill,
        )

    def from_reconstructed(self) -> Self:
        """The changes for a fine-tuning that starts from a reconstructed net."""
        return replace(self, reconstruct=True, method=None, rounds=None)

    def explicit_values(self) -> dict[str, Any]:
        """The changes by name."""
        return explicit_values(self)

    def method_with(self, recipe: Recipe) -> Method:
        """The method; several rounds imply the iterative one, a reconstructed net one-shot."""
        if self.method is None and (self.rounds or 0) > 1:
            return "iterative"
        implied: Method = "one-shot" if self.reconstructs(recipe) else recipe.method
        return self.method or implied

    def reconstructs(self, recipe: Recipe) -> bool:
        """Whether fine-tuning starts from the reconstructed net."""
        return recipe.reconstruct if self.reconstruct is None else self.reconstruct

    def applied_to_phase(self, phase: Phase) -> Phase:
        """The phase with the changes that apply to a single training."""
        same = {"epochs", "l1", "batch_size", "loss", "smoothing", "augment"}
        same &= self.explicit_values().keys()
        changes: dict[str, Any] = {name: getattr(self, name) for name in same}
        if self.l2 is not None:
            changes["weight_decay"] = self.l2
        return replace(phase.with_optimizer(self.optimizer or phase.optimizer, self.lr), **changes)


NO_CHANGES = RecipeChanges()
