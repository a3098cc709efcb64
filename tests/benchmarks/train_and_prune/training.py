"""Training cnn5, against the notebook's way; and the share of the machine's peak it reaches."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from itertools import islice

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from core.events import Batch
from core.training.dense import train
from core.training.recipes import recipe_named
from tests.benchmarks.support import plain
from tests.benchmarks.support.figures import Figure, in_turns, medians, ratio
from tests.benchmarks.support.subject import subject

STEPS, EPOCHS = 20, 100
GEMM = 4096


def figures(_wanted: tuple[str, ...]) -> list[Figure]:
    """Twenty steps of 256 images each way, in turns with a matrix product, seven rounds."""
    cnn5 = subject()
    phase = replace(recipe_named("fast").dense, epochs=EPOCHS)
    plain_steps = plain.training_steps(deepcopy(cnn5.net), cnn5.plain_train, phase)
    stream = train(deepcopy(cnn5.net), cnn5.data, phase, precision=cnn5.precision)
    our_steps = (event for event in stream if isinstance(event, Batch))
    left, right, product = _matrices(cnn5.precision)
    seconds = in_turns(
        {
            "plain": lambda: list(islice(plain_steps, STEPS)),
            "ours": lambda: list(islice(our_steps, STEPS)),
            "gemm": lambda: [torch.mm(left, right, out=product) for _ in range(STEPS // 2)],
        },
        rounds=7,
    )
    spent = medians(seconds)
    peak = (STEPS // 2) * 2 * GEMM**3 / spent["gemm"]
    flops = STEPS * _flops_of_a_step(cnn5.net, phase.batch_size)
    detail = {
        "plain_epoch": spent["plain"] / STEPS * len(cnn5.data.train) / phase.batch_size,
        "epoch": spent["ours"] / STEPS * len(cnn5.data.train) / phase.batch_size,
        "gemm_gflops": peak / 1e9,
        "training_gflops": flops / spent["ours"] / 1e9,
    }
    share = 100 * flops / spent["ours"] / peak
    what = f"cnn5 in {cnn5.precision}, against the notebook's loop"
    return [
        Figure(
            "training_epoch", what, ratio(seconds["plain"], seconds["ours"]), "x", 2.8, True, detail
        ),
        Figure(
            "training_peak_share",
            f"of {GEMM} x {GEMM} x {GEMM} in {cnn5.precision}",
            share,
            " %",
            70.0,
            True,
            detail,
        ),
    ]


def _matrices(precision: str) -> list[torch.Tensor]:
    """Two matrices and a buffer for their product, so that timing allocates no memory."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    return [torch.randn(GEMM, GEMM).to(kind) for _ in range(3)]


def _flops_of_a_step(net: nn.Module, images: int) -> int:
    """FLOPs of forward and backward, without the gradient of the pixels."""
    counter = FlopCounterMode(display=False)
    with counter:
        logits = net(torch.randn(images, 1, 28, 28))
        F.cross_entropy(logits, torch.zeros(images, dtype=torch.int64)).backward()
    return counter.get_total_flops()
