"""Which changes to the recipe pay off: the aggressive plan, on validation, over several seeds.

    python -m tests.benchmarks.train_and_prune.recipe_study [--json FILE] [--seeds N] [--threads N]

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
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings

VARIANTS = {
    "recipe as is": RecipeChanges(),
    "one-shot": RecipeChanges(method="one-shot"),
    "iterative, 3 rounds of 2 epochs": RecipeChanges(rounds=3, epochs=2),
    "one-shot, rewound": RecipeChanges(method="one-shot", rewind=True),
    "iterative, 3 rounds of 2 epochs, rewound": RecipeChanges(rounds=3, epochs=2, rewind=True),
    "dropout not scaled": RecipeChanges(scale_dropout=False),
    "lr 0.0025": RecipeChanges(lr=2.5e-3),
    "lr 0.01": RecipeChanges(lr=1e-2),
    "L1 1e-5": RecipeChanges(l1=1e-5),
    "L1 1e-4": RecipeChanges(l1=1e-4),
    "no L2": RecipeChanges(l2=0.0),
    "L2 0.1": RecipeChanges(l2=0.1),
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
        for name, changes in VARIANTS.items():
            results[name].append(
                _measure(Settings(seed=seed, changes=changes, threads=args.threads))
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
