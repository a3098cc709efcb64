"""The first step on a copy: what would fail in training fails before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.data.batches import Images
from core.errors import InputError
from core.events import Notice, drain
from core.nets.outputs import logits_hook
from core.training.first_step import try_step
from core.training.recipes import RECIPES
from tests.core import peoples_nets
from tests.core.training_loops import of_type, recorded

PHASE = RECIPES["fast"].finetune


def images(count: int) -> Images:
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 1, 16, 16), dtype=torch.uint8, generator=random)
    return Images(pixels, torch.arange(count) % 10, 0.5, 0.25)


def hooked(net: nn.Module) -> nn.Module:
    logits_hook(net).classes = 10
    return net


class Sparse(nn.Module):
    """Its gradient is sparse, which AdamW does not take."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(256, 10, sparse=True)

    def forward(self, x: Tensor) -> Any:
        return self.table(x.flatten(1).long().clamp(0, 255)).sum(1)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (peoples_nets.AllFrozen, r"nothing in AllFrozen can be trained.*requires_grad_\(\)"),
        (peoples_nets.FailsAtOnce, r"\[2, 1, 16, 16\]: forward\(\) in training raised RuntimeError"
         r": out of luck \(peoples_nets.py line \d+\)"),
        (peoples_nets.FailsInTrain, r"train\(\) raised ValueError: no training today"),
        (peoples_nets.FailsBackward, r"backward\(\) raised RuntimeError: no way back"),
        (peoples_nets.StopsTraining, r"forward\(\) in training raised OwnStop: enough \(peoples"),
        (peoples_nets.WithoutGradient, r"no gradient: forward\(\) \(peoples_nets.py line \d+\) "
         r"runs under torch.no_grad\(\), detaches them, or"),
        (peoples_nets.Detached, r"the logits have no gradient: forward\(\) \(peoples_nets.py line"),
        (peoples_nets.GrowsInTraining, r"adds extra\.weight and 1 more: create it in __init__"),
        (peoples_nets.CannotBeLoaded, r"load_state_dict\(\) raised ValueError: no loading today"),
        (Sparse, r"the optimizer's step raised RuntimeError: .*sparse gradients"),
    ],
)  # fmt: skip
def test_a_net_that_cannot_be_trained_is_refused(net: type[nn.Module], message: str) -> None:
    with pytest.raises(InputError, match=message):
        drain(try_step(hooked(net()), images(4), PHASE))


def test_a_batch_of_one_image_is_tried_with_one() -> None:
    with pytest.raises(InputError, match=r"\[1, 1, 16, 16\].*more than 1 value per channel"):
        drain(
            try_step(hooked(peoples_nets.NormOfOneImage()), images(4), replace(PHASE, batch_size=1))
        )


def test_the_logits_in_training_are_named_and_the_callers_generator_stays() -> None:
    random = torch.get_rng_state()
    net = hooked(peoples_nets.AuxiliaryLogits())
    torch.set_rng_state(random)
    _, events = recorded(try_step(net, images(4), PHASE))
    assert [notice.text for notice in of_type(Notice, events)] == [
        "the net returns 2 tensors in training (logits, aux): logits is used as the logits"
    ]
    assert torch.equal(torch.get_rng_state(), random)
