"""What each criterion leaves of a net in one shot: the mean of three samples, a Markdown table.

    python -m tests.benchmarks.one_shot.criteria

The sparsities are given (a preset), or found by comparing importances (LAMP, 12x).
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean

import torch

import core
from core.criteria.names import CRITERIA
from core.events import Accuracy
from core.pruning.plans import Plan
from tests.benchmarks.one_shot.nets import CASES, SEEDS, Case, accuracy, mnist

RATIO = 12


def main() -> None:
    """Print a row for each net and plan, and a column for each criterion."""
    torch.set_num_threads(1)
    print("| net | sparsities |", " | ".join(CRITERIA), "|")
    print("|---" * (2 + len(CRITERIA)), "|", sep="")
    for case in CASES:
        print(_row(case, case.preset, case.plan()), flush=True)
    for case in {case.model: case for case in CASES}.values():
        print(_row(case, f"LAMP, {RATIO}x", None), flush=True)


def _row(case: Case, sparsities: str, plan: Plan | None) -> str:
    cells = []
    for criterion in CRITERIA:
        found = list(_accuracies(case, criterion, plan))
        validation, test = (
            mean(getattr(each, split) for each in found) for split in ("validation", "test")
        )
        cells.append(f"{validation:.2f}, {test:.2f}")
    return f"| {case.model} | {sparsities} | {' | '.join(cells)} |"


def _accuracies(case: Case, criterion: str, plan: Plan | None) -> Iterator[Accuracy]:
    for seed in SEEDS if criterion != "magnitude" else SEEDS[:1]:
        net = case.dense()
        if plan is None:
            found = core.plan(net, RATIO, criterion=criterion, data=mnist(), seed=seed)
        core.prune(net, plan or found, criterion=criterion, data=mnist(), seed=seed)
        yield accuracy(net)


if __name__ == "__main__":
    main()
