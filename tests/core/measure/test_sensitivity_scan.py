"""The scan: exact counts, samples, stops and untraceable nets."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.data.batches import Images, Splits
from core.errors import InputError
from core.events import Event, Notice, Progress, drain
from core.formats.weights_files import load_weights
from core.measure.coarse_filter import CoarseFilter, margins
from core.measure.evaluation import evaluate
from core.measure.sensitivity_scan import scan
from core.nets.architectures import LeNet5
from core.nets.layers import Layer, prunable_layers
from core.nets.weights import Weights
from core.nets.zoo import model_spec
from core.pruning.curves import SPARSITIES, UNIFORM_SPARSITIES, PointScanned, Scan, ScanUpdated
from core.pruning.masks import Masks
from core.pruning.thresholds import pruned_by, threshold
from tests.core.conftest import head
from tests.core.random_nets import RandomNet, random_nets
from tests.core.training_loops import of_type, plain_accuracy, recorded, same

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]

POINTS = SPARSITIES[1::2]
"""Half of the usual sparsities, 0.95 among them."""


@pytest.fixture(scope="module")
def images(few: Splits) -> Images:
    """Enough images to tell the points apart."""
    train = few.train
    return replace(train, images=train.images[::5], labels=train.labels[::5])


@pytest.fixture(scope="module")
def layers() -> tuple[Layer, ...]:
    return prunable_layers(LeNet5())


@pytest.fixture(scope="module")
def shipped() -> Weights:
    """The dense weights that come with LeNet-5, the smallest net with convolutions."""
    return load_weights(model_spec("lenet-5").shipped_weights, LeNet5())


@pytest.fixture
def net(shipped: Weights) -> LeNet5:
    model = LeNet5()
    model.load_state_dict(shipped)
    return model


def plain_count(weights: Weights, pruned: dict[str, float], data: Images) -> int:
    """Prune, then evaluate everything."""
    masks = {key: pruned_by(weights[key], threshold(weights[key], s)) for key, s in pruned.items()}
    left = Masks(masks).apply(weights)
    return round(plain_accuracy(left, data, LeNet5) * len(data) / 100)


@pytest.fixture(scope="module")
def plain_counts(
    shipped: Weights, images: Images, layers: tuple[Layer, ...]
) -> dict[str, list[int]]:
    return {
        layer.name: [plain_count(shipped, {layer.key: s}, images) for s in POINTS]
        for layer in layers
    }


def counts(result: Scan) -> dict[str, list[int]]:
    return {name: [point.correct for point in points] for name, points in result.layers.items()}


class TestExact:
    @pytest.mark.parametrize(("precision", "batch"), [("fp32", 1000), ("bf16", 1000), ("bf16", 70)])
    def test_every_count_is_that_of_plain_pruning(
        self,
        precision: str,
        batch: int,
        net: LeNet5,
        images: Images,
        plain_counts: dict[str, list[int]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("core.measure.sensitivity_scan.MOST_IMAGES", batch)
        stream = scan(net, images, split="test", sparsities=POINTS, precision=precision)
        result = drain(stream)
        differ = 0
        for name, points in result.layers.items():
            for point, plain in zip(points, plain_counts[name], strict=True):
                assert abs(point.correct - plain) <= point.ties
                differ += point.correct != plain
        assert differ <= 2
        assert len({count for row in plain_counts.values() for count in row}) > 12
        assert result.exact
        assert result.traced
        assert (result.split, result.images, result.uniform) == ("test", len(images), ())

    def test_uniform_prunes_all_layers_alike(
        self, net: LeNet5, images: Images, dense: Weights, layers: tuple[Layer, ...]
    ) -> None:
        stream = scan(net, images, split="test", sparsities=[0.5], uniform=UNIFORM_SPARSITIES)
        result = drain(stream)
        assert [point.sparsity for point in result.uniform] == list(UNIFORM_SPARSITIES)
        for point in result.uniform:
            pruned = {layer.key: point.sparsity for layer in layers}
            assert point.correct == plain_count(dense, pruned, images)
        assert all(len(points) == 1 for points in result.layers.values())

    def test_a_scan_leaves_the_net_as_it_was(
        self, net: LeNet5, images: Images, dense: Weights
    ) -> None:
        stream = scan(net, head(images, 50), split="test", sparsities=[0.9], uniform=[0.9])
        drain(stream)
        assert same(net.state_dict(), dense)

    def test_sparsity_zero_is_the_dense_net_and_one_is_chance(
        self, net: LeNet5, images: Images, dense: Weights
    ) -> None:
        result = drain(scan(net, images, split="test", sparsities=[0.0, 1.0]))
        assert {row[0].correct for row in result.layers.values()} == {
            plain_count(dense, {}, images)
        }
        assert all(row[1].accuracy < 30 for row in result.layers.values())

    def test_points_are_counted_again_where_the_filter_fails(
        self,
        net: LeNet5,
        images: Images,
        plain_counts: dict[str, list[int]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def trusting(self: CoarseFilter, coarse: Tensor, exact: object) -> Tensor:
            return coarse.argmax(1).zero_()

        monkeypatch.setattr(CoarseFilter, "filtered", trusting)
        monkeypatch.setattr(CoarseFilter, "sound", property(lambda _: False))
        stream = scan(net, images, split="test", sparsities=[0.95], precision="bf16")
        result, events = recorded(stream)
        assert counts(result) == {name: row[-1:] for name, row in plain_counts.items()}
        assert of_type(ScanUpdated, events)[-1].scan == result


class TestEvents:
    def test_progress_reaches_its_total_and_every_batch_is_reported(
        self, net: LeNet5, few: Splits
    ) -> None:
        result, events = recorded(scan(net, few.train, split="train", sparsities=[0.9]))
        progress = of_type(Progress, events)
        assert (progress[-1].done, progress[-1].total) == (8_000, 8_000)
        assert [event.scan.exact for event in of_type(ScanUpdated, events)] == [False, True]
        assert of_type(ScanUpdated, events)[-1].scan == result

    def test_on_the_first_images_every_point_is_reported_as_it_is_measured(
        self, net: LeNet5, few: Splits
    ) -> None:
        stream = scan(net, few.train, split="train", sparsities=[0.9], uniform=[0.5])
        _, events = recorded(stream)
        done = [
            [event.scan.layers[name][0].images for name in event.scan.layers]
            + [point.images for point in event.scan.uniform]
            for event in of_type(PointScanned, events)
        ]
        assert done == [[1000] * (at + 1) + [0] * (4 - at) for at in range(5)]

    def test_a_stopped_scan_keeps_what_is_done(
        self, net: LeNet5, few: Splits, dense: Weights
    ) -> None:
        events: list[object] = []
        stream = scan(
            net,
            few.train,
            split="train",
            sparsities=[0.9],
            stop=lambda: len(of_type(Progress, events)) >= 6,
        )
        result = drain(stream, lambda event: events.append(event))
        assert result.stopped
        assert not result.exact
        images = [point.images for row in result.layers.values() for point in row]
        assert images == [2000, 2000, 1000, 1000]
        assert same(net.state_dict(), dense)

    def test_a_scan_stopped_at_once_knows_nothing(self, net: LeNet5, images: Images) -> None:
        result = drain(scan(net, images, split="test", stop=lambda: True))
        assert result.stopped
        assert {point.accuracy for point in result.points()} == {None}
        assert {point.interval for point in result.points()} == {(0.0, 100.0)}

    def test_a_scan_dropped_in_the_middle_leaves_the_net_as_it_was(
        self, net: LeNet5, images: Images, dense: Weights
    ) -> None:
        stream = scan(net, images, split="test", sparsities=[0.9])
        while not isinstance(next(stream), Progress):
            pass
        assert not same(net.state_dict(), dense)
        stream.close()
        assert same(net.state_dict(), dense)

    def test_a_scan_stopped_while_counting_again_knows_no_doubtful_point(
        self, net: LeNet5, images: Images, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CoarseFilter, "sound", property(lambda _: False))
        events: list[Event] = []
        stream = scan(
            net,
            images,
            split="test",
            sparsities=[0.9],
            precision="bf16",
            stop=lambda: len(of_type(ScanUpdated, events)) == 1,
        )
        result = drain(stream, events.append)
        assert result.stopped
        assert {point.accuracy for point in result.points()} == {None}


class TestQuick:
    def test_a_quick_scan_of_wide_intervals_measures_a_first_sample(
        self, net: LeNet5, images: Images
    ) -> None:
        result = drain(scan(net, images, split="test", within=80.0, sparsities=[0.9]))
        assert {point.images for point in result.points()} == {250}

    def test_every_interval_is_narrow_and_few_images_are_needed(
        self, net: LeNet5, few: Splits
    ) -> None:
        result = drain(scan(net, few.train, split="train", within=3.0, sparsities=[0.5, 0.95]))
        for point in result.points():
            assert point.images == len(few.train) or point.estimate[1] <= 3.0
        assert min(point.images for point in result.points()) < len(few.train)
        assert not result.exact

    def test_a_quick_scan_of_narrow_intervals_sees_every_image(
        self, net: LeNet5, images: Images
    ) -> None:
        result = drain(scan(net, images, split="test", within=0.01, sparsities=[0.9]))
        assert result.exact

    def test_the_seed_chooses_the_sample(self, net: LeNet5, few: Splits) -> None:
        def quick(seed: int) -> Scan:
            return drain(scan(net, few.train, split="t", within=5.0, sparsities=[0.8], seed=seed))

        assert quick(1) == quick(1)
        assert counts(quick(1)) != counts(quick(2))


class Decides(LeNet5):
    """Cannot be traced: branches on its input."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if x.sum() < 1e9 else -x)


def test_an_untraceable_net_is_scanned_whole(
    images: Images, dense: Weights, plain_counts: dict[str, list[int]]
) -> None:
    net = Decides()
    net.load_state_dict(dense)
    some = POINTS[-2:]
    result, events = recorded(scan(net, images, split="test", sparsities=some))
    assert counts(result) == {name: row[-2:] for name, row in plain_counts.items()}
    assert not result.traced
    (notice,) = of_type(Notice, events)
    assert notice.warning
    assert "the whole net runs for every point" in notice.text


def test_a_net_whose_values_take_much_is_scanned_a_few_images_at_a_time(
    net: LeNet5, images: Images, monkeypatch: pytest.MonkeyPatch, plain_counts: dict[str, list[int]]
) -> None:
    monkeypatch.setattr("core.measure.sensitivity_scan.MOST_BYTES", 1_480_000)
    result, events = recorded(scan(net, images, split="test", sparsities=[0.95]))
    assert counts(result) == {name: row[-1:] for name, row in plain_counts.items()}
    assert len(of_type(ScanUpdated, events)) == 6


@pytest.mark.parametrize("arguments", [{"sparsities": [1.2]}, {"within": 0.0}, {"within": -1}])
def test_sparsities_and_widths_out_of_range_are_refused(
    arguments: dict[str, object], net: LeNet5, images: Images
) -> None:
    with pytest.raises(InputError, match="expected"):
        drain(scan(net, images, split="test", **arguments))


class WritesInput(LeNet5):
    """Writes into its input."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.sub_(0.3))


def test_a_net_that_writes_into_its_input_is_scanned_and_counted_all_the_same(
    images: Images, dense: Weights
) -> None:
    net = WritesInput()
    net.load_state_dict(dense)
    accuracy = drain(evaluate(net, images))
    assert drain(evaluate(net, images, precision="bf16")) == accuracy
    result = drain(scan(net, images, split="test", sparsities=[0.0, 0.3], precision="bf16"))
    assert not result.traced
    assert {row[0].accuracy for row in result.layers.values()} == {accuracy}


@settings(max_examples=15)
@given(net=random_nets(), seed=st.integers(0, 1000), precision=st.sampled_from(["fp32", "bf16"]))
def test_the_counts_of_any_net_are_those_of_plain_pruning(
    net: RandomNet, seed: int, precision: str
) -> None:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (300, 1, 8, 8), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, 5, (300,), generator=generator)
    data = Images(pixels, labels, mean=0.5, std=0.3)
    result = drain(scan(net, data, split="test", sparsities=[0.3, 0.9], precision=precision))
    assert result.traced
    for layer in prunable_layers(net):
        weight = net.get_parameter(layer.key)
        whole = weight.detach().clone()
        for point in result.layers[layer.name]:
            with torch.no_grad():
                weight.masked_fill_(pruned_by(whole, threshold(whole, point.sparsity)), 0.0)
                logits = net(data.batch(slice(0, 300))[0].contiguous())
                weight.copy_(whole)
            near = int((margins(logits) <= 1e-5 * logits.abs().amax(1)).sum())
            correct = int((logits.argmax(1) == labels).sum())
            assert abs(point.correct - correct) <= near


def test_a_net_without_layers_to_prune_has_no_curves(images: Images) -> None:
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(784, affine=False))
    assert not prunable_layers(net)
    assert drain(scan(net, images, split="test")).layers == {}
