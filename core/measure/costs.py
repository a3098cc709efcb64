"""The table of Han et al. (2015) for any net: what each layer costs, before and after pruning.

Its columns (tables 3 to 6): weights; FLOPs of one image; Act%, nonzero activations after the
ReLU; Weights%, weights kept; FLOP%, operations in which neither the weight nor the input is
zero, which is Weights% times the nonzero fraction of the input. Operations that multiply by no
prunable weight are in the total alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.events import Event
from core.nets.footprint import DeadUnits, Footprint
from core.pruning.budgets.costs import LayerCosts, NetCosts
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
        within: half the width of the 95 % interval of `act`; None if all images were measured.
    """

    macs: float
    units: float
    act: float
    input: float
    within: float | None = None


@dataclass(frozen=True, slots=True)
class NetActivity:
    """What a net does per image, measured on `images` of the `of` images of a split.

    Attributes:
        layers: the layers that the net runs.
        unprunable: multiplications by anything but a prunable weight: of activations with each
            other, as in attention, and by weights that no plan can prune.
        uncounted: layers and operations that multiply in a way that is not known.
        within: half the width of the 95 % interval of the nonzero fraction of all units; None if
            all images were measured.
    """

    layers: Mapping[str, Activity]
    images: int
    of: int
    unprunable: float = 0.0
    uncounted: tuple[str, ...] = ()
    within: float | None = None

    @property
    def sampled(self) -> bool:
        """Whether not all images were measured."""
        return self.images < self.of

    @property
    def macs(self) -> float:
        """All multiplications, zeros included."""
        return sum(layer.macs for layer in self.layers.values()) + self.unprunable


NOTHING_MEASURED = NetActivity({}, 0, 0)


@dataclass(frozen=True, slots=True)
class ActivityMeasured(Event):
    """The activity of a net on a split."""

    activity: NetActivity
    split: str


@dataclass(frozen=True, slots=True)
class Costs:
    """A row of the table.

    Attributes:
        weights: number of weights, without biases.
        flops: dense FLOPs of one image.
        act: nonzero activations in percent; None if the net does not run the layer.
        within: half the width of the 95 % interval of `act`; None if it is exact or unknown.
        kept: weights kept, in percent.
        flops_kept: FLOPs kept, in percent.
    """

    name: str
    weights: int
    flops: float
    act: float | None
    kept: float
    flops_kept: float
    within: float | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % confidence interval of `act` on all images, in percent."""
        if self.act is None:
            return None
        within = self.within or 0.0
        return max(0.0, self.act - within), min(100.0, self.act + within)


@dataclass(frozen=True, slots=True)
class CostTable:
    """The table of a net.

    Attributes:
        total: sums; `act` is the mean over all units, `kept` over all weights, `flops_kept` over
            all FLOPs, of which unprunable ones are kept.
        activity: what it was made from.
        footprint: all parameters, biases included.
        paper: the paper's table if it has this net, pruned to the same degree; layers are in the
            same order.
        dead: the dead units; None if unknown.
    """

    layers: tuple[Costs, ...]
    total: Costs
    activity: NetActivity
    footprint: Footprint
    paper: PaperNet | None = None
    dead: DeadUnits | None = None

    @property
    def unprunable_flops(self) -> float:
        """FLOPs of one image that no pruning saves."""
        return FLOPS_PER_MAC * self.activity.unprunable


def flops_kept(kept: float, nonzero_inputs: float) -> float:
    """FLOP% from Weights% and the nonzero share of the input, all in percent."""
    return kept * nonzero_inputs / 100


def multiplication_costs(layers: Sequence[Layer], activity: NetActivity) -> NetCosts:
    """Multiplications per image by weights that are not zero, and by what no plan prunes.

    A weight counts as often as the net uses it: one of a convolution at every place of its output.

    Args:
        layers: the prunable layers.
        activity: of the net on some images, see `core.measure.activity`.
    """
    macs = {name: layer.macs for name, layer in activity.layers.items()}
    each = {
        layer.name: LayerCosts.per_weight(
            layer.elements, macs.get(layer.name, 0.0) / layer.elements
        )
        for layer in layers
    }
    return NetCosts("macs", each, activity.unprunable)


def cost_table(
    model: str,
    layers: Sequence[Layer],
    kept: Mapping[str, int],
    activity: NetActivity,
    parameters: int,
) -> CostTable:
    """Build the table of a net.

    Args:
        model: the model's name; the paper's table is added if it has this net, pruned alike.
        layers: the prunable layers, in order.
        kept: weights kept in each layer.
        activity: see `core.measure.activity`.
        parameters: number of parameters of the whole net.
    """
    does = activity.layers
    rows = [_row(layer, kept[layer.name], does.get(layer.name)) for layer in layers]
    ran = [(row, does[row.name]) for row in rows if row.name in does]
    unprunable = FLOPS_PER_MAC * activity.unprunable
    nonzero = parameters - sum(layer.elements - kept[layer.name] for layer in layers)
    total = Costs(
        name="partial total" if activity.uncounted else "total",
        weights=sum(row.weights for row in rows),
        flops=sum(row.flops for row in rows) + unprunable,
        act=_mean((row.act or 0.0, layer.units) for row, layer in ran) if ran else None,
        kept=_mean((row.kept, row.weights) for row in rows),
        flops_kept=_mean([*((row.flops_kept, row.flops) for row in rows), (100.0, unprunable)]),
        within=_percent(activity.within),
    )
    footprint = Footprint(parameters, nonzero)
    return CostTable(tuple(rows), total, activity, footprint, _paper(model, rows))


def table_report(model: str, table: CostTable) -> dict[str, Any]:
    """The JSON of `featherweight table --json`; shares in percent, nulls for unknown dead units.

    `interval` is the 95 % confidence interval of `act` where not all images of the split (`of`)
    were measured.
    """
    net, dead, measured = table.footprint, table.dead, table.activity
    rest = net.without(dead) if dead else None
    total = _row_report(table.total) | {"ratio": round(net.ratio, 2) if net.nonzero else None}
    del total["name"]
    return {
        "model": model,
        "images": measured.images,
        "of": measured.of,
        "layers": [_row_report(row) for row in table.layers],
        "unprunable": {"flops": table.unprunable_flops},
        "uncounted": list(measured.uncounted),
        "total": total,
        "parameters": net.parameters,
        "nonzero": net.nonzero,
        "dead": dict(dead.units) if dead else None,
        "nonzero_without_dead": rest and rest.nonzero,
        "parameters_without_dead": rest and rest.parameters,
    }


def _row_report(row: Costs) -> dict[str, Any]:
    report = asdict(row) | {"interval": row.interval and list(row.interval)}
    del report["within"]
    return report


def _row(layer: Layer, kept: int, activity: Activity | None) -> Costs:
    share = 100 * kept / layer.elements
    return Costs(
        name=layer.name,
        weights=layer.elements,
        flops=FLOPS_PER_MAC * activity.macs if activity else 0.0,
        act=100 * activity.act if activity else None,
        kept=share,
        flops_kept=flops_kept(share, 100 * activity.input) if activity else 0.0,
        within=_percent(activity.within) if activity else None,
    )


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


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
