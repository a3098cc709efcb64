"""ResNet-18 on Fashion-MNIST, 10x and 20x smaller without training.

The net is trained first, in a quarter of an hour, and stays in the working directory:

    featherweight train --model torchvision.models:resnet18 --dataset fashion-mnist \
        --epochs 8 --lr 0.003 --augment flip --to resnet18-fashion-mnist.safetensors
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from statistics import mean
from time import process_time

from torch import nn

import core
from core.data.batches import Splits
from core.events import drain
from core.formats.weights_files import load_weights
from core.jobs.workbench import Workbench
from core.settings.settings import Settings
from tests.benchmarks.one_shot.nets import SEEDS, accuracy
from tests.benchmarks.support.figures import Figure

FILE = Path("resnet18-fashion-mnist.safetensors")

LIMITS = {10: (2.0, 1.0), 20: (6.0, 3.0)}
"""By ratio: most points lost on test, recalibrated and reconstructed."""


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    if not FILE.exists():
        print(f"skipped {', '.join(wanted)}: no {FILE}. {(__doc__ or '').partition('. ')[2]}")
        return []
    workbench = Workbench(
        Settings(model="torchvision.models:resnet18", dataset="fashion-mnist", precision="fp32")
    )
    data = drain(workbench.splits())
    dense = accuracy(_net(workbench), data).test
    print(f"  dense: {dense:.2f} %")
    measured = list[Figure]()
    for ratio, (recalibrated, reconstructed) in LIMITS.items():
        key = f"one_shot_resnet18_{ratio}x"
        figure = partial(_figure, workbench, data, dense, ratio)
        if f"{key}_recalibrated" in wanted:
            measured.append(figure(f"{key}_recalibrated", recalibrated, ()))
        if key in wanted:
            measured.append(figure(key, reconstructed, SEEDS))
    return measured


def _net(workbench: Workbench) -> nn.Module:
    net = workbench.fresh_model()
    net.load_state_dict(load_weights(FILE, net))
    return net.eval()


def _figure(
    workbench: Workbench,
    data: Splits,
    dense: float,
    ratio: int,
    key: str,
    limit: float,
    seeds: tuple[int, ...],
) -> Figure:
    """Of the net reconstructed on samples of these seeds, or only recalibrated without any."""
    found, start, detail = [], process_time(), {"dense test": dense}
    net = _net(workbench)
    plan = core.plan(net, ratio)
    core.prune(net, plan)
    if not seeds:
        detail["test with stale statistics"] = accuracy(net, data).test
        core.recalibrate(net, data)
        found = [accuracy(net, data)]
    for seed in seeds:
        net = _net(workbench)
        core.reconstruct(net, plan, data, seed=seed)
        found.append(accuracy(net, data))
    test = mean(each.test for each in found)
    detail |= {
        "test": test,
        "validation": mean(each.validation for each in found),
        "CPU": (process_time() - start) / len(found),
    }
    way = "reconstructed" if seeds else "recalibrated"
    what = f"ResNet-18 on Fashion-MNIST, {ratio}x, {way}: test below dense"
    return Figure(key, what, dense - test, " points", limit, at_least=False, detail=detail)
