"""The command: choose benchmarks, run them, print a table, write JSON."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from core.system.files import write_text
from core.system.processor import processor_with_bf16
from tests.benchmarks.support.figures import Figure

BENCHMARKS = {
    "train_and_prune.training": ("training_epoch", "training_peak_share"),
    "train_and_prune.step_additions": ("augmentation_share", "distillation_share"),
    "measure.evaluation": ("evaluation",),
    "measure.scanning": ("scan_exact", "scan_exact_fp32", "scan_quick"),
    "app.what_if": ("what_if_ms",),
    "app.many_layers": ("many_layers_ms",),
    "train_and_prune.pruning": ("prune_time", "prune_memory"),
    "app.starting": ("first_screen", "start_freeze"),
    "app.screen": ("loop_lag_p99", "key_paint_p50", "key_paint_p99", "tuning_bytes", "key_bytes"),
    "app.large_net": ("vgg16_memory", "vgg16_key"),
    "measure.costs_table": ("table_time",),
    "pruned_nets.sparse": (
        "sparse_batch1",
        "sparse_batch64",
        "sparse_lenet_300_100",
        "sparse_lenet_5",
    ),
    "pruned_nets.budgets": ("time_goals", "dp_50_layers"),
    "measure.dragging": ("drag_intervals", "forecast"),
    "pruned_nets.codec": (
        "positions_over_entropy",
        "lossless_over_best_plain",
        "quantised_bytes",
        "codec_vgg16_s",
        "codec_vgg16_memory",
    ),
    "one_shot.accuracy": (
        "one_shot_cnn5",
        "one_shot_cnn5_moderate",
        "one_shot_lenet_300_100",
        "one_shot_lenet_5",
        "one_shot_sums",
        "one_shot_rest",
    ),
    "one_shot.comparison": ("one_shot_ahead",),
    "one_shot.resnet18": (
        "one_shot_resnet18_10x_recalibrated",
        "one_shot_resnet18_10x",
        "one_shot_resnet18_20x_recalibrated",
        "one_shot_resnet18_20x",
    ),
    "sweep.throughput": ("sweep_trials", "sweep_memory", "ray_trials", "ray_events"),
    "sweep.drawing": ("sweep_events", "sweep_lag"),
    "sweep.large_net": ("sweep_checkpoint", "sweep_checkpoint_memory"),
    "sweep.trials": ("workers_overhead", "ray_overhead", "workers_at_once", "ray_at_once"),
}
"""The figures of each module, in the order in which its `figures(names)` returns them."""

KEYS = tuple(key for keys in BENCHMARKS.values() for key in keys)

GROUPS = {module.partition(".")[0] for module in BENCHMARKS}
"""Folders, which stand for all of their figures."""

NAMES = (*sorted(GROUPS), *KEYS)


def main() -> int:
    """Measure the chosen figures; exit status 1 if one misses its limit."""
    parser = _parser()
    args = parser.parse_args()
    console = Console(highlight=False)
    names = tuple(_expanded(args.names or GROUPS))
    if unknown := set(names) - set(KEYS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; expected some of {', '.join(NAMES)}")
    before = _figures_of(args.against) if args.against else {}
    measured: list[Figure] = []
    try:
        for figure in _measure(names, console):
            measured.append(figure)
            if args.json:
                write_text(args.json, json.dumps(_report(measured), indent=2) + "\n")
    finally:
        console.print(_table(measured, before))
    return 0 if all(figure.reached for figure in measured) else 1


def _expanded(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name in GROUPS:
            modules = (keys for each, keys in BENCHMARKS.items() if each.startswith(f"{name}."))
            yield from chain(*modules)
        else:
            yield name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=" ".join(NAMES))
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures as JSON")
    parser.add_argument("--against", metavar="FILE", type=Path, help="compare with such a file")
    return parser


def _measure(names: tuple[str, ...], console: Console) -> Iterator[Figure]:
    for module, keys in BENCHMARKS.items():
        chosen = tuple(key for key in keys if key in names)
        if chosen:
            console.print(f"measuring {', '.join(chosen)} ...")
            figures: Callable[[tuple[str, ...]], list[Figure]]
            figures = import_module(f"tests.benchmarks.{module}").figures
            yield from (figure for figure in figures(chosen) if figure.key in chosen)


def _report(figures: list[Figure]) -> dict[str, Any]:
    return {
        "commit": _commit(),
        "machine": {
            "processor": processor_with_bf16(),
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0],
            "threads": torch.get_num_threads(),
            "python": sys.version.split()[0],
            **{name: version(name) for name in ("torch", "numpy", "textual")},
        },
        "figures": {figure.key: figure.as_json() for figure in figures},
    }


def _commit() -> str:
    """The commit, with a plus if the tree has uncommitted changes."""
    git = ("git", "describe", "--always", "--dirty=+", "--exclude=*")
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _figures_of(path: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["figures"]
    return figures


def _table(figures: list[Figure], before: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("figure", "what", "limit", "measured", ""):
        table.add_column(heading, justify="right" if heading in ("limit", "measured") else "left")
    if before:
        table.add_column("before", justify="right")
    for figure in figures:
        bound = "at least" if figure.at_least else "at most"
        row = [
            figure.key,
            figure.what,
            f"{bound} {figure.limit:g}{figure.unit}",
            f"{figure.value:.3g}{figure.unit}",
            "" if figure.reached else "[red]not reached[/]",
        ]
        if before:
            old = before.get(figure.key)
            row.append(f"{old['value']:.3g}{figure.unit}" if old else "")
        table.add_row(*row)
    return table


if __name__ == "__main__":
    sys.exit(main())
