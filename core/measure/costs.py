"""The table of Han et al. (2015) for any net: what each layer costs, before and after pruning.

Their columns (tables 3 to 6): weights; FLOPs of one image; Act%, the activations that are not zero
after the layer's ReLU; Weights%, the weights that are left; FLOP%, the operations that are left
where neither the weight nor the input is zero, which is Weights% times the input's nonzero share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.events import Event
from core.nets.footprint import DeadUnits, Footprint, dead_facts
from core.pruning.han2015 import HAN2015, PaperNet

if TYPE_CHECKING:
    from core.nets.layers import Layer

FLOPS_PER_MAC = 2
"""A multiplication and an addition, as the paper counts."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What one layer does, on average over the images that it was measured on.

    Attributes:
        macs: multiplications with a weight, for one image, zeros included.
        units: values after its ReLU, for one image; where no ReLU follows, that come out of it.
        act: those of them that are not zero, as a share.
        input: values that go into it and are not zero, as a share.
    """

    macs: float
    units: float
    act: float
    input: float


@dataclass(frozen=True, slots=True)
class Counted(Event):
    """What each layer of a net does has been counted, on so many images of a split."""

    activities: Mapping[str, Activity]
    split: str
    images: int


@dataclass(frozen=True, slots=True)
class Costs:
    """A row of the table; shares are in percent.

    Attributes:
        name: of the layer.
        weights: without the biases.
        flops: of one image, dense.
        act: activations that are not zero; None where the net does not run the layer.
        kept: weights that are left.
        flops_kept: FLOPs that are left.
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
        parameters: biases and all.
        nonzero: those that are left, every bias counted.
        paper: the paper's table, where this net is one of its own, pruned as much; its layers are
            in the same order.
        dead: the dead units; None where they are not known.
    """

    layers: tuple[Costs, ...]
    total: Costs
    parameters: int
    nonzero: int
    paper: PaperNet | None = None
    dead: DeadUnits | None = None

    @property
    def footprint(self) -> Footprint:
        """What the net costs."""
        return Footprint(self.parameters, self.nonzero)

    @property
    def ratio(self) -> float:
        """How many times fewer parameters are left."""
        return self.footprint.ratio


def flops_kept(kept: float, nonzero_inputs: float) -> float:
    """FLOP%, from Weights% and the share of the input that is not zero, all in percent."""
    return kept * nonzero_inputs / 100


def cost_table(
    model: str,
    layers: Sequence[Layer],
    kept: Mapping[str, int],
    activities: Mapping[str, Activity],
    parameters: int,
) -> CostTable:
    """Put the table of a net together.

    Args:
        model: its name; the paper's table is laid beside that of a net of the paper which is
            pruned as the paper's was.
        layers: in order.
        kept: weights that are left in each.
        activities: what was measured of each, see `core.measure.activity`.
        parameters: of the whole net.
    """
    rows = [_row(layer, kept[layer.name], activities.get(layer.name)) for layer in layers]
    ran = [(row, activities[row.name]) for row in rows if row.name in activities]
    nonzero = parameters - sum(layer.elements - kept[layer.name] for layer in layers)
    total = Costs(
        name="total",
        weights=sum(row.weights for row in rows),
        flops=sum(row.flops for row in rows),
        act=_mean((row.act or 0.0, it.units) for row, it in ran) if ran else None,
        kept=_mean((row.kept, row.weights) for row in rows),
        flops_kept=_mean((row.flops_kept, row.flops) for row in rows),
    )
    return CostTable(tuple(rows), total, parameters, nonzero, _paper(model, rows))


def table_report(model: str, table: CostTable) -> dict[str, Any]:
    """What `featherweight table --json` writes: shares in percent."""
    total = {key: value for key, value in asdict(table.total).items() if key != "name"}
    ratio = round(table.ratio, 2) if table.nonzero else None
    return {
        "model": model,
        "layers": [asdict(row) for row in table.layers],
        "total": {**total, "ratio": ratio},
        "parameters": table.parameters,
        "nonzero": table.nonzero,
        **dead_facts(table.footprint, table.dead),
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
    """The paper's table, where as much is left of each layer as there, to the rounding."""
    paper = HAN2015.get(model)
    if paper is None or len(paper.layers) != len(rows):
        return None
    same = (abs(row.kept - its.kept) <= 0.5 for row, its in zip(rows, paper.layers, strict=True))
    return paper if all(same) else None


def _mean(weighted: Iterable[tuple[float, float]]) -> float:
    """The mean of values with weights; 0 where these are."""
    pairs = list(weighted)
    whole = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / whole if whole else 0.0
