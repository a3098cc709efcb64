"""The notebook's way of doing the same work: what every torch tutorial writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader
from torchvision.datasets import MNIST
from torchvision.transforms import Compose, Normalize, ToTensor

from core.training.recipes import Phase

Batch = tuple[Tensor, Tensor]
"""Images and their labels."""

TO_TENSORS = Compose([ToTensor(), Normalize((0.1307,), (0.3081,))])


def loader(data_dir: Path, *, train: bool, batch_size: int) -> DataLoader[Batch]:
    """MNIST from torchvision, one image at a time, without workers."""
    dataset = MNIST(data_dir, train=train, transform=TO_TENSORS)
    return DataLoader(dataset, batch_size=batch_size, shuffle=train)


def training_steps(model: nn.Module, batches: DataLoader[Batch], phase: Phase) -> Iterator[int]:
    """Train epoch after epoch; yields the number of images of each step."""
    optimizer = AdamW(model.parameters(), lr=phase.lr, weight_decay=phase.weight_decay)
    steps = phase.epochs * len(batches)
    scheduler = OneCycleLR(optimizer, max_lr=phase.lr, total_steps=steps)
    for _ in range(phase.epochs):
        model.train()
        for images, labels in batches:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            scheduler.step()
            loss.item()
            yield len(images)


def count_correct(model: nn.Module, batches: Iterable[Batch]) -> int:
    """One full evaluation."""
    model.eval()
    correct = 0
    with torch.no_grad():
        for images, labels in batches:
            correct += int((model(images).argmax(1) == labels).sum())
    return correct
