"""The table of Han et al. (2015) for any net: what each layer costs, before and after pruning.

Its columns (tables 3 to 6): weights; FLOPs of one image; Act%, nonzero activations after the
ReLU; Weights%, weights kept; FLOP%, operations in which neither the weight nor the input is
zero, which is Weights% times the nonzero fraction of the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.events import Event
from core.nets.footprint import DeadUnits, Footprint
from core.pruning.han2015 import HAN2015, PaperNet

if TYPE_CHECKING:
    from core.nets.layers import Layer

FLOPS_PER_MAC = 2
"""A multiplication and an addition, as the paper counts."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What one layer does per image, averaged over the images measured.

    Attributes:
        macs: multiplications by a weight, zeros included.
        units: activations after the layer's ReLU, or the layer's outputs if no ReLU follows.
        act: nonzero fraction of these activations.
        input: nonzero fraction of the layer's input.
    """

    macs: float
    units: float
    act: float
    input: float


@dataclass(frozen=True, slots=True)
class ActivityMeasured(Event):
    """The activity of each layer, measured on `images` images of a split."""

    activities: Mapping[str, Activity]
    split: str
    images: int


@dataclass(frozen=True, slots=True)
class Costs:
    """A row of the table.

    Attributes:
        weights: number of weights, without biases.
        flops: dense FLOPs of one image.
        act: nonzero activations in percent; None if the net does not run the layer.
        kept: weights kept, in percent.
        flops_kept: FLOPs kept, in percent.
    """

    name: str
    weights: int
    flops: float
    act: float | None
    kept: float
    flops_kept: float


@dataclass(frozen=True, slots=True)
class CostTable:
    """The table of a net.

    Attributes:
        total: sums; `act` is the mean over all units, `kept` over all weights, `flops_kept` over
            all FLOPs.
        footprint: all parameters, biases included.
        paper: the paper's table if it has this net, pruned to the same degree; layers are in the
            same order.
        dead: the dead units; None if unknown.
    """

    layers: tuple[Costs, ...]
    total: Costs
    footprint: Footprint
    paper: PaperNet | None = None
    dead: DeadUnits | None = None


def flops_kept(kept: float, nonzero_inputs: float) -> float:
    """FLOP% from Weights% and the nonzero share of the input, all in percent."""
    return kept * nonzero_inputs / 100


def cost_table(
    model: str,
    layers: Sequence[Layer],
    kept: Mapping[str, int],
    activities: Mapping[str, Activity],
    parameters: int,
) -> CostTable:
    """Build the table of a net.

    Args:
        model: the model's name; the paper's table is added if it has this net, pruned alike.
        layers: the prunable layers, in order.
        kept: weights kept in each layer.
        activities: the measured activity of each layer, see `core.measure.activity`.
        parameters: number of parameters of the whole net.
    """
    rows = [_row(layer, kept[layer.name], activities.get(layer.name)) for layer in layers]
    ran = [(row, activities[row.name]) for row in rows if row.name in activities]
    nonzero = parameters - sum(layer.elements - kept[layer.name] for layer in layers)
    total = Costs(
        name="total",
        weights=sum(row.weights for row in rows),
        flops=sum(row.flops for row in rows),
        act=_mean((row.act or 0.0, activity.units) for row, activity in ran) if ran else None,
        kept=_mean((row.kept, row.weights) for row in rows),
        flops_kept=_mean((row.flops_kept, row.flops) for row in rows),
    )
    return CostTable(tuple(rows), total, Footprint(parameters, nonzero), _paper(model, rows))


def table_report(model: str, table: CostTable) -> dict[str, Any]:
    """The JSON of `featherweight table --json`; shares in percent, nulls for unknown dead units."""
    net, dead = table.footprint, table.dead
    rest = net.without(dead) if dead else None
    total = asdict(table.total) | {"ratio": round(net.ratio, 2) if net.nonzero else None}
    del total["name"]
    return {
        "model": model,
        "layers": [asdict(row) for row in table.layers],
        "total": total,
        "parameters": net.parameters,
        "nonzero": net.nonzero,
        "dead": dict(dead.units) if dead else None,
        "nonzero_without_dead": rest and rest.nonzero,
        "parameters_without_dead": rest and rest.parameters,
    }


def _row(layer: Layer, kept: int, activity: Activity | None) -> Costs:
    share = 100 * kept / layer.elements
    return Costs(
        name=layer.name,
        weights=layer.elements,
        flops=FLOPS_PER_MAC * activity.macs if activity else 0.0,
        act=100 * activity.act if activity else None,
        kept=share,
        flops_kept=flops_kept(share, 100 * activity.input) if activity else 0.0,
    )


def _paper(model: str, rows: Sequence[Costs]) -> PaperNet | None:
    """The paper's table, if every layer keeps as much as in the paper, up to rounding."""
    paper = HAN2015.get(model)
    if paper is None or len(paper.layers) != len(rows):
        return None
    pairs = zip(rows, paper.layers, strict=True)
    return paper if all(abs(row.kept - layer.kept) <= 0.5 for row, layer in pairs) else None


def _mean(weighted: Iterable[tuple[float, float]]) -> float:
    """The weighted mean of values; 0 if the weights sum to 0."""
    pairs = list(weighted)
    total = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / total if total else 0.0
