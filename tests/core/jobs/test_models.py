"""Models of a user's net, of which every job gets its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.jobs.models import Models
from core.nets.zoo import model_spec

SOURCE = """
import threading
from torch import nn


class Transposed(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.once = self.fc.weight.t()

    def forward(self, x):
        return x @ self.once


class Locked(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.lock = nn.Linear(4, 4), threading.Lock()

    def forward(self, x):
        with self.lock:
            return self.fc(x)


class Logs(Locked):
    def __init__(self):
        super().__init__()
        self.log = open(__file__)
"""


@pytest.mark.parametrize("name", ["Transposed", "Locked", "Logs"])
def test_each_is_another_net_and_can_be_trained(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    models = Models(model_spec(f"{path}:{name}"), torch.device("cpu"))
    one, other = models.vehicle(), models.vehicle()
    one(torch.ones(2, 4)).sum().backward()
    assert one.get_parameter("fc.weight").grad is not None
    assert other.get_parameter("fc.weight").grad is None
    weights = {key: tensor + 1 for key, tensor in one.state_dict().items()}
    asked = models.reading(weights)
    assert torch.equal(asked.get_parameter("fc.weight"), weights["fc.weight"])
    assert not torch.equal(one.get_parameter("fc.weight"), weights["fc.weight"])
