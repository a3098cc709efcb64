"""Predictions of two nets: equal to plain argmaxes and plain counts, however computed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.data.batches import Images, Splits
from core.errors import InputError, StoppedError
from core.events import Event, Progress, drain
from core.measure.comparison import (
    PAGE,
    ComparisonUpdated,
    Mode,
    NetComparison,
    all_predictions,
    compare,
    confusion,
    newly_wrong,
    one_per_class,
    predictions_of,
)
from core.measure.evaluation import evaluate
from core.nets.architectures import Cnn5
from core.nets.layers import Layer
from core.nets.weights import Weights
from core.pruning.masks import Masks
from core.pruning.plans import uniform_plan
from tests.core.conftest import head
from tests.core.training_loops import of_type, recorded

pytestmark = pytest.mark.usefixtures("one_thread")

Ints = NDArray[np.int64]
Nets = tuple[nn.Module, nn.Module]
Pair = tuple[Ints, Ints]


@pytest.fixture(scope="module")
def nets(shipped: Weights, layers: tuple[Layer, ...]) -> Nets:
    """The dense net and the same net, pruned; in training mode, as a caller may leave them.

    The pruned net gets about one image in fifteen wrong.
    """
    plan = uniform_plan(0.75, [layer.name for layer in layers])
    dense, pruned = Cnn5(), Cnn5()
    dense.load_state_dict(shipped)
    pruned.load_state_dict(Masks.of(shipped, layers, plan).apply(shipped))
    return dense, pruned


@pytest.fixture(scope="module")
def data(few: Splits) -> Images:
    """Three batches; the last is not full."""
    return head(few.train, 600)


@pytest.fixture(scope="module")
def plain(nets: Nets, data: Images) -> Pair:
    return plain_predictions(nets[0], data), plain_predictions(nets[1], data)


def plain_logits(model: nn.Module, data: Images) -> Tensor:
    model.eval()
    pixels = (data.images / 255 - data.mean) / data.std
    with torch.no_grad():
        return torch.cat([model(some) for some in torch.split(pixels, 37)])


def plain_predictions(model: nn.Module, data: Images) -> Ints:
    predictions: Ints = plain_logits(model, data).argmax(1).numpy()
    return predictions


def frozen(*arrays: NDArray[np.generic]) -> bool:
    return not any(array.flags.writeable for array in arrays)


class Rgb(nn.Module):
    """A net for tiny color images, with random predictions."""

    def __init__(self, classes: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.last = nn.Linear(3 * 4 * 5, classes)

    def forward(self, x: Tensor) -> Tensor:
        # A view that fails for an empty batch.
        logits: Tensor = self.last(x.reshape(x.shape[0], -1))
        return logits


class Wobbly(nn.Module):
    """A net whose bf16 logits are good at first, then random."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.calls = net, 0

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.net(x)
        if torch.is_autocast_enabled("cpu"):
            self.calls += 1
            noise = torch.rand(logits.shape, generator=torch.Generator().manual_seed(0))
            logits = logits + (100 * noise if self.calls > 1 else 0)
        return logits


def color_images(images: int, classes: int) -> Images:
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(256, (images, 3, 4, 5), generator=generator, dtype=torch.uint8)
    return Images(pixels, torch.arange(images) % classes, 0.5, 0.25)


# One net


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_all_predictions_are_the_plain_ones(
    precision: str, nets: Nets, data: Images, plain: Pair
) -> None:
    predictions, events = recorded(all_predictions(nets[1], data, precision, step="predicting"))
    assert predictions.tolist() == plain[1].tolist()
    assert predictions.dtype == np.int64
    assert frozen(predictions)
    assert events == [Progress("predicting", done, 600, "images") for done in (0, 250, 500, 600)]
    accuracy = drain(evaluate(nets[1], data, precision=precision))
    assert 100 * np.mean(predictions == data.labels.numpy()) == pytest.approx(accuracy)


def test_predictions_are_computed_again_where_the_filter_was_wrong(
    nets: Nets, data: Images, plain: Pair
) -> None:
    predictions, events = recorded(all_predictions(Wobbly(nets[1]), data, "bf16"))
    assert [event.done for event in of_type(Progress, events)] == [0, 250, 0, 250, 500, 600]
    assert predictions.tolist() == plain[1].tolist()


def test_a_comparison_stops_before_the_next_batch(nets: Nets, data: Images) -> None:
    seen: list[Event] = []
    with pytest.raises(StoppedError, match="stopped"):
        drain(all_predictions(nets[0], data, stop=lambda: len(seen) == 2), seen.append)
    assert [event.done for event in of_type(Progress, seen)] == [0, 250]


def test_predictions_of_a_few_images_are_those_of_float32(nets: Nets, data: Images) -> None:
    indices = (7, 3, 599, 3, 0)
    logits = plain_logits(nets[1], data)[list(indices)]
    shown = predictions_of(nets[1], data, indices)
    assert shown.classes.tolist() == logits.argmax(1).tolist()
    assert shown.shares.dtype == np.float32
    assert shown.shares.sum(1) == pytest.approx(100.0)
    assert shown.shares.tolist() == pytest.approx((100 * logits.softmax(1)).numpy(), abs=1e-3)
    assert shown.confidences.tolist() == shown.shares.max(1).tolist()
    assert (shown.confidences >= 100 / 10).all()
    assert frozen(shown.classes, shown.shares, shown.confidences)


def test_large_images_are_predicted_a_few_at_a_time(
    nets: Nets, data: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, sizes = predictions_of(nets[1], data, range(10)), []
    monkeypatch.setattr("core.measure.evaluation._VALUES", 4 * 28 * 28)
    hook = nets[1].register_forward_pre_hook(lambda _, args: sizes.append(len(args[0])))
    parts = predictions_of(nets[1], data, range(10))
    hook.remove()
    assert sizes == [4, 4, 2]
    assert parts.classes.tolist() == whole.classes.tolist()
    assert parts.shares == pytest.approx(whole.shares, abs=1e-3)


def test_predictions_of_no_images_have_the_number_of_classes() -> None:
    shown = predictions_of(Rgb(7, seed=0), color_images(5, 7), ())
    assert shown.shares.shape == (0, 7)
    assert len(shown.classes) == len(shown.confidences) == 0


def test_the_confidence_of_nan_logits_is_nan(data: Images) -> None:
    net = Cnn5()
    nn.init.constant_(net.fc2.bias, torch.nan)
    assert np.isnan(predictions_of(net, data, (0, 1)).confidences).all()


# Two nets


def assert_true(
    comparison: NetComparison, plain: Pair, data: Images, mode: Mode = "chosen", start: int = 0
) -> None:
    """Check all fields of a comparison against plain predictions."""
    dense, pruned = plain
    labels, index = data.labels.numpy(), comparison.indices
    expected = (
        one_per_class(labels, comparison.classes, start)
        if mode == "chosen"
        else newly_wrong(labels, dense, pruned, start)
    )
    assert tuple(index.tolist()) == expected
    assert comparison.labels.tolist() == labels[index].tolist()
    assert comparison.pixels.dtype == np.uint8
    assert comparison.dense.classes.tolist() == dense[index].tolist()
    assert comparison.pruned.classes.tolist() == pruned[index].tolist()
    assert frozen(index, comparison.pixels, comparison.labels, comparison.dense.classes)
    counts = comparison.counts
    if counts:
        assert counts.dense.tolist() == confusion(labels, dense, comparison.classes).tolist()
        assert counts.pruned.tolist() == confusion(labels, pruned, comparison.classes).tolist()
        assert frozen(
            counts.dense, counts.pruned, counts.dense_predictions, counts.pruned_predictions
        )


@pytest.mark.parametrize("start", [0, 3])
def test_chosen_images_are_reported_at_once(
    start: int, nets: Nets, data: Images, plain: Pair
) -> None:
    comparison, events = recorded(compare(*nets, data, start=start))
    assert events == [ComparisonUpdated(comparison)]
    assert comparison.counts is None
    assert comparison.labels.tolist() == list(range(10))
    assert (comparison.pixels == data.images[comparison.indices.tolist(), 0].numpy()).all()
    assert_true(comparison, plain, data, start=start)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_chosen_images_come_before_the_matrices(
    precision: str, nets: Nets, data: Images, plain: Pair
) -> None:
    comparison, events = recorded(compare(*nets, data, matrix=True, precision=precision))
    assert isinstance(events[0], ComparisonUpdated)
    assert events[0].comparison.counts is None
    assert of_type(ComparisonUpdated, events)[1:] == [ComparisonUpdated(comparison)] == events[-1:]
    steps = [event.step for event in of_type(Progress, events)]
    assert steps == 4 * ["predicting (dense net)"] + 4 * ["predicting (pruned net)"]
    assert comparison.counts is not None
    assert_true(comparison, plain, data)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("start", [0, 1, -1, 1_000])
def test_newly_wrong_images_are_reported_as_soon_as_a_page_is_full(
    start: int, precision: str, nets: Nets, data: Images, plain: Pair
) -> None:
    stream = compare(
        *nets, data, mode="wrong", start=start, dense_predictions=plain[0], precision=precision
    )
    comparison, events = recorded(stream)
    assert_true(comparison, plain, data, "wrong", start)
    assert comparison.counts is not None
    assert comparison.counts.newly_wrong >= 3 * PAGE
    assert {event.step for event in of_type(Progress, events)} == {"predicting (pruned net)"}
    updates = of_type(ComparisonUpdated, events)
    assert updates[-1].comparison is comparison
    if start not in (0, 1):
        assert len(updates) == 1
        return
    early, done = updates[0].comparison, events[events.index(updates[0]) - 1]
    assert len(updates) == 2
    assert early.counts is None
    assert early.indices.tolist() == comparison.indices.tolist()
    assert_true(early, plain, data, "wrong", start)
    assert isinstance(done, Progress)
    # In the batch that predicts the last image of the page.
    assert done.done - 250 <= early.indices[-1] < done.done < 600


def test_a_net_that_is_as_good_has_no_newly_wrong_images(nets: Nets, data: Images) -> None:
    few = head(data, 120)
    comparison, events = recorded(compare(nets[0], nets[0], few, mode="wrong"))
    assert len(of_type(ComparisonUpdated, events)) == 1
    assert len(comparison.indices) == len(comparison.pruned.confidences) == 0
    assert comparison.pixels.shape == (0, 28, 28)
    assert comparison.counts is not None
    assert comparison.counts.newly_wrong == 0


def test_a_net_compared_with_itself_runs_once(nets: Nets, data: Images, plain: Pair) -> None:
    comparison, events = recorded(compare(nets[0], nets[0], data, matrix=True))
    assert {event.step for event in of_type(Progress, events)} == {"predicting (dense net)"}
    assert comparison.counts is not None
    assert comparison.counts.pruned_predictions.tolist() == plain[0].tolist()


def test_known_predictions_are_used_and_not_computed(nets: Nets, data: Images) -> None:
    ones, threes = np.full(600, 1), np.full(600, 3)
    comparison, events = recorded(
        compare(*nets, data, matrix=True, dense_predictions=ones, pruned_predictions=threes)
    )
    assert not of_type(Progress, events)
    assert comparison.dense.classes.tolist() == 10 * [1]
    assert comparison.pruned.classes.tolist() == 10 * [3]
    assert comparison.pruned.confidences.tolist() == comparison.pruned.shares[:, 3].tolist()
    assert comparison.counts is not None
    assert comparison.counts.newly_wrong == (data.labels == 1).sum()
    assert frozen(comparison.counts.dense_predictions)
    assert ones.flags.writeable


@pytest.mark.parametrize("mode", ["chosen", "wrong"])
@pytest.mark.parametrize("classes", [2, 12])
def test_nets_for_color_images_and_any_number_of_classes_are_compared(
    classes: int, mode: Mode
) -> None:
    both, data = (Rgb(classes, seed=0), Rgb(classes, seed=1)), color_images(300, classes)
    comparison, _ = recorded(compare(*both, data, mode=mode, matrix=True))
    assert comparison.classes == classes
    assert_true(
        comparison, (plain_predictions(both[0], data), plain_predictions(both[1], data)), data, mode
    )
    assert len(comparison.indices) == (PAGE if mode == "wrong" else min(PAGE, classes))
    some = data.images[comparison.indices.tolist()].double()
    assert comparison.pixels.shape == (len(some), 4, 5)
    assert np.abs(comparison.pixels - some.mean(1).numpy()).max() <= 0.5


def test_a_comparison_stopped_in_the_middle_raises(nets: Nets, data: Images) -> None:
    seen: list[Event] = []
    stream = compare(*nets, data, matrix=True, stop=lambda: len(seen) >= 3)
    with pytest.raises(StoppedError):
        drain(stream, seen.append)
    assert [type(event) for event in seen] == [ComparisonUpdated, Progress, Progress]


def test_images_of_more_classes_than_the_nets_know_are_refused() -> None:
    few = (Rgb(2, seed=0), Rgb(2, seed=1))
    with pytest.raises(InputError, match="label 2 "):
        drain(compare(*few, color_images(30, 3), matrix=True))


def test_an_unknown_mode_is_refused(nets: Nets, data: Images) -> None:
    mode: Any = "right"
    with pytest.raises(InputError, match="unknown mode 'right': expected one of chosen, wrong"):
        drain(compare(*nets, data, mode=mode))


def test_the_events_are_known_without_torch() -> None:
    code = "import sys, core.measure.comparison; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
