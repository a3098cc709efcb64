"""A new last layer for a net that was trained for other classes."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision import models

from core.errors import InputError
from core.nets.fresh_head import check_head, head_name, replace_head
from tests.core.nets.torchvision_nets import NETS, Row


@pytest.mark.parametrize(
    "row", [row for row in NETS if not row.slow], ids=lambda row: f"{row.name}-{row.narrow}"
)
def test_only_the_classifier_of_a_torchvision_net_is_replaced(row: Row) -> None:
    net = row.build().eval()
    before = dict(net.state_dict())
    replace_head(net, 3)
    head, after = head_name(net), net.state_dict()
    changed = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert changed == {name for name in after if name.startswith(head)}
    assert net(torch.zeros(2, 3, row.size, row.size)).shape == (2, 3)


def test_auxiliary_classifiers_get_new_heads_too() -> None:
    net = models.googlenet(num_classes=7, init_weights=False, aux_logits=True)
    replace_head(net, 3)
    net.train()
    assert [logits.shape for logits in net(torch.zeros(2, 3, 32, 32))] == [(2, 3)] * 3


def test_a_head_is_drawn_from_the_seed() -> None:
    def head(seed: int) -> torch.Tensor:
        net = nn.Sequential(nn.Flatten(), nn.Linear(4, 5))
        torch.manual_seed(seed)
        replace_head(net, 3)
        return net[1].weight

    assert head(1).equal(head(1))
    assert not head(1).equal(head(2))


def test_a_convolution_keeps_all_but_its_outputs() -> None:
    net = nn.Sequential(nn.Conv2d(4, 9, 3, stride=2, padding=1, bias=False), nn.Flatten())
    replace_head(net, 2)
    assert str(net[0]) == str(nn.Conv2d(4, 2, 3, stride=2, padding=1, bias=False))


def test_a_net_without_a_head_and_a_bad_count_are_refused() -> None:
    with pytest.raises(InputError, match="has no linear layer or convolution to replace"):
        replace_head(nn.Sequential(nn.ReLU()), 3)
    with pytest.raises(InputError, match="num_classes='x': expected a whole number"):
        replace_head(nn.Linear(2, 2), "x")  # type: ignore[arg-type]


@pytest.mark.parametrize("classes", [2, 6])
def test_a_trained_net_for_fewer_or_more_classes_is_told_of_the_option(classes: int) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 4))
    with pytest.raises(
        InputError, match=f"trained for 4 classes, the data set has {classes}: add "
    ):
        check_head(net, torch.zeros(2, 1, 2, 2), classes, "mine")
    check_head(net, torch.zeros(2, 1, 2, 2), 4, "mine")
