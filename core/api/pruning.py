"""Plan, prune, and remove dead units, without training."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import get_args

from torch import Tensor, nn

from core import streams
from core.api.operations import OnEvent, run
from core.criteria.criterion import Criterion
from core.criteria.names import MAGNITUDE
from core.criteria.ranking import needs_images
from core.data.batches import Splits
from core.errors import InputError
from core.events import StopFlag, drain, never
from core.graph import dead_units
from core.graph.compaction import compacted
from core.graph.tracing import UntraceableError
from core.nets.footprint import DeadUnits
from core.nets.layers import parameter_count, prunable_layers
from core.nets.model_copy import copy_model
from core.nets.outputs import share_hook
from core.nets.prunable import unprunable
from core.nets.prunable.plain_net import check_float32, check_plain
from core.nets.trial import fit
from core.nets.user_model import splits_for
from core.nets.weights import copy_weights, load_into, state_dict
from core.pruning.allocation import NOTHING_LOCKED, allocate
from core.pruning.budgets.costs import NetCosts, parameter_costs
from core.pruning.curves import Scan
from core.pruning.goals import DEFAULT_ALLOCATION, Goal, Kind
from core.pruning.masks import Masks
from core.pruning.plans import Plan, whole_plan
from core.pruning.what_if import Profile


def unprunable_weights(model: nn.Module) -> dict[str, str]:
    """The weights of a model that cannot be pruned, with the reasons.

    Biases, norms and other vectors, which are never pruned, are not among them.

    Args:
        model: any model.

    Returns:
        The reason by the name of the weight.

    Raises:
        InputError: torch holds masks of the model, or has quantized it.

    Example:
        >>> import core
        >>> from torch import nn
        >>> layers = nn.Linear(64, 32), nn.utils.parametrizations.weight_norm(nn.Linear(32, 10))
        >>> core.unprunable_weights(nn.Sequential(nn.Flatten(), *layers))
        {'2.weight': 'computed from other parameters on every call'}
    """
    check_plain(model)
    return unprunable.unprunable_weights(model)


def plan(
    model: nn.Module,
    value: float,
    kind: Kind = "ratio",
    *,
    method: str = DEFAULT_ALLOCATION,
    locked: Mapping[str, float] = NOTHING_LOCKED,
    scan: Scan | None = None,
    dense: float | None = None,
    costs: NetCosts | None = None,
    criterion: str | Criterion = MAGNITUDE,
    data: Splits | None = None,
    seed: int = 0,
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> Plan:
    """Choose a sparsity for each layer of a model to meet a goal.

    Args:
        model: the sparsities depend on its weights.
        value: the goal: with `kind` "ratio", 20 means 20x smaller.
        kind: the unit of `value`: "ratio", parameters over nonzeros; "kept", nonzero parameters;
            "mib", MiB of nonzeros at 4 bytes each; "macs", multiplications per image, or
            "macs_percent", their percentage; or "ms", milliseconds per image on this processor.
            Biases count and are never pruned.
        method: `uniform`, `erk`, `magnitude`, `lamp`, `han`, `sensitivity` or `dp`.
        locked: fixed sparsities by layer, group or pattern, as in `prune`.
        scan: from `core.scan`; required by the methods `sensitivity` and `dp`.
        dense: accuracy of the model on the scan's images, in percent; required with `scan`.
        costs: from `core.costs`; required by the kinds that count multiplications or time.
        criterion: as in `prune`; the methods `magnitude`, `lamp` and `han` compare importances.
        data: as in `prune`.
        seed: draws the criterion's images.
        on_event: called with each event.
        stop: stop flag, checked before each batch.

    Returns:
        Sparsity per layer name, a fraction from 0 to 1.

    Raises:
        InputError: the goal is out of reach, or an argument is invalid.

    Example:
        >>> import core
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> plan = core.plan(model, 10, locked={"3": 0.75})
        >>> list(plan), plan["3"]
        (['1', '3'], 0.75)
        >>> masks = core.prune(model, plan)
        >>> sum(int(weight.count_nonzero()) for weight in model.parameters()) <= 2410 / 10
        True
    """
    check_plain(model)
    unprunable.check_prunable(model)
    if kind not in get_args(Kind):
        raise InputError(f"unknown kind '{kind}': expected one of {', '.join(get_args(Kind))}")
    layers = prunable_layers(model)
    weights = run(streams.rank(model, criterion, data, seed=seed, stop=stop), on_event)
    profiles = [Profile.of(layer, weights[layer.key].float().numpy()) for layer in layers]
    parameters = parameter_count(model)
    goal = Goal(kind, value)
    if goal.unit == "parameters":
        costs = parameter_costs(layers, parameters)
    elif costs is None or costs.unit != goal.unit:
        given = "macs" if goal.unit == "macs" else kind
        raise InputError(f"the kind '{kind}' needs costs=core.costs(model, data, '{given}')")
    budget = goal.budget(round(costs.dense))
    return allocate(method, profiles, budget, costs, locked=locked, scan=scan, dense=dense)


def prune(
    model: nn.Module,
    plan: Mapping[str, float],
    *,
    criterion: str | Criterion = MAGNITUDE,
    data: Splits | None = None,
    seed: int = 0,
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> Masks:
    """Set the least important weights of each layer of a model to zero, in place.

    Args:
        model: only its weights change.
        plan: sparsity per layer, group such as `layer3`, or pattern such as `layer3.*`: a fraction
            from 0 to 1. The more specific name wins; layers not named keep their weights.
        criterion: what ranks the weights: `magnitude`, the smallest go; `wanda`, `taylor`, `obs` or
            `random`, see `core.criteria`; or an object of yours, see
            `core.criteria.criterion.Criterion`.
        data: the training images that other criteria than magnitude see, up to 1,000 of them.
        seed: draws these images.
        on_event: called with each event, such as a notice of layers ranked by magnitude all the
            same.
        stop: stop flag, checked before each batch.

    Returns:
        The masks. In your own training loop, call `masks.hold(model, optimizer)` after each step
        to keep the zeros.

    Raises:
        InputError: the plan names an unknown layer, or a sparsity is not a fraction; the criterion
            is unknown or lacks data; the model is unchanged.
        StoppedError: `stop` returned True; the model is unchanged.

    Example:
        >>> import core
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> masks = core.prune(model, {"1": 0.75})
        >>> int(model[1].weight.count_nonzero()), int(masks.pruned["1.weight"].sum())
        (512, 1536)
    """
    check_plain(model)
    layers = prunable_layers(model)
    whole = whole_plan(plan, [layer.name for layer in layers])
    ranked = run(streams.rank(model, criterion, data, seed=seed, stop=stop), on_event)
    masks = Masks.of(ranked, layers, whole)
    weights = copy_weights(model) if needs_images(criterion) else ranked
    load_into(model, masks.apply(weights))
    return masks


def remove_dead(model: nn.Module, data: Splits) -> DeadUnits:
    """Zero all weights of dead units of a pruned model, in place, without changing its logits.

    A unit is dead if it has no nonzero incoming or no nonzero outgoing weights. Its constant
    output, if any, is added to the next biases. Existing masks then miss the new zeros:
    `from_torch_prune` returns complete ones.

    Args:
        model: only its weights change.
        data: the model is tried on a few of its images.

    Returns:
        The number of dead units per layer, and of their parameters.

    Raises:
        InputError: torch.fx cannot trace the model, or it cannot take the images; it is unchanged.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> with torch.no_grad():
        ...     _ = model[1].weight[:8].zero_()  # eight hidden units without inputs
        >>> core.remove_dead(model, data).units
        {'1': 8, '3': 0}
        >>> int(model[3].weight[:, :8].count_nonzero())
        0
    """
    with _few_images(model, data) as (net, images):
        dead = dead_units.remove_dead(net, images)
    load_into(model, state_dict(net))
    return dead


def compact(model: nn.Module, data: Splits) -> nn.Module:
    """Build a smaller dense model without the dead units of a pruned one.

    Args:
        model: takes images [N, C, H, W] and returns logits [N, K].
        data: the model is tried on a few of its images.

    Returns:
        A model for inference with smaller layers and the same logits up to rounding.

    Raises:
        InputError: torch.fx cannot trace the model, or it cannot take the images.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> with torch.no_grad():
        ...     _ = model[1].weight[:8].zero_()  # eight hidden units without inputs
        >>> [tuple(weight.shape) for weight in core.compact(model, data).parameters()]
        [(24, 64), (24,), (10, 24), (10,)]
    """
    with _few_images(model, data) as (net, images):
        return compacted(net, images)


@contextmanager
def _few_images(model: nn.Module, data: Splits) -> Iterator[tuple[nn.Module, Tensor]]:
    """A copy of a model that returns logits only, and three images that fit it."""
    check_float32(model)
    prunable_layers(model)  # raises if their sizes are not known yet
    tried, copy = (copy_model(model).model for _ in range(2))
    data = drain(fit(tried, splits_for(model, data)))  # it changes the copy's memory layout
    share_hook(tried, copy)
    images, _ = data.validation.batch(slice(0, 3))
    try:
        yield copy, images
    except UntraceableError as error:
        name = type(model).__name__
        raise InputError(f"cannot find the dead units of {name}: {error}") from error
