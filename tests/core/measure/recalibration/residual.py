"""A small residual net with BatchNorm, trained in a moment."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.data.batches import Images
from core.events import drain
from core.nets.weights import Weights, copy_weights
from core.training.loop import Trainer
from core.training.recipes import Phase


class Residual(nn.Module):
    """A residual net with BatchNorm for images [N, 1, 28, 28]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 12, 5, stride=2), nn.BatchNorm2d(12)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(12, 12, 3, padding=1, bias=False),
                nn.BatchNorm2d(12),
                nn.ReLU(),
                nn.Conv2d(12, 12, 3, padding=1, bias=False),
                nn.BatchNorm2d(12),
            )
            for _ in range(2)
        )
        self.fc = nn.Linear(12 * 9, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.stem(x)).relu()
        for block in self.blocks:
            x = (x + block(x)).relu()
        return self.fc(nn.functional.max_pool2d(x, 4).flatten(1))


def trained_residual(data: Images, epochs: int) -> Weights:
    """The net trained on drawn digits."""
    torch.manual_seed(0)
    model, phase = Residual(), Phase(epochs, "adamw", 5e-3, "onecycle", batch_size=50)
    trainer = Trainer(model, data, phase, 0, "fp32", 0, epochs=epochs)
    while not trainer.finished:
        drain(trainer.run_epoch(lambda: False))
    return copy_weights(model)
