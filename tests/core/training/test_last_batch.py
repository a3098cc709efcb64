"""A last batch of one image joins the one before it, if the net cannot train on one image."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.errors import InputError
from core.events import Batch, drain, never
from core.nets.model_copy import copy_model
from core.nets.weights import copy_weights
from core.training.checkpoints import Checkpoint
from core.training.loop import Trainer
from core.training.recipes import Phase
from tests.core.peoples_nets import NormOfOneImage, Plain
from tests.core.training.test_first_step import images
from tests.core.training_loops import of_type, recorded, same

pytestmark = pytest.mark.usefixtures("one_thread")

PHASE = Phase(2, "adamw", lr=1e-3, schedule="onecycle", batch_size=4)


def seen(net: nn.Module, count: int) -> list[int]:
    trainer = Trainer(net, images(count), PHASE, 0, "fp32")
    _, events = recorded(trainer.run_epoch(never))
    batches = of_type(Batch, events)
    assert len(batches) == trainer.steps_in_epoch
    return [batch.seen for batch in batches]


@pytest.mark.parametrize(
    ("count", "expected"), [(9, [4, 9]), (5, [5]), (8, [4, 8]), (10, [4, 8, 10]), (13, [4, 8, 13])]
)
def test_the_last_batch_of_one_image_joins_the_one_before(count: int, expected: list[int]) -> None:
    assert seen(NormOfOneImage(), count) == expected


def test_a_net_that_trains_on_one_image_keeps_its_batches() -> None:
    assert seen(Plain(), 9) == [4, 8, 9]
    assert seen(nn.Sequential(nn.Flatten(), nn.Linear(256, 10)), 9) == [4, 8, 9]


def test_trying_one_image_changes_nothing() -> None:
    torch.manual_seed(0)
    net = NormOfOneImage()
    before, random = copy_weights(net), torch.get_rng_state()
    Trainer(net, images(9), PHASE, 0, "fp32")
    assert same(copy_weights(net), before)
    assert torch.equal(torch.get_rng_state(), random)


def test_a_resumed_training_has_the_same_batches_and_rates() -> None:
    torch.manual_seed(0)
    net = NormOfOneImage()
    other = copy_model(net).model
    whole = Trainer(net, images(9), PHASE, 0, "fp32")
    drain(whole.run_epoch(never))
    checkpoint = Checkpoint.of(whole.state())
    drain(whole.run_epoch(never))
    resumed = Trainer(other, images(9), PHASE, 0, "fp32")
    resumed.resume(checkpoint.state())
    drain(resumed.run_epoch(never))
    assert same(copy_weights(net), copy_weights(other))
    assert whole.finished and resumed.finished  # noqa: PT018


def test_a_net_that_cannot_be_copied_keeps_its_batches() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(256, 10))
    net.stream = (number for number in range(3))
    with pytest.raises(InputError):
        copy_model(net)
    assert seen(net, 9) == [4, 8, 9]
