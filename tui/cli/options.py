"""What the options of a command line mean: settings, a plan, an experiment."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.data import short_data_name
from core.errors import InputError
from core.experiments.experiment import Experiment, default_name, experiment_folder
from core.experiments.runs import Run
from core.nets.zoo import ZOO, short_name
from core.pruning.goals import Goal, parse_goal
from core.pruning.plans import Plan, parse_plan, parse_sparsity, uniform_plan
from core.pruning.presets import preset_plan
from core.settings.recipe_file import Config, read_config
from core.settings.settings import SETTINGS, Settings
from tui.cli.arguments import DEFAULT_ALLOCATION


def config_of(given: Namespace) -> Config | None:
    """The recipe file, read; raises InputError where it cannot be."""
    path: Path | None = getattr(given, "config", None)
    return None if path is None else read_config(path)


def settings_of(given: Namespace, config: Config | None = None) -> Settings:
    """The settings: options override the file, the file overrides the defaults."""
    options = {name: value for name, value in vars(given).items() if name in SETTINGS}
    if config is None:
        return Settings.of(options)
    if "model" not in options:
        _check_code("this recipe", config.given.get("model"), None)
    return config.merged_with(options)


def experiment_of(given: Namespace, settings: Settings) -> Experiment:
    """Where runs are recorded."""
    name = default_name(short_name(settings.model), short_data_name(settings.dataset))
    return Experiment(experiment_folder(getattr(given, "experiment", None), name))


def goal_of(given: Namespace) -> Goal | None:
    """How small the net should be, where that was given.

    Raises:
        InputError: it is not a goal, or an option needs one that is missing.
    """
    text = given.goal if given.ratio is None else given.ratio
    if text is None:
        for option in ("allocate", "lock"):
            if getattr(given, option) is not None:
                raise InputError(f"--{option} needs a goal: add --ratio 60 or --goal 28KiB")
        return None
    goal = parse_goal(text, "; for an accuracy use featherweight search --max-drop 0.5")
    if given.ratio is not None and goal.kind != "ratio":
        raise InputError(f"--ratio {text}: expected a number such as 60; for {goal}, use --goal")
    return goal


def allocation_of(given: Namespace) -> str:
    """The method that turns a goal into sparsities."""
    method: str = given.allocate or DEFAULT_ALLOCATION
    return method


def locks_of(given: Namespace, layers: Sequence[str]) -> Plan:
    """The locked layers and their sparsities."""
    if given.lock is None:
        return {}
    named = [part.partition("=")[0].strip() for part in given.lock.split(",")]
    plan = parse_plan(given.lock, layers)
    return {name: sparsity for name, sparsity in plan.items() if name in named}


def settings_for(given: Namespace, run: Run) -> Settings:
    """The options, completed by what a run was made with.

    Raises:
        InputError: the record of the run is damaged, the run is of the user's own net, which the
            options do not name, or they name another net or other images than the run's.
    """
    record = run.checked()
    inputs = run.required(record.inputs, "inputs")
    fixed: dict[str, Any] = {
        "model": record.model, "dataset": record.dataset, "protocol": record.protocol,
    }  # fmt: skip
    free = {"precision": record.precision, "seed": record.seed, "threads": record.threads}
    made = {name: it for name, it in {**fixed, **free}.items() if it is not None}
    fixed = {name: it for name, it in fixed.items() if it is not None}
    _check_code(f"run {run.id}", record.model, vars(given).get("model"))
    options: dict[str, Any] = {**made, **vars(given), **fixed}
    settings = settings_of(Namespace(**options))
    said = {name: it for name, it in vars(given).items() if fixed.get(name, it) != it}
    others = [f"--{name} {it}" for name, it in said.items()]
    others += filter(None, [settings.inputs.beyond(inputs).flags])
    if others:
        raise InputError(f"run {run.id} was not made with {' '.join(others)}: remove it")
    return replace(settings, inputs=inputs)


def settings_of_net(given: Namespace, run: Run) -> Settings:
    """The same, for the net that a run produced.

    Raises:
        InputError: the run is not finished, the options name other weights, or as
            `settings_for`.
    """
    settings = settings_for(given, run)
    if not run.finished:
        raise InputError(f"run {run.id} is {run.status}: it has no net until it is finished")
    check_no_weights(given, f"run {run.id}")
    return settings


def check_no_weights(given: Namespace, what: str) -> None:
    """Raise InputError if the options name weights for a net that has its own."""
    if "weights" in given:
        raise InputError(f"{what} has its own weights: remove --weights {given.weights}")


def _check_code(what: str, model: object, given: object) -> None:
    """Refuse to run code named by a file unless --model names it, too."""
    if isinstance(model, str) and model not in ZOO and model != given:
        raise InputError(
            f"{what} is for the net '{model}', whose code would run: add --model {model}"
        )


def explicit_plan(
    given: Namespace, config: Config | None, model: str, layers: Sequence[str]
) -> Plan | None:
    """The sparsities given by options, preset or file; None if none were given."""
    if given.sparsity is not None:
        return parse_plan(given.sparsity, layers)
    if given.uniform is not None:
        return uniform_plan(parse_sparsity(given.uniform, "every layer"), layers)
    if given.preset is not None:
        return preset_plan(given.preset, model, layers)
    return None if config is None else config.checked_plan(layers)
