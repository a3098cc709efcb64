"""Each criterion is its paper's formula, and every kind of layer is ranked or left out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from core.criteria.obs import DAMPING
from core.criteria.ranking import Ranking, rank
from core.data.batches import Images, Splits
from core.errors import StoppedError
from core.events import Progress, drain
from core.measure.recalibration import sample_batches
from core.nets.layers import prunable_layers
from core.nets.weights import copy_weights
from core.pruning.masks import Masks
from core.pruning.plans import uniform_plan
from tests.core.measure.recalibration.residual import Residual
from tests.core.reconstruction.test_sequence import Attending, Mixed

pytestmark = pytest.mark.usefixtures("one_thread")

ALL = ("magnitude", "wanda", "taylor", "obs", "random")


@pytest.fixture
def images(few: Splits) -> Images:
    return replace(few.train, layout=torch.contiguous_format)


def linear() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def rows_of(images: Images) -> Tensor:
    """All images that a criterion sees, as rows [N, 784]."""
    return torch.cat([images.batch(index)[0].flatten(1) for index in sample_batches(images, 0)])


def importance(net: nn.Module, criterion: str, images: Images, key: str) -> Tensor:
    ranking = drain(rank(net, criterion, images))
    weight = net.get_parameter(key)
    assert torch.equal(ranking.weights[key].sign(), weight.sign())
    return ranking.weights[key].abs()


def test_magnitude_is_the_weights_themselves(images: Images) -> None:
    net = linear()
    ranking = drain(rank(net, "magnitude", images))
    assert ranking.weights["1.weight"].data_ptr() == net.get_parameter("1.weight").data_ptr()


def test_wanda_is_the_weight_times_the_norm_of_its_inputs(images: Images) -> None:
    net, rows = linear(), rows_of(images)
    expected = net[1].weight.detach().abs() * rows.square().mean(0).sqrt()
    assert torch.allclose(importance(net, "wanda", images, "1.weight"), expected, rtol=1e-4)


def test_the_norms_of_a_convolution_are_those_of_unfolded_images(images: Images) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 3, 24, stride=2), nn.Flatten(), nn.Linear(27, 10))
    rows = F.unfold(rows_of(images).view(-1, 1, 28, 28), 24, stride=2).transpose(1, 2).flatten(0, 1)
    norms = rows.square().mean(0).sqrt().view(1, 1, 24, 24)
    found = importance(net, "wanda", images, "0.weight")
    assert torch.allclose(found, net[0].weight.detach().abs() * norms, rtol=1e-4)


def test_taylor_is_the_weight_times_the_gradient_of_the_loss(images: Images) -> None:
    net = linear()
    squares = []
    for index in sample_batches(images, 0):
        pixels, labels = images.batch(index)
        net.zero_grad()
        F.cross_entropy(net(pixels), labels).backward()
        gradient = net[1].weight.grad
        assert gradient is not None
        squares.append((gradient * net[1].weight.detach()).square())
    net.zero_grad()
    net[1].weight.requires_grad_(False)
    found = importance(net, "taylor", images, "1.weight")
    expected = torch.stack(squares).mean(0).sqrt()
    alive = expected > 0
    assert torch.allclose(found[alive], expected[alive], rtol=1e-3)
    assert not net[1].weight.requires_grad
    assert net[1].bias.grad is None


def test_the_surgeon_knows_what_is_lost_once_the_other_weights_make_up_for_it(
    images: Images,
) -> None:
    net, rows = linear(), rows_of(images).double()
    gram = rows.T @ rows / len(rows)
    gram += torch.eye(784) * (DAMPING * gram.diagonal().mean())
    found = importance(net, "obs", images, "1.weight").double()
    weight = net[1].weight.detach().double()[3]
    for column in (100, 400):
        others = [place for place in range(784) if place != column]
        # Of all changes that set this weight to zero, the least error, in closed form.
        inner = torch.linalg.solve(gram[others][:, others], gram[others, column])
        least = weight[column] ** 2 * (gram[column, column] - gram[column, others] @ inner)
        assert float(found[3, column]) == pytest.approx(float(least.sqrt()), rel=1e-3)


def test_alike_and_independent_inputs_give_magnitude_pruning(images: Images) -> None:
    """Where all inputs have the same norm and no correlation, these criteria agree."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 10))
    pixels = (torch.eye(16) * 255).byte().view(16, 1, 4, 4).repeat(10, 1, 1, 1)
    data = Images(pixels, torch.arange(160) % 10, 0.0, 1.0, torch.contiguous_format)
    weights, layers, plan = copy_weights(net), prunable_layers(net), {"1": 0.6}
    expected = Masks.of(weights, layers, plan).pruned["1.weight"]
    for criterion in ("wanda", "obs"):
        ranked = drain(rank(net, criterion, data)).weights
        assert torch.equal(Masks.of(ranked, layers, plan).pruned["1.weight"], expected), criterion


def left_out(ranking: Ranking) -> set[str]:
    return set(ranking.by_magnitude)


@pytest.mark.parametrize("criterion", ALL[1:])
@pytest.mark.parametrize("build", [Mixed, Attending, Residual])
def test_layers_of_every_kind_are_ranked_alike_with_the_same_seed(
    criterion: str, build: type[nn.Module], images: Images
) -> None:
    torch.manual_seed(0)
    net, few = build(), replace(images, images=images.images[:60], labels=images.labels[:60])
    before = copy_weights(net)
    one, two = (drain(rank(net, criterion, few, seed=3)) for _ in range(2))
    other = drain(rank(net, criterion, few, seed=4))
    layers = prunable_layers(net)
    plan = uniform_plan(0.6, [layer.name for layer in layers])
    masks, again, others = (
        Masks.of(each.weights, layers, plan).pruned for each in (one, two, other)
    )
    assert all(torch.equal(masks[key], again[key]) for key in masks)
    assert any(not torch.equal(masks[key], others[key]) for key in masks) or criterion != "random"
    for layer in layers:
        assert int(masks[layer.key].sum()) == round(0.6 * layer.elements), layer.name
    unseen = {"up", "unused"} if build is Mixed else set()
    expected = {"wanda": unseen, "obs": unseen, "random": set(), "taylor": unseen - {"up"}}
    assert left_out(one) == expected[criterion]
    assert bool(one.notice) == bool(expected[criterion])
    after = copy_weights(net)
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_later_weights_are_ranked_by_the_gram_matrices_of_the_first(images: Images) -> None:
    net = linear()
    first = drain(rank(net, "obs", images))
    events: list[object] = []
    with torch.no_grad():
        net[1].weight.mul_(2)
    second = drain(rank(net, first.criterion, images), events.append)
    assert not events, "no image is seen"
    assert torch.equal(second.weights["1.weight"], 2 * first.weights["1.weight"])


@pytest.mark.parametrize("criterion", ["wanda", "taylor", "obs"])
def test_a_stop_ends_a_ranking_within_a_batch(criterion: str, images: Images) -> None:
    done: list[int] = []

    def note(event: object) -> None:
        if isinstance(event, Progress):
            done.append(event.done)

    with pytest.raises(StoppedError):
        drain(rank(linear(), criterion, images, stop=lambda: max(done, default=0) > 200), note)
    assert max(done) < 400
