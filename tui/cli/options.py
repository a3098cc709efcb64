"""The options of the command line, and what they say: settings, a plan, an experiment."""

from __future__ import annotations

import argparse
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.data import short_data_name
from core.data.folders.disk_budget import BUDGET, parse_bytes, shown_bytes
from core.data.inputs import Inputs, flag, parse_numbers
from core.data.registry import DATASETS, FOLDER
from core.errors import InputError
from core.experiments.experiment import Experiment, default_name, experiment_folder
from core.experiments.runs import Run
from core.inference.timings import SECONDS
from core.jobs.search import START, TRIALS
from core.nets.user_model import FORMS
from core.nets.zoo import ZOO, short_name
from core.pruning.curves import SPLITS, WITHIN
from core.pruning.goals import METHODS as ALLOCATIONS
from core.pruning.goals import Goal, parse_goal
from core.pruning.plans import (
    Plan,
    parse_plan,
    parse_sparsity,
    uniform_plan,
)
from core.pruning.presets import preset_plan
from core.settings.choices import MEANINGS, Choices
from core.settings.recipe_file import Config, read_config
from core.settings.settings import DEFAULTS, DEVICES, PRECISIONS, PROTOCOLS, Settings
from core.training.recipes import LOSSES, METHODS, OPTIMIZERS, RECIPES

DEFAULT_ALLOCATION = "lamp"


def add_settings(parser: ArgumentParser, *, training: bool = True) -> None:
    """The options of `Settings` and, for commands that train, of `Choices`."""
    group = parser.add_argument_group("settings")

    def add(name: str, **options: Any) -> None:
        group.add_argument(name, default=SUPPRESS, **options)

    add("--model", metavar="NAME", help=f"{', '.join(ZOO)}, or your own: {FORMS}")
    add("--dataset", metavar="NAME", help=f"{', '.join(DATASETS)} or {FOLDER}PATH")
    add("--image-size", metavar="N", type=int, help="pixels on either side (default: the data's)")
    add("--channels", metavar="N", type=int, help="1 (grey) or 3 (default: the data's)")
    add("--mean", metavar="X", help="to normalise by, one or X,X,X (default: that of the data)")
    add("--std", metavar="X", help="likewise, in pixels scaled to 0..1")
    add(
        "--cache-budget",
        metavar="SIZE",
        help=f"what decoded folders may take on the disk (default {shown_bytes(BUDGET)})",
    )
    if training:
        add("--recipe", metavar="NAME", help=_names(RECIPES, DEFAULTS.recipe))
    add("--protocol", metavar="NAME", help=_names(PROTOCOLS, DEFAULTS.protocol))
    add("--precision", metavar="NAME", help=_names(PRECISIONS, DEFAULTS.precision))
    add("--device", metavar="NAME", help=_names(DEVICES, DEFAULTS.device))
    add("--threads", metavar="N", type=int, help="to compute with (default: torch's choice)")
    add("--seed", metavar="N", type=int, help=f"default {DEFAULTS.seed}")
    add(
        "--weights",
        metavar="FILE",
        type=Path,
        help="dense weights to start from: .safetensors, .pt or .fw",
    )
    add_data_dir(group)
    if training:
        _add_choices(parser)


def _add_choices(parser: ArgumentParser) -> None:
    """The options of `Choices`; those not given are left to the recipe."""
    group = parser.add_argument_group("changes to the recipe")

    def add(name: str, **options: Any) -> None:
        flag = "--" + name.replace("_", "-")
        group.add_argument(flag, **{"default": SUPPRESS, "help": MEANINGS[name], **options})

    add("epochs", metavar="N", type=int)
    add("lr", metavar="X", type=float)
    add("method", metavar="NAME", help=f"{MEANINGS['method']}: {', '.join(METHODS)}")
    add("rounds", metavar="N", type=int)
    add("scale_dropout", action=argparse.BooleanOptionalAction)
    add("l1", metavar="X", type=float)
    add("l2", metavar="X", type=float)
    add("rewind", action=argparse.BooleanOptionalAction)
    add("optimizer", metavar="NAME", help=f"{MEANINGS['optimizer']}: {', '.join(OPTIMIZERS)}")
    add("batch_size", metavar="N", type=int)
    add("loss", metavar="NAME", help=f"{MEANINGS['loss']}: {', '.join(LOSSES)}")
    add("smoothing", metavar="X", type=float)


def add_data_dir(parser: Any) -> None:
    """Where data sets are kept."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        default=SUPPRESS,
        help="where data sets are kept (default: the platform's cache folder)",
    )


def add_plan(parser: ArgumentParser) -> None:
    """The ways to say which sparsities; at most one of them."""
    group = parser.add_argument_group("sparsities, as fractions")
    one = group.add_mutually_exclusive_group()
    one.add_argument("--sparsity", metavar="LAYER=S,...", help="layers not named stay dense")
    one.add_argument(
        "--preset", metavar="NAME", help="a ready plan of the net; m in the app lists them"
    )
    one.add_argument("--uniform", metavar="S", help="the same for every layer")
    one.add_argument("--ratio", metavar="X", help="so many times lighter, shared out by --allocate")
    one.add_argument("--goal", metavar="GOAL", help="the same as 60x, '6000 kept' or '28 KiB'")
    add_allocation(group)
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="settings and sparsities from a TOML file"
    )


def add_resume(parser: ArgumentParser) -> None:
    """The run to go on with."""
    parser.add_argument(
        "--resume", metavar="RUN", help="go on with an interrupted run instead of a new one"
    )


def add_table(parser: ArgumentParser) -> None:
    """What the table is of."""
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="the net that came of a run: FOLDER, its newest one, or FOLDER:RUN-ID",
    )
    add_plan(parser)
    _add_split(parser, "test")


def add_export(parser: ArgumentParser) -> None:
    """What is written, and how."""
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="the net that came of it: FOLDER, its newest run, or FOLDER:RUN-ID "
        "(default: the dense net of the settings)",
    )
    group = parser.add_argument_group("the file")
    group.add_argument(
        "--to",
        metavar="FILE",
        type=Path,
        required=True,
        help="net.fw, compact; net.safetensors or net.pt, a plain state_dict; net.onnx",
    )
    group.add_argument(
        "--values",
        metavar="NAME",
        help="of a compact file: float32, every bit; float16, bfloat16; codebook, few values found "
        "by k-means; steps, few values evenly spaced (default float32, or codebook where --levels "
        "or --max-drop is given)",
    )
    group.add_argument(
        "--levels", metavar="N", type=int, help="values that the weights of a layer share, 2 to 256"
    )
    group.add_argument(
        "--max-drop",
        metavar="POINTS",
        type=float,
        help="as few levels as cost no more of validation accuracy",
    )
    group.add_argument(
        "--tune",
        metavar="N",
        type=int,
        default=0,
        help="epochs of training the shared values, where they need it (default 0)",
    )


def add_inspect(parser: ArgumentParser) -> None:
    """What is looked into."""
    parser.add_argument("file", metavar="FILE", type=Path, help="a compact file")


def add_bench(parser: ArgumentParser) -> None:
    """What is timed."""
    parser.add_argument(
        "net",
        metavar="RUN|FILE",
        help="the net that came of a run: FOLDER, its newest one, or FOLDER:RUN-ID; or a file of "
        "weights, .fw, .safetensors or .pt, of the net that --model names",
    )
    parser.add_argument(
        "--seconds",
        metavar="S",
        type=float,
        default=SECONDS,
        help=f"to spend, roughly (default {SECONDS:g})",
    )


def _add_split(parser: Any, default: str) -> None:
    parser.add_argument("--split", metavar="NAME", help=_names(SPLITS, default), default=default)


def add_allocation(parser: Any) -> None:
    """How the layers share in a goal."""
    parser.add_argument("--allocate", metavar="METHOD", help=_names(ALLOCATIONS, "lamp"))
    parser.add_argument(
        "--lock", metavar="LAYER=S,...", help="layers that stay at these sparsities"
    )


def add_search(parser: ArgumentParser) -> None:
    """What is searched for."""
    group = parser.add_argument_group("the search")
    group.add_argument(
        "--max-drop",
        metavar="POINTS",
        type=float,
        required=True,
        help="of validation accuracy below the dense net, at most",
    )
    group.add_argument(
        "--trials", metavar="N", type=int, default=TRIALS, help=f"at most (default {TRIALS})"
    )
    group.add_argument(
        "--start", metavar="X", type=float, default=START, help=f"first ratio (default {START:g})"
    )
    add_allocation(group)
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings from a TOML file")


def add_scan(parser: ArgumentParser) -> None:
    """What is scanned."""
    group = parser.add_argument_group("what is scanned")
    group.add_argument(
        "--sparsities",
        metavar="LIST",
        help="as 0.5,0.9 or FROM:TO:STEP (default 0.40:0.95:0.05; to 1.00 for --uniform)",
    )
    group.add_argument(
        "--uniform", action="store_true", help="also all layers pruned to the same sparsity"
    )
    _add_split(group, SPLITS[0])
    group.add_argument(
        "--quick",
        action="store_true",
        help="measure each point on a growing sample until its interval is narrow enough",
    )
    group.add_argument(
        "--within",
        metavar="POINTS",
        type=float,
        help=f"how narrow, in points of accuracy either side (default {WITHIN}); makes it quick",
    )


def add_experiment(parser: ArgumentParser) -> None:
    """Where runs are recorded."""
    parser.add_argument(
        "--experiment",
        metavar="PATH",
        default=SUPPRESS,
        help="folder, or name, that it is recorded in (default: MODEL-DATASET among your data)",
    )


def add_json(parser: ArgumentParser) -> None:
    """Where the result goes."""
    parser.add_argument(
        "--json", metavar="PATH", help="write the result as JSON; - is standard output"
    )


def config_of(given: Namespace) -> Config | None:
    """The file that was given, read; raises InputError where it cannot be taken."""
    path: Path | None = getattr(given, "config", None)
    return None if path is None else read_config(path)


def settings_of(given: Namespace, config: Config | None = None) -> Settings:
    """The options over the file, the file over the defaults."""
    parts = {*Choices.__slots__, *Inputs.__slots__}
    known = {*Settings.__slots__, *parts} - {"choices", "inputs"}
    options = {name: _read(name, it) for name, it in vars(given).items() if name in known}
    if config is not None:
        if "model" not in options:
            _check_code("this recipe", config.given.get("model"), None)
        return config.overlaid(options)
    choices = Choices(**{n: options.pop(n) for n in Choices.__slots__ if n in options})
    inputs = Inputs(**{n: options.pop(n) for n in Inputs.__slots__ if n in options})
    return Settings(**options, choices=choices, inputs=inputs)


def _read(name: str, value: Any) -> Any:
    """What an option says, where it is more than its text."""
    if not isinstance(value, str):
        return value
    if name in ("mean", "std"):
        return parse_numbers(name, value)
    try:
        return parse_bytes(value) if name == "cache_budget" else value
    except InputError as error:
        raise InputError(f"{flag(name)} {error}") from error


def experiment_of(given: Namespace, settings: Settings) -> Experiment:
    """Where runs are recorded."""
    name = default_name(short_name(settings.model), short_data_name(settings.dataset))
    return Experiment(experiment_folder(getattr(given, "experiment", None), name))


def goal_of(given: Namespace) -> Goal | None:
    """How light the net shall be, where that was said.

    Raises:
        InputError: it is no goal, or there is none for a method to share out.
    """
    text = given.goal if given.ratio is None else given.ratio
    if text is None:
        for option in ("allocate", "lock"):
            if getattr(given, option) is not None:
                raise InputError(f"--{option} shares out a goal: give --ratio 60 or --goal 28KiB")
        return None
    goal = parse_goal(text, "; featherweight search --max-drop 0.5 looks for an accuracy")
    if given.ratio is not None and goal.kind != "ratio":
        raise InputError(f"--ratio {text}: expected a number such as 60; --goal takes {goal}")
    return goal


def allocation_of(given: Namespace) -> str:
    """The method that shares a goal out; raises InputError for one that there is not."""
    method: str = given.allocate or DEFAULT_ALLOCATION
    if method not in ALLOCATIONS:
        expected = ", ".join(ALLOCATIONS)
        raise InputError(f"unknown method '{method}': expected --allocate one of {expected}")
    return method


def locks_of(given: Namespace, layers: Sequence[str]) -> Plan:
    """The layers that stay as they are, with their sparsities."""
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
    inputs = run.known(record.inputs, "inputs")
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
        raise InputError(f"run {run.id} was not made with {' '.join(others)}: leave it out")
    return replace(settings, inputs=inputs)


def settings_of_net(given: Namespace, run: Run) -> Settings:
    """The same, for the net that a run produced.

    Raises:
        InputError: the run is not finished, the options name other weights, or `settings_for`
            raises it.
    """
    settings = settings_for(given, run)
    if not run.finished:
        raise InputError(f"run {run.id} is {run.status}: its net is there when it is finished")
    check_no_weights(given, f"run {run.id}")
    return settings


def check_no_weights(given: Namespace, what: str) -> None:
    """Raises InputError where the options name weights beside a net that has its own."""
    if "weights" in given:
        raise InputError(f"{what} has weights of its own: leave --weights {given.weights} out")


def _check_code(what: str, model: object, given: object) -> None:
    """A file does not get code run that nobody has asked for."""
    if isinstance(model, str) and model not in ZOO and model != given:
        raise InputError(
            f"{what} is for the net '{model}', whose code would run: say --model {model} as well"
        )


def explicit_plan(
    given: Namespace, config: Config | None, model: str, layers: Sequence[str]
) -> Plan | None:
    """The sparsities that were given one by one, by a preset or the file; None where none were."""
    if given.sparsity is not None:
        return parse_plan(given.sparsity, layers)
    if given.uniform is not None:
        return uniform_plan(parse_sparsity(given.uniform, "every layer"), layers)
    if given.preset is not None:
        return preset_plan(given.preset, model, layers)
    return None if config is None else config.checked_plan(layers)


def _names(names: Any, default: str) -> str:
    return f"{', '.join(names)} (default {default})"
