"""Experiments on disk with runs of every kind, and an app that only shows them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from textual import events
from textual.pilot import Pilot

from core.experiments.experiment import Experiment
from core.experiments.run_record import RunRecord, read_record
from core.experiments.runs import Run
from core.nets.weights import Weights
from tests.tui.scripted_nets import PATIENCE, SHAPES
from tui.screens.history.screen import HistoryScreen
from tui.widgets.lines import LinesWidget, RoleApp

NAMES = {"[": "left_square_bracket", "]": "right_square_bracket", "?": "question_mark"}
CSS = [*(Path(__file__).parents[3] / "tui").glob("*.tcss")]
MODERATE = {"conv1": 0.55, "conv2": 0.8, "conv3": 0.9, "fc1": 0.9, "fc2": 0.6}
AGGRESSIVE = {"conv1": 0.65, "conv2": 0.95, "conv3": 0.98, "fc1": 0.98, "fc2": 0.9}
OTHER_SHAPES = {"fc1": (300, 784), "fc2": (100, 300), "fc3": (10, 100)}
DENSE = {"validation": 99.18, "test": 99.41}
SETTINGS = {
    "model": "cnn5",
    "dataset": "mnist",
    "protocol": "default",
    "precision": "fp32",
    "threads": 2,
    "seed": 0,
    "recipe": "fast",
}


class Host(RoleApp):
    """Shows a history, and records its result."""

    CSS_PATH = CSS
    BINDINGS = [("p", "prune", "prune"), ("f", "prune", "fine-tune"), ("x", "prune", "stop")]

    def __init__(self, experiment: Experiment, current: str | None = None) -> None:
        super().__init__()
        self.history = HistoryScreen(experiment, current=current, dense=99.18)
        self.result: Run | str | None = "open"
        self.pruned = 0

    def on_mount(self) -> None:
        self.push_screen(self.history, self.take)

    def action_prune(self) -> None:
        self.pruned += 1

    def take(self, run: Run | None) -> None:
        self.result = run


async def until(pilot: Pilot[None], reached: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not reached():
            await asyncio.sleep(0.01)
    await pilot.pause()


async def settled(pilot: Pilot[None]) -> None:
    """Wait until everything is read and drawn."""
    history = pilot.app.history

    def rests() -> bool:
        known = history.run_list.rows is not None or history.problem
        return bool(known) and not (history.busy or history.stale)

    await until(pilot, rests)
    if not rests():
        await until(pilot, rests)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys at once, then let the screen update."""
    for key in keys:
        char = key if len(key) == 1 else None
        pilot.app.post_message(events.Key(NAMES.get(key, key), char))
        if key in ("x", "delete", "backspace", "n", "enter", "escape", "?"):
            await pilot.pause()
    await settled(pilot)


def text(pilot: Pilot[None]) -> str:
    """The text on the screen."""
    width, height = pilot.app.size
    strips = pilot.app.screen._compositor.render_strips()
    lines = ["".join(segment.text for segment in strip) for strip in strips]
    assert len(lines) == height
    assert all(len(line) == width for line in lines)
    return "\n".join(line.rstrip() for line in lines)


def weights(plan: Mapping[str, float], shapes: Mapping[str, Any] = SHAPES) -> Weights:
    """A net of some shapes, pruned to a plan."""
    random = np.random.default_rng(0)
    made: Weights = {}
    for name, shape in shapes.items():
        weight = random.normal(0, 0.05, shape).astype(np.float32)
        cut = np.quantile(np.abs(weight), plan.get(name, 0.0))
        made[f"{name}.weight"] = torch.from_numpy(np.where(np.abs(weight) > cut, weight, 0))
        made[f"{name}.bias"] = torch.zeros(shape[0])
    return made


def tuning(plan: Mapping[str, float], shapes: Mapping[str, Any] = SHAPES, **more: Any) -> Any:
    """The record of a fine-tuning before it starts, as in its file."""
    elements = {name: math.prod(shape) for name, shape in shapes.items()}
    kept = {name: round((1 - plan[name]) * size) for name, size in elements.items()}
    biases = sum(shape[0] for shape in shapes.values())
    parameters, nonzero = sum(elements.values()) + biases, sum(kept.values()) + biases
    return {
        "kind": "finetune",
        **SETTINGS,
        "finetuning": {"epochs": 5, "method": "gradual", "rounds": 1},
        "base": {"run": None, "weights": "0" * 16},
        "parameters": parameters,
        "nonzero": nonzero,
        "ratio": round(parameters / nonzero, 2),
        "layers": [
            {"name": name, "elements": size, "sparsity": plan[name], "kept": kept[name],
             "threshold": 0.05}
            for name, size in elements.items()
        ],
        "accuracy": {"dense": DENSE},
        "epochs": [],
        **more,
    }  # fmt: skip


def record(said: Mapping[str, Any]) -> RunRecord:
    """The record with these contents of a file."""
    found, faults = read_record(said, "run.json")
    assert not faults
    return found


def course(last: float, first: float = 97.2, epochs: int = 5) -> list[dict[str, Any]]:
    """Epochs that rise to an accuracy."""
    rows = []
    for at in range(1, epochs + 1):
        validation = round(last - (last - first) * (epochs - at) / epochs / at, 2)
        row = {"epoch": at, "loss": 0.3 / at, "validation": validation, "seconds": 18.2}
        rows.append({**row, "sparsity": 0.97, "final": at == epochs})
    return rows


def outcome(validation: float, test: float, **more: Any) -> Any:
    """What a finished fine-tuning adds to its record."""
    return {
        "accuracy": {
            "dense": DENSE,
            "pruned": {"validation": 11.24, "test": 11.35},
            "finetuned": {"validation": validation, "test": test},
        },
        "epochs": course(validation),
        "best": 5,
        "revived": 0,
        "stopped": False,
        **more,
    }


def scaled(plan: Mapping[str, float], share: float) -> dict[str, float]:
    """A plan that keeps a fraction of the weights another one keeps."""
    return {name: 1 - (1 - sparsity) * share for name, sparsity in plan.items()}


def finished(
    experiment: Experiment,
    plan: Mapping[str, float],
    validation: float,
    test: float,
    note: str = "",
    **more: Any,
) -> Run:
    """A finished fine-tuning."""
    begun = tuning(plan, **more)
    writer = experiment.begin(record(begun))
    run = writer.finish(weights(plan), record({**begun, **outcome(validation, test)}))
    if note:
        experiment.annotate(run, note)
    return run


def trained(experiment: Experiment) -> Run:
    """A dense training."""
    facts = {"kind": "train", **SETTINGS, "training": {"epochs": 6}, "epochs": []}
    report = {
        "parameters": 228_010,
        "nonzero": 228_010,
        "ratio": 1.0,
        "accuracy": {"dense": DENSE},
        "best": 6,
    }
    epochs = course(99.18, 97.9, 6)
    return experiment.begin(record(facts)).finish(
        weights({}), record({**facts, **report, "epochs": epochs})
    )


def interrupted(experiment: Experiment, epochs: int = 3, **more: Any) -> Run:
    """A fine-tuning that was killed after some epochs."""
    with experiment.begin(record(tuning(AGGRESSIVE, **more))) as writer:
        done = record({"epochs": course(99.1, 98.2, epochs)}).epochs
        writer.checkpoint(weights(AGGRESSIVE), done, {"round": 1})
    return experiment.find(writer.id)


def unreadable(experiment: Experiment) -> Run:
    """A run with a damaged report."""
    run = finished(experiment, AGGRESSIVE, 99.0, 99.1)
    (run.folder / "run.json").write_text('{"status": "done", "kind": ')
    return experiment.find(run.id)


def every_kind(folder: Path) -> Experiment:
    """Twelve runs, one after another."""
    hours = (datetime(2026, 11, 20 + at // 4, 9 + at % 4 * 3, 7, tzinfo=UTC) for at in count())
    with patch("core.experiments.experiment._now", lambda: next(hours)):
        experiment = Experiment(folder)
        trained(experiment)
        finished(experiment, MODERATE, 99.38, 99.40, "moderate, as in the notebook")
        finished(
            experiment,
            AGGRESSIVE,
            99.30,
            99.31,
            "aggressive",
            recipe="reference",
            finetuning={"epochs": 5, "method": "one-shot", "rounds": 1},
        )
        shares = zip((1.2, 0.62, 0.31, 0.44), (99.34, 99.22, 98.52, 98.96), strict=True)
        for trial, (share, score) in enumerate(shares, 1):
            finished(
                experiment,
                scaled(AGGRESSIVE, share),
                score,
                score + 0.04,
                lightest={"trial": trial, "least": 99.1, "by": "parameters"},
            )
        facts = tuning(scaled(MODERATE, 0.6))
        ended = outcome(98.70, 98.81, epochs=course(98.70, 97.9, 2), best=None, stopped=True)
        stopped = experiment.begin(record(facts))
        stopped.finish(weights(MODERATE), record({**facts, **ended}))
        interrupted(experiment, seed=1)
        unreadable(experiment)
        plan = {"fc1": 0.95, "fc2": 0.9, "fc3": 0.7}
        facts = tuning(plan, OTHER_SHAPES, model="lenet300")
        ended = {**facts, **outcome(98.1, 98.2)}
        experiment.begin(record(facts)).finish(weights(plan, OTHER_SHAPES), record(ended))
        finished(
            experiment,
            scaled(AGGRESSIVE, 0.8),
            99.26,
            99.33,
            "from the aggressive net once more, with another seed: is it the seed or the base?",
            base={"run": "0003", "weights": "1" * 16},
            seed=1,
        )
    return experiment  # fmt: skip


async def ready(pilot: Pilot[None], *keys: str) -> None:
    await settled(pilot)
    if keys:
        await press(pilot, *keys)


async def closed(pilot: Pilot[None]) -> Run | str | None:
    await until(pilot, lambda: pilot.app.result != "open")
    return pilot.app.result


def line(pilot: Pilot[None], start: str) -> str:
    """The line of the screen with this start, without its frame."""
    rows = (row.strip("│ ") for row in text(pilot).splitlines())
    return next(row for row in rows if row.lstrip(" ▶⌂▸").startswith(start))


def clipped(pilot: Pilot[None]) -> list[str]:
    """The widgets whose content does not fit."""
    return [
        str(widget)
        for widget in pilot.app.screen.query(LinesWidget)
        if widget.display
        and (
            len(widget.lines) > widget.size.height
            or any(
                len("".join(span.text for span in row).rstrip()) > widget.size.width
                for row in widget.lines
            )
        )
    ]
