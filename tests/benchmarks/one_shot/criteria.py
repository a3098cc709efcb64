"""What each criterion leaves of a net in one shot, as a Markdown table.

    python -m tests.benchmarks.one_shot.criteria

The sparsities are given (a preset), or found by comparing importances (LAMP, 12x). Cells are
accuracies on validation and test; the sample is that of seed 0.
"""

from __future__ import annotations

import torch

import core
from core.criteria.names import CRITERIA
from core.pruning.plans import Plan
from tests.benchmarks.one_shot.nets import CASES, Case, accuracy, mnist

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
        net = case.dense()
        chosen = plan or core.plan(net, RATIO, criterion=criterion, data=mnist())
        core.prune(net, chosen, criterion=criterion, data=mnist())
        found = accuracy(net)
        cells.append(f"{found.validation:.2f}, {found.test:.2f}")
    return f"| {case.model} | {sparsities} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
