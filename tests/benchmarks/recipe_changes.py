"""Which fine-tuning choices pay off: the aggressive plan, on validation, over several seeds.

    python -m tests.benchmarks.choices [--json FILE] [--seeds N] [--threads N]

Each row changes one choice of the recipe `fast`; it takes about an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean

from core.events import drain
from core.jobs.dense_net import open_dense_net
from core.jobs.workbench import Workbench
from core.pruning.presets import preset_plan
from core.settings.recipe_changes import Choices
from core.settings.settings import Settings

VARIANTS = {
    "recipe as is": Choices(),
    "one-shot": Choices(method="one-shot"),
    "iterative, 3 rounds of 2 epochs": Choices(rounds=3, epochs=2),
    "one-shot, rewound": Choices(method="one-shot", rewind=True),
    "iterative, 3 rounds of 2 epochs, rewound": Choices(rounds=3, epochs=2, rewind=True),
    "dropout not scaled": Choices(scale_dropout=False),
    "lr 0.0025": Choices(lr=2.5e-3),
    "lr 0.01": Choices(lr=1e-2),
    "L1 1e-5": Choices(l1=1e-5),
    "L1 1e-4": Choices(l1=1e-4),
    "no L2": Choices(l2=0.0),
    "L2 0.1": Choices(l2=0.1),
}


def main() -> None:
    """Measure one seed after the other, and print the means so far."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    results: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    for seed in range(args.seeds):
        for name, choices in VARIANTS.items():
            results[name].append(
                _measure(Settings(seed=seed, choices=choices, threads=args.threads))
            )
            if args.json:
                args.json.write_text(json.dumps(results, indent=2))
        _print(results)


def _measure(settings: Settings) -> dict[str, float]:
    workbench = Workbench(settings)
    base = drain(open_dense_net(workbench))
    result = drain(
        workbench.finetune(base, preset_plan("aggressive", "cnn5", workbench.layer_names))
    )
    return {"validation": result.accuracy.validation, "test": result.accuracy.test}


def _print(results: dict[str, list[dict[str, float]]]) -> None:
    for name, rows in results.items():
        validation, test = ([row[split] for row in rows] for split in ("validation", "test"))
        spread = f"{min(validation):.2f} to {max(validation):.2f}"
        print(f"{name:<42} validation {mean(validation):.3f} ({spread}), test {mean(test):.3f}")
    print(flush=True)


if __name__ == "__main__":
    main()
