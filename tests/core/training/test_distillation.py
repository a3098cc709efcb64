"""A net learns the outputs of another beside the labels."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  torch's conventional name
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import core
from core.data.batches import Splits
from core.errors import InputError, WorkError
from core.nets.architectures import Cnn5
from core.nets.weights import Weights
from core.settings.recipe_changes import RecipeChanges
from core.training.losses import TEMPERATURE, Teacher
from core.training.recipes import RECIPES

pytestmark = pytest.mark.usefixtures("one_thread")

SHARES = st.floats(0, 1)


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@given(seed=st.integers(0, 2**31), share=SHARES)
def test_the_distance_is_hintons(seed: int, share: float) -> None:
    logits, taught, loss = drawn(seed, 4, 7), 9 * drawn(seed + 1, 4, 7), torch.tensor(1.5)
    soft, target = (torch.softmax(each.double() / TEMPERATURE, 1) for each in (logits, taught))
    distance = (target * (target / soft).log()).sum(1).mean()
    expected = (1 - share) * 1.5 + share * TEMPERATURE**2 * distance
    mixed = Teacher(nn.Identity(), share, "fp32").mixed(loss, logits, taught)
    assert float(mixed) == pytest.approx(float(expected), abs=1e-4)


@given(seed=st.integers(0, 2**31), share=SHARES)
def test_the_teachers_own_outputs_leave_nothing_to_learn(seed: int, share: float) -> None:
    logits = drawn(seed, 4, 7).requires_grad_()
    labels = torch.arange(4)
    loss = F.cross_entropy(logits, labels)
    mixed = Teacher(nn.Identity(), share, "fp32").mixed(loss, logits, logits.detach())
    (gradient,) = torch.autograd.grad(mixed, logits, retain_graph=True)
    (by_labels,) = torch.autograd.grad(loss, logits)
    torch.testing.assert_close(gradient, (1 - share) * by_labels, atol=1e-6, rtol=1e-4)


class Overwriting(nn.Module):
    """Writes into its input, and drops out in training."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(784, 10)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        x *= 2
        logits: Tensor = self.drop(self.head(x.flatten(1)))
        return logits


def test_a_teacher_evaluates_and_leaves_the_images_alone() -> None:
    net, images = Overwriting(), drawn(0, 2, 1, 28, 28)
    before = images.clone()
    teacher = Teacher(net, 0.5, "fp32")
    assert torch.equal(teacher.logits(images), teacher.logits(images))
    assert torch.equal(images, before)
    assert not any(parameter.requires_grad for parameter in net.parameters())


def test_distillation_alone_does_not_see_the_labels(tiny: Splits) -> None:
    def losses(data: Splits, share: float) -> list[float]:
        torch.manual_seed(0)
        net = nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.ReLU(), nn.Linear(16, 10))
        changes = RecipeChanges(
            method="iterative", rounds=2, epochs=1, batch_size=12, distill=share
        )
        result = core.finetune(net, {"1": 0.9}, data, changes=changes)
        return [epoch.loss for epoch in result.epochs]

    other = replace(tiny, train=replace(tiny.train, labels=(tiny.train.labels + 1) % 10))
    assert losses(tiny, 1.0) == losses(other, 1.0)
    assert losses(tiny, 0.5) != losses(other, 0.5)


def test_a_net_that_fails_as_its_own_teacher_says_where(tiny: Splits) -> None:
    class Picky(nn.Module):
        """Cannot be evaluated on a whole training batch."""

        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(784, 10)

        def forward(self, x: Tensor) -> Tensor:
            if not self.training and len(x) == 12:
                raise RuntimeError("no twelve images")
            logits: Tensor = self.head(x.flatten(1))
            return logits

    changes = RecipeChanges(epochs=1, batch_size=12, distill=0.5)
    with pytest.raises(WorkError, match=r"forward\(\) in evaluation raised .*no twelve"):
        core.finetune(Picky(), {"head": 0.5}, tiny, changes=changes)


def test_distillation_needs_the_loss_cross_entropy() -> None:
    assert RecipeChanges(distill=0.5).applied_to(RECIPES["fast"]).distill == 0.5
    with pytest.raises(InputError, match=r"distill 0\.5 needs the loss cross-entropy"):
        RecipeChanges(distill=0.5, loss="margin").applied_to(RECIPES["fast"])


def test_the_model_of_a_script_is_its_own_teacher(tiny: Splits, dense: Weights) -> None:
    """Trained towards itself, a dense net without augmentation or decay stays where it is."""
    model = Cnn5()
    model.load_state_dict(dense)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    changes = RecipeChanges(
        method="one-shot", epochs=1, batch_size=12, optimizer="sgd", lr=0.01, l2=0.0, distill=1.0
    )
    result = core.finetune(copy.deepcopy(model), {}, tiny, changes=changes)
    assert result.epochs[0].loss == pytest.approx(0.0, abs=1e-5)
    for name, tensor in dense.items():
        torch.testing.assert_close(result.weights[name], tensor, atol=1e-4, rtol=0)


def test_another_teacher_teaches_and_has_to_fit(tiny: Splits) -> None:
    def linear(outputs: int, seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(784, outputs))

    changes = RecipeChanges(
        method="one-shot", epochs=1, batch_size=12, optimizer="sgd", lr=1e-7, distill=1.0
    )
    own, other = (
        core.finetune(linear(10, 0), {}, tiny, changes=changes, teacher=teacher).epochs[0].loss
        for teacher in (None, linear(10, 1))
    )
    assert own < 1e-4 < 0.1 < other
    with pytest.raises(InputError, match="a teacher needs a share of the loss: add changes="):
        core.finetune(linear(10, 0), {}, tiny, teacher=linear(10, 1))
    with pytest.raises(InputError, match="the teacher has 12 logits, but the model 10"):
        core.finetune(linear(10, 0), {}, tiny, changes=changes, teacher=linear(12, 1))


def test_a_teacher_may_need_another_memory_layout_than_the_model(tiny: Splits) -> None:
    class Viewing(nn.Module):
        """Cannot view what a convolution makes of images in channels_last."""

        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(1, 3, 5, stride=5), nn.Linear(75, 10)

        def forward(self, x: Tensor) -> Tensor:
            logits: Tensor = self.head(self.conv(x).view(len(x), -1))
            return logits

    changes = RecipeChanges(epochs=1, batch_size=12, distill=0.5)
    model = nn.Sequential(nn.Conv2d(1, 3, 5, stride=5), nn.Flatten(), nn.Linear(75, 10))
    before = Viewing()
    kept = copy.deepcopy(before.state_dict())
    core.finetune(model, {}, tiny, changes=changes, teacher=before)
    assert all(torch.equal(tensor, kept[name]) for name, tensor in before.state_dict().items())
    assert all(parameter.requires_grad for parameter in before.parameters())
