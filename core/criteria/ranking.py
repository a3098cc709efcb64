"""Importances as signed tensors: pruned by magnitude like weights, they decide which weights go.

Masks, thresholds, what-ifs and allocations take them in place of the weights. By magnitude, they
are the weights.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from core.criteria.criterion import Criterion, Sample
from core.criteria.magnitude import Magnitude
from core.criteria.names import check_criterion
from core.criteria.obs import Obs
from core.criteria.random import Random
from core.criteria.taylor import Taylor
from core.criteria.wanda import Wanda
from core.data.batches import Images
from core.errors import InputError, expected_one_of
from core.events import StopFlag, Stream, never
from core.nets.calls import evaluation_mode
from core.nets.layers import Layer, prunable_layers
from core.nets.weights import Weights, load_into, state_dict
from core.pruning.what_if import Profile
from core.system.error_text import some

NEGLIGIBLE = 1e-30
"""Importances below this count as zero."""

_CLASSES = {each.name: each for each in (Magnitude, Wanda, Taylor, Obs, Random)}


@dataclass(frozen=True, eq=False)
class Ranking:
    """The weights of a net in the order in which a criterion prunes them.

    Attributes:
        criterion: the object that ranked them.
        weights: by the names of the prunable weights in the state_dict, their importances, each
            with the sign of its weight; by magnitude, the state_dict itself.
        layers: the prunable layers.
        by_magnitude: those that the criterion left out.
    """

    criterion: Criterion
    weights: Weights
    layers: tuple[Layer, ...] = ()
    by_magnitude: tuple[str, ...] = ()

    @cached_property
    def profiles(self) -> tuple[Profile, ...]:
        """The importances of each layer, sorted; they must be on the CPU."""
        return tuple(Profile.of(layer, self.weights[layer.key].numpy()) for layer in self.layers)

    @property
    def notice(self) -> str:
        """Which layers are ranked by magnitude, although that is not the criterion; or empty."""
        if not self.by_magnitude:
            return ""
        return f"{self.criterion.name} cannot rank {some(self.by_magnitude)}: magnitude does"


def criterion_of(criterion: str | Criterion) -> Criterion:
    """A criterion by its name, as a new object; a user's own as it is.

    Raises InputError if it is neither.
    """
    if isinstance(criterion, str):
        return _CLASSES[check_criterion(criterion)]()
    if isinstance(criterion, type) or not isinstance(criterion, Criterion):
        raise InputError(
            f"criterion {criterion!r}: expected one of {', '.join(_CLASSES)}, or an object with a "
            "name and a method importance(model, layers, sample)"
        )
    return criterion


def renewed(criterion: Criterion) -> Criterion:
    """A criterion without what it keeps of the net it has ranked; a user's own as it is."""
    return type(criterion)() if type(criterion) in _CLASSES.values() else criterion


def needs_images(criterion: str | Criterion) -> bool:
    """Whether a criterion looks at images; raises InputError if there is no such criterion."""
    return not isinstance(criterion_of(criterion), Magnitude)


def rank(
    model: nn.Module,
    criterion: str | Criterion,
    data: Images,
    *,
    seed: int = 0,
    stop: StopFlag = never,
) -> Stream[Ranking]:
    """Rank the weights of a net; it is left in evaluation mode.

    Args:
        model: the net.
        criterion: a name, or an object.
        data: the training images; the criterion sees a sample drawn from `seed`.
        seed: of the sample, and of what a criterion draws.
        stop: checked before each batch.

    Raises:
        InputError: the criterion is unknown, or returns importances that do not fit the layers.
        StoppedError: `stop` was raised.
    """
    chosen, weights = criterion_of(criterion), state_dict(model)
    if isinstance(chosen, Magnitude):
        return Ranking(chosen, weights)
    layers = prunable_layers(evaluation_mode(model))
    given = chosen.importance(model, layers, Sample(data, seed, stop))
    importance = (yield from given) if isinstance(given, Generator) else given
    _check_names(chosen.name, importance, layers)
    left_out = tuple(layer.name for layer in layers if layer.name not in importance)
    ranked = {layer.key: weights[layer.key] for layer in layers}
    for layer in layers:
        if layer.name in importance:
            weight = weights[layer.key]
            values = _checked(chosen.name, layer, importance[layer.name])
            ranked[layer.key] = signed(weight, values.to(weight.device))
    return Ranking(chosen, ranked, layers, left_out)


def rank_base(
    model: nn.Module,
    base: Weights,
    criterion: str | Criterion,
    data: Images,
    *,
    seed: int = 0,
    stop: StopFlag = never,
) -> Stream[Ranking]:
    """Rank stored weights of a net, on the CPU, as `rank` does; `model` may end up holding them."""
    chosen = criterion_of(criterion)
    if isinstance(chosen, Magnitude):
        return Ranking(chosen, base)
    load_into(model, base)
    ranking = yield from rank(model, chosen, data, seed=seed, stop=stop)
    left_out = [layer.key for layer in ranking.layers if layer.name in ranking.by_magnitude]
    own = {key: tensor.cpu() for key, tensor in ranking.weights.items()}
    return replace(ranking, weights=own | {key: base[key] for key in left_out})


def signed(weight: Tensor, importance: Tensor) -> Tensor:
    """Importances with the signs of their weights, 0 where the weight is 0.

    Other weights of importance 0, such as those of inputs that are always 0, come below all others
    in the order of their magnitudes, so that a threshold does not take all of them at once.
    """
    live = weight != 0
    values = importance.detach().to(torch.float32).masked_fill(~live, 0.0)
    nothing = live & (values < NEGLIGIBLE)
    if bool(nothing.any()):
        others = values[live & ~nothing]
        least = float(others.min()) if others.numel() else 1.0
        magnitudes = weight[nothing].abs()
        values[nothing] = (magnitudes * (least / 2 / magnitudes.max())).clamp_min(
            torch.finfo(values.dtype).tiny
        )
    return values.copysign(weight)


def _check_names(criterion: str, importance: object, layers: Sequence[Layer]) -> None:
    """Raise InputError unless it is a mapping whose keys are names of layers."""
    if not isinstance(importance, Mapping):
        kind = type(importance).__name__
        raise InputError(
            f"criterion '{criterion}' returned {kind}: expected tensors by the names of layers"
        )
    known = [layer.name for layer in layers]
    for name in importance:
        if name not in known:
            expected = expected_one_of(str(name), known)
            raise InputError(f"criterion '{criterion}': unknown layer '{name}'; {expected}")


def _checked(criterion: str, layer: Layer, values: object) -> Tensor:
    """The importances of a layer; raises InputError if they are none."""
    where = f"criterion '{criterion}', layer '{layer.name}'"
    shape = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
    if not isinstance(values, Tensor) or shape != layer.shape:
        raise InputError(f"{where}: found {shape}, expected a tensor of the shape {layer.shape}")
    values = values.float()  # larger ones than float32 has are infinite
    usable = values.isfinite() & (values >= 0)
    if not bool(usable.all()):
        bad = f"{int((~usable).sum()):,} of {values.numel():,} importances are NaN, infinite or < 0"
        mend = (
            ""
            if criterion not in _CLASSES
            else (
                "; mend the net, whose weights or outputs are not all finite, or rank by magnitude"
            )
        )
        raise InputError(f"{where}: {bad}, expected finite ones of at least 0{mend}")
    return values
