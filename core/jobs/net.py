"""A net to prune from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.events import Accuracy
from core.nets.weights import Weights
from core.pruning.what_if import Profile
from core.training.recipes import TrainingSize


@dataclass(frozen=True, eq=False)
class Net:
    """A net to prune from: its weights, and what a screen shows of them.

    Attributes:
        other_parameters: parameters outside the prunable layers.
        digest: identifies the weights.
        early: the weights early in its dense training, if stored.
        run: the run that produced it; None if there is none.
        dense: accuracy of the dense net it was pruned from; None for the dense net itself.
        dense_weights: of that net, likewise.
        trained: whether it has been trained, not just initialized.
        reconstructed: whether it was pruned layer by layer, and not trained since.
        training_size: the size of the training set; None if unknown.
        split_sizes: images in validation and test; None if unknown.
        class_names: by label; a class beyond them is called by its number.
        has_statistics: whether it has running statistics, such as BatchNorm's.
        at_chance: whether it is no better than always guessing the most common class, as far as
            its images can tell.
        unclear: whether it is at chance only because they are too few to tell.
    """

    weights: Weights
    accuracy: Accuracy
    profiles: tuple[Profile, ...]
    other_parameters: int
    digest: str = ""
    early: Weights | None = None
    run: str | None = None
    dense: Accuracy | None = None
    dense_weights: Weights | None = None
    trained: bool = True
    reconstructed: bool = False
    training_size: TrainingSize | None = None
    split_sizes: tuple[int, int] | None = None
    class_names: tuple[str, ...] = ()
    has_statistics: bool = False
    at_chance: bool = False
    unclear: bool = False

    def pruned_from(self, base: Net) -> Net:
        """This net with what is known of the dense net that `base` is, or was pruned from."""
        return replace(
            self,
            early=base.early,
            dense=base.dense or base.accuracy,
            dense_weights=base.dense_weights or base.weights,
        )
