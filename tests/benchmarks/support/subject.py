"""The shipped cnn5 on MNIST, in the precision that is fastest on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn
from torch.utils.data import DataLoader

from core.data.batches import Splits
from core.data.loading import load
from core.data.sources.store import default_data_dir
from core.events import drain
from core.formats.weights_files import load_weights
from core.jobs.workbench import Workbench
from core.settings.settings import Settings
from tests.benchmarks.support import plain

BATCH = 256


@dataclass(frozen=True)
class Subject:
    """The net with its shipped weights, and the data for our way and for the plain way."""

    net: nn.Module
    data: Splits
    precision: str
    plain_train: DataLoader[plain.Batch]
    plain_test: DataLoader[plain.Batch]


def subject() -> Subject:
    """Load the net and the data."""
    workbench = Workbench(Settings())
    data = Splits.of(drain(load("mnist")), workbench.models.device)
    precision = drain(workbench.precision(data))
    net = workbench.spec.build()
    net.load_state_dict(load_weights(workbench.spec.shipped_weights, net))
    folder = default_data_dir()
    return Subject(
        net,
        data,
        precision,
        plain.loader(folder, train=True, batch_size=BATCH),
        plain.loader(folder, train=False, batch_size=BATCH),
    )
