"""The paper's table, recomputed from its own columns and measured on nets of any shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor, nn

from core.data.batches import Images
from core.errors import InputError, StoppedError
from core.events import Progress, drain
from core.jobs import measurement
from core.jobs.dense_net import dense_weights
from core.jobs.workbench import Workbench
from core.measure.activity import measure_activity
from core.measure.costs import (
    NOTHING_MEASURED,
    Activity,
    NetActivity,
    cost_table,
    flops_kept,
    table_report,
)
from core.nets.layers import prunable_layers
from core.pruning.han2015 import HAN2015
from core.pruning.masks import Masks
from core.pruning.plans import Plan, uniform_plan
from core.pruning.presets import preset_plan
from core.settings.settings import Settings
from tests.core.training_loops import recorded
from tests.digits import TEST


@pytest.mark.parametrize("net", HAN2015.values(), ids=HAN2015)
def test_flop_shares_recompute_from_the_papers_own_columns(net) -> None:
    before, left = 100, 0.0
    for layer in net.layers:
        # As printed, fc8 of VGG-16 is 9 where its own columns give 9.7.
        assert flops_kept(layer.kept, before) == pytest.approx(layer.flops_kept, abs=0.9)
        left += layer.flops * flops_kept(layer.kept, before)
        before = layer.act
    whole = sum(layer.flops for layer in net.layers)
    assert left / whole == pytest.approx(net.total.flops_kept, abs=0.51)
    assert whole == pytest.approx(net.total.flops, rel=0.04)
    assert sum(layer.weights for layer in net.layers) == pytest.approx(net.total.weights, rel=0.03)


@pytest.mark.parametrize("name", ["lenet-300-100", "lenet-5"])
def test_our_nets_have_the_papers_weights_and_flops(name: str, tiny) -> None:
    model = Workbench(Settings(model=name)).fresh_model()
    layers, paper = prunable_layers(model), HAN2015[name]
    activity = drain(measure_activity(model, tiny.test))
    kept = {layer.name: layer.elements for layer in layers}
    table = cost_table(name, layers, kept, activity, 1)
    assert table.total.flops == pytest.approx(paper.total.flops, rel=0.002)
    for row, paper_row in zip(table.layers, paper.layers, strict=True):
        assert row.name == paper_row.name
        assert row.weights == pytest.approx(paper_row.weights, rel=0.003)
        assert row.flops == pytest.approx(paper_row.flops, rel=0.003)
    assert table.paper is None, "nothing is pruned"
    units = [layer.units for layer in activity.layers.values()]
    assert units == {"lenet-300-100": [300, 100, 10], "lenet-5": [2880, 800, 500, 10]}[name]
    # The paper's total Act% is the mean over all units. For LeNet-5 this shows that activations
    # are counted after the pooling.
    mean = sum(n * row.act for n, row in zip(units, paper.layers, strict=True)) / sum(units)
    assert mean == pytest.approx(paper.total.act, abs=0.5)


class Every(nn.Module):
    """Every kind of ReLU, in every way that nets put one after a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.left = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.right = nn.Conv2d(4, 4, 1)
        self.up = nn.ConvTranspose2d(4, 2, 2, stride=2)
        self.twice = nn.Linear(8, 8)
        self.shared = nn.Linear(8, 8)
        self.shared.weight = self.twice.weight
        self.attention = nn.MultiheadAttention(6, 2)
        self.place = nn.Embedding(3, 6)
        self.smooth = nn.Linear(8, 6)
        self.last = nn.Linear(6, 3)
        self.unused = nn.Linear(5, 5)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(self.stem(x)))
        x = F.relu6(F.max_pool2d(self.left(x) + self.right(x), 4))
        x = self.up(x).clamp_min(0.0)
        x = x.flatten(1)[:, :8]
        x = F.relu(self.twice(x))
        x = torch.relu(self.twice(x))
        x = self.shared(x).clamp(min=0)
        x = F.gelu(self.smooth(x))
        x = x + self.attention(x, x, x)[0] + self.place(torch.zeros(len(x), dtype=torch.long))
        return self.last(input=x)


@pytest.fixture
def images() -> Images:
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (7, 1, 8, 8), generator=random, dtype=torch.uint8)
    return Images(pixels, torch.zeros(7, dtype=torch.long), 0.5, 0.25)


def by_hand(net: Every, data: Images) -> dict[str, tuple[float, float]]:
    """The nonzero fractions of each layer's rectified output and of its input, by hand."""
    x, _ = data.batch(slice(None))
    share: Callable[[Tensor], float] = lambda tensor: float((tensor != 0).double().mean())  # noqa: E731
    stem = F.relu(net.norm(net.stem(x)))
    both = F.relu6(F.max_pool2d(net.left(stem) + net.right(stem), 4))
    up = net.up(both).clamp_min(0)
    flat = up.flatten(1)[:, :8]
    once = F.relu(net.twice(flat))
    again = F.relu(net.twice(once))
    thrice = net.shared(again).clamp(min=0)
    smooth = net.smooth(thrice)
    mixed = F.gelu(smooth)
    attention = net.attention
    projected = F.linear(mixed, attention.in_proj_weight, attention.in_proj_bias)
    heads = [part.unflatten(-1, (2, 3)).transpose(0, 1) for part in projected.chunk(3, dim=-1)]
    attended = F.scaled_dot_product_attention(*heads).transpose(0, 1).flatten(-2)
    rows = mixed
    mixed = mixed + attention.out_proj(attended)
    mixed = mixed + net.place(torch.zeros(len(mixed), dtype=torch.long))
    return {
        "stem": (share(stem), share(x)),
        "left": (share(both), share(stem)),
        "right": (share(both), share(stem)),
        "up": (share(up), share(both)),
        "twice": (
            (share(once) + share(again) + share(thrice)) / 3,
            (share(flat) + share(once) + share(again)) / 3,
        ),
        "attention.in_proj_weight": (share(projected), share(rows)),
        "attention.out_proj": (share(attention.out_proj(attended)), share(attended)),
        "place": (1.0, 1.0),
        "smooth": (share(smooth), share(thrice)),
        "last": (1.0, share(mixed)),
    }


def test_a_relu_belongs_to_the_layers_whose_values_reach_it_first(images: Images) -> None:
    torch.manual_seed(1)
    net = Every().eval()
    measured = drain(measure_activity(net, images))
    with torch.no_grad():
        expected = by_hand(net, images)
    names = [layer.name for layer in prunable_layers(net)]
    assert list(measured.layers) == [name for name in names if name != "unused"]
    for name, activity in measured.layers.items():
        assert (activity.act, activity.input) == pytest.approx(expected[name]), name
    macs = {name: activity.macs for name, activity in measured.layers.items()}
    assert macs == {
        "stem": 64 * 4 * 9,
        "left": 64 * 4 * 2 * 9,
        "right": 64 * 4 * 4,
        "up": 4 * 4 * 2 * 4,
        "twice": 3 * 64,
        "attention.in_proj_weight": 3 * 36,
        "attention.out_proj": 36,
        "place": 0,
        "smooth": 48,
        "last": 18,
    }
    assert measured.unprunable == 2 * 7 * 6, "all 7 images are one sequence"
    assert measured.uncounted == ()


def test_counting_activity_leaves_no_hook_in_the_net(images: Images) -> None:
    net = Every()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    drain(measure_activity(net, images))
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert not any(module._forward_hooks for module in net.modules())


def test_counting_activity_stops_between_two_batches(images: Images) -> None:
    with pytest.raises(StoppedError):
        drain(measure_activity(Every(), images, stop=lambda: True))


def test_a_layer_that_is_not_run_has_no_activity(images: Images) -> None:
    net = Every()
    layers = prunable_layers(net)
    activity = drain(measure_activity(net, images))
    kept = {layer.name: layer.elements for layer in layers}
    table = cost_table("mine.py:Every", layers, kept, activity, 1_000)
    rows = {row.name: row for row in table.layers}
    assert (rows["unused"].act, rows["unused"].flops) == (None, 0.0)
    assert table.total.flops == 2 * activity.macs
    assert table.unprunable_flops == 2 * activity.unprunable > 0
    rest = sum(row.flops_kept * row.flops for row in table.layers) + 100 * table.unprunable_flops
    assert table.total.flops_kept == pytest.approx(rest / table.total.flops)


def test_a_table_that_leaves_something_out_says_so_in_its_total() -> None:
    layers = prunable_layers(nn.Sequential(nn.Linear(4, 2)))
    measured = NetActivity({"0": Activity(8, 2, 0.5, 1.0, 0.6)}, 1, 9, 8.0, ("1 (aten.cdist)",))
    table = cost_table("x", layers, {"0": 4}, measured, 8)
    assert table.total.name == "partial total"
    report = table_report("x", table)
    assert (report["images"], report["of"], report["uncounted"]) == (1, 9, ["1 (aten.cdist)"])
    assert report["unprunable"] == {"flops": 16.0}
    assert report["layers"][0]["interval"] == [0.0, 100.0]
    assert report["total"]["flops_kept"] == 75.0
    assert json.loads(json.dumps(report)) == report


class TestShipped:
    @pytest.fixture(scope="class")
    def workbench(self, data_dir: Path) -> Workbench:
        return Workbench(Settings(model="lenet-5", data_dir=data_dir, precision="fp32"))

    def test_the_table_of_the_papers_plan_has_its_figures_beside_it(
        self, workbench: Workbench
    ) -> None:
        dense = drain(dense_weights(workbench))
        plan: Plan = preset_plan("han2015", "lenet-5", workbench.layer_names)
        weights = Masks.of(dense.weights, workbench.layers, plan).apply(dense.weights)
        table, events = recorded(measurement.costs(workbench, weights, "test"))
        assert table.paper is HAN2015["lenet-5"]
        assert (table.footprint.nonzero, round(table.footprint.ratio, 2)) == (36_860, 11.7)
        assert [round(row.kept) for row in table.layers] == [66, 12, 8, 19]
        assert table.total.flops == 4_586_000
        shares = [(row.act or 0) for row in table.layers]
        before = [100.0, *shares]
        for row, share in zip(table.layers, before, strict=False):
            assert row.flops_kept == pytest.approx(row.kept * share / 100)
        report = table_report("lenet-5", table)
        assert json.loads(json.dumps(report)) == report
        assert report["dead"] == {"conv1": 0, "conv2": 0, "fc1": 115, "fc2": 0}
        assert report["nonzero_without_dead"] < report["nonzero"] == 36_860
        assert set(report) >= {"model", "layers", "total"}
        columns = {"weights", "flops", "act", "interval", "kept", "flops_kept"}
        assert set(report["total"]) == {*columns, "ratio"}
        assert (report["images"], report["of"], report["uncounted"]) == (TEST, TEST, [])
        assert [row["interval"] for row in report["layers"]] == [
            [row["act"]] * 2 for row in report["layers"]
        ]
        assert set(report["layers"][0]) == {*report["total"], "name"} - {"ratio"}
        steps = {event.step: event.total for event in events if isinstance(event, Progress)}
        assert steps["measuring activations"] == TEST

    def test_a_dense_net_keeps_every_weight_and_flop(self, workbench: Workbench) -> None:
        dense = drain(dense_weights(workbench))
        masks = Masks.of(dense.weights, workbench.layers, uniform_plan(0.0, workbench.layer_names))
        table = drain(measurement.costs(workbench, masks.apply(dense.weights), "validation"))
        assert (table.total.kept, table.footprint.ratio, table.paper) == (100.0, 1.0, None)
        assert table.dead is not None
        assert (table.dead.total, table.dead.parameters) == (0, 0)
        assert table.layers[0].flops_kept == 100.0

    def test_an_unknown_split_is_refused(self, workbench: Workbench) -> None:
        with pytest.raises(InputError, match="unknown split 'train'"):
            drain(measurement.costs(workbench, {}, "train"))


def test_with_nothing_measured_the_shares_of_weights_are_there() -> None:
    layers = prunable_layers(nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2)))
    table = cost_table("x", layers, {"0": 4, "1": 1}, NOTHING_MEASURED, 18)
    assert [row.kept for row in table.layers] == [50.0, 25.0]
    assert (table.total.kept, table.total.act) == (pytest.approx(500 / 12), None)
    assert table.footprint.nonzero == 11
