"""From options and a file to the lists and the trials of a sweep."""

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from core.errors import InputError
from core.pruning.goals import parse_goal
from core.pruning.presets import default_preset
from core.settings.recipe_file import Config
from core.settings.settings import Settings
from core.sweep.choices import PlanAxes
from core.sweep.grid import Grid, Trial
from core.sweep.sweep_file import SweepFile, read_sweep
from tui.cli import read_options
from tui.cli.add_options import LISTED


def grid_of(args: Namespace) -> tuple[Grid, tuple[Trial, ...]]:
    """The lists and the trials: options come first, then the file, preferences and defaults.

    Raises InputError if the file or a goal is not valid, or settings conflict.
    """
    file = None if args.config is None else read_sweep(args.config, vars(args))
    config = None if file is None else file.config
    grid = _options(args) if file is None else _options(args).over(file.grid)
    if not grid.plans.named:
        grid = Grid(grid.plans.over(_default(args, file)), grid.axes)
    return grid, grid.trials(lambda given: _settings(args, config, given))


def _options(args: Namespace) -> Grid:
    """The lists that options give."""
    options = vars(args)
    axes = {name: options[name] for name in LISTED if name in options}
    if "seeds" in options:
        axes["seed"] = options["seeds"]
    ratios = [parse_goal(f"{ratio!r}x") for ratio in options.get("ratio", ())]
    goals = [parse_goal(text) for text in options.get("goal", ())]
    sparsity = {name: (value,) for name, value in (args.sparsity or {}).items()}
    plans = PlanAxes(
        (*ratios, *goals),
        options.get("allocate", ()),
        options.get("uniform", ()),
        options.get("preset", ()),
        sparsity,
    )
    return Grid(plans, axes)


def _default(args: Namespace, file: SweepFile | None) -> PlanAxes:
    """The plan of a sweep that names none, as of the command `run`."""
    if args.lock is not None:
        raise InputError("--lock needs a goal: add --ratio 20,40 or --goal 28KiB")
    settings = _settings(args, None if file is None else file.config, {})
    return PlanAxes(presets=(default_preset(settings.model),))


def _settings(args: Namespace, config: Config | None, given: Mapping[str, Any]) -> Settings:
    others = {name: value for name, value in vars(args).items() if name not in LISTED}
    return read_options.settings_of(Namespace(**{**others, **given}), config)
