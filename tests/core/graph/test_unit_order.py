"""Sorted units: the same net up to rounding, and a smaller file."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.formats.codec import encode, from_state
from core.graph.tracing import UntraceableError
from core.graph.unit_order import sort_units
from core.nets.architectures import Cnn5, LeNet300


def pruned(model: nn.Module, kept: float) -> nn.Module:
    """Keep a fraction of each weight."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.masked_fill_(torch.rand_like(parameter) >= kept, 0.0)
    return model


class Normed(nn.Module):
    """A net with a batch norm, and layers whose units are added."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 9, 3), nn.BatchNorm2d(9)
        self.second, self.third = nn.Conv2d(9, 7, 3), nn.Conv2d(9, 7, 3)
        self.head = nn.Linear(7 * 24 * 24, 10)
        nn.init.uniform_(self.norm.running_mean)
        nn.init.uniform_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.first(x)))
        return self.head((self.second(x) + self.third(x)).flatten(1))


@pytest.mark.parametrize("make", [Cnn5, LeNet300, Normed])
def test_ordering_units_keeps_the_logits_and_the_layers(make: type[nn.Module]) -> None:
    torch.manual_seed(0)
    model, images = pruned(make(), 0.1), torch.randn(4, 1, 28, 28)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    logits = model.eval()(images)
    sort_units(model, images)
    torch.testing.assert_close(model(images), logits, rtol=1e-4, atol=1e-5)
    for name, tensor in model.state_dict().items():
        assert tensor.shape == before[name].shape
        assert torch.equal(tensor.flatten().sort().values, before[name].flatten().sort().values)


def test_rows_of_hidden_layers_descend() -> None:
    torch.manual_seed(0)
    model = pruned(Cnn5(), 0.05)
    sort_units(model, torch.randn(2, 1, 28, 28))
    for layer in (model.conv1, model.conv2, model.conv3, model.fc1):
        rows = [row.numpy().tobytes() for row in (layer.weight != 0).flatten(1)]
        assert rows == sorted(rows, reverse=True)


def test_units_that_are_added_to_others_stay() -> None:
    torch.manual_seed(0)
    model = pruned(Normed(), 0.1)
    before = model.second.weight.detach().clone()
    sort_units(model, torch.randn(2, 1, 28, 28))
    assert not torch.equal(model.second.weight, before)  # its inputs moved
    kept = (before != 0).flatten(1).sum(1)
    assert torch.equal((model.second.weight != 0).flatten(1).sum(1), kept)  # its units did not


def test_a_file_of_ordered_units_is_smaller() -> None:
    torch.manual_seed(0)
    model = pruned(Cnn5(), 0.02)
    before = len(encode(from_state(model.state_dict(), "cnn5")))
    sort_units(model, torch.randn(2, 1, 28, 28))
    assert len(encode(from_state(model.state_dict(), "cnn5"))) < before - 100


def test_a_net_that_cannot_be_traced_keeps_its_order() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(784, 10)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x.flatten(1)) if x.sum() > 0 else self.layer(-x.flatten(1))

    with pytest.raises(UntraceableError):
        sort_units(Odd(), torch.randn(2, 1, 28, 28))
