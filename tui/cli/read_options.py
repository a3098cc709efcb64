"""From options to what they stand for: settings, a plan, a goal, locked layers."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.data.registry import FOLDER, check_name, is_folder
from core.errors import InputError
from core.experiments.runs import Run
from core.nets.user_code.names import code_option
from core.nets.zoo import ZOO, ModelSpec, is_same_model
from core.pruning.goals import Goal, parse_goal
from core.pruning.layer_selection import spread
from core.pruning.plans import Plan, uniform_plan, whole_plan
from core.pruning.presets import preset_plan
from core.settings.recipe_file import Config, read_config
from core.settings.settings import OF_A_SESSION, SETTINGS, Settings, is_same_setting
from tui.cli.streams import tell
from tui.preferences.declared import NO_PREFERENCES, OF_THE_PROGRAM, Preferences


def config_of(args: Namespace) -> Config | None:
    """The contents of the recipe file; raises InputError if it is not valid."""
    return None if args.config is None else read_config(args.config, vars(args))


def settings_of(args: Namespace, config: Config | None = None) -> Settings:
    """The settings; options come first, then the recipe file, preferences and defaults."""
    preferred = preferences_of(args).settings
    options = {name: value for name, value in vars(args).items() if name in SETTINGS}
    if config is None:
        return Settings.of({**preferred, **options})
    model, args_in_file = map(config.values.get, ("model", "model_args"))
    if is_same_setting("model", model, options.get("model", model)):
        _check_code("this recipe", model, args_in_file, options)
    return config.merged_with(options, preferred)


def preferences_of(args: Namespace) -> Preferences:
    """The preferences, overridden by the options of this command line."""
    preferences: Preferences = getattr(args, "preferences", NO_PREFERENCES)
    given = {name: value for name, value in vars(args).items() if name in OF_THE_PROGRAM}
    return replace(preferences, **given)


def tell_problems(preferences: Preferences) -> None:
    """Print what is wrong in the environment and the settings file, a line each."""
    for problem in preferences.problems:
        tell(problem)


def goal_of(args: Namespace) -> Goal | None:
    """The goal for the size of the net; None if the options set none.

    Raises:
        InputError: it is not a goal, or an option needs one that is missing.
    """
    text = args.goal if args.ratio is None else args.ratio
    if text is None:
        for option in ("allocate", "lock"):
            if getattr(args, option) is not None:
                raise InputError(f"--{option} needs a goal: add --ratio 60 or --goal 28KiB")
        return None
    goal = parse_goal(text, "; for an accuracy use featherweight lightest --max-drop 0.5")
    if args.ratio is not None and goal.kind != "ratio":
        raise InputError(f"--ratio {text}: expected a number such as 60; for a size, use --goal")
    return goal


def locks_of(args: Namespace, layers: Sequence[str]) -> Plan:
    """The locked layers and their sparsities."""
    if args.lock is None:
        return {}
    return spread(args.lock, layers)


def settings_for(args: Namespace, run: Run) -> Settings:
    """The settings of a run; options override its precision, seed and threads.

    Raises:
        InputError: the record is damaged, the options do not confirm a custom net, or they name
            another net or other images than the run's.
    """
    record, options = run.checked(), vars(args)
    inputs = run.required(record.inputs, "inputs")
    _check_code(f"run {run.id}", record.model, record.model_args, options)
    fixed, defaults = (
        {name: value for name in names if (value := getattr(record, name)) is not None}
        for names in (OF_A_SESSION, ("precision", "seed", "threads"))
    )
    named = {name: options[name] for name in fixed if name in options}
    others = {key for key, value in named.items() if not is_same_setting(key, fixed[key], value)}
    fixed |= {name: value for name, value in named.items() if name not in others}
    settings = settings_of(Namespace(**{**defaults, **options, **fixed}))
    conflicts = [SETTINGS[name].given(named[name]) for name in fixed if name in others]
    conflicts += filter(None, [settings.inputs.beyond(inputs).flags])
    if conflicts:
        raise InputError(f"run {run.id} has other settings: remove {' '.join(conflicts)}")
    if "dataset" not in named and is_folder(settings.dataset):
        _check_images(run, settings.dataset)
    return replace(settings, inputs=inputs)


def _check_images(run: Run, dataset: str) -> None:
    """Raise InputError if the images of a run are not where it found them."""
    try:
        check_name(dataset)
    except InputError as error:
        way = f"add --dataset {FOLDER}PATH, where they are now"
        raise InputError(f"run {run.id}: {error}; {way}") from error


def settings_of_net(args: Namespace, run: Run) -> Settings:
    """The settings for the net that a run produced.

    Raises:
        InputError: the run is not finished, the options name other weights, or see `settings_for`.
    """
    settings = settings_for(args, run)
    run.check_finished()
    check_no_weights(args, f"run {run.id}")
    return settings


def check_no_weights(args: Namespace, what: str) -> None:
    """Raise InputError if the options name weights for a net that has its own."""
    if "weights" in args:
        raise InputError(f"{what} has its own weights: remove --weights {args.weights}")


def _check_code(what: str, model: str | None, args: str | None, options: Mapping[str, Any]) -> None:
    """Refuse to run code named by a file unless the options name it, too.

    Text among the arguments may name code, as in `torch.hub:load`, so they must be given again.
    """
    if model is None or model in ZOO:
        return
    named = options.get("model", "")
    is_named = bool(named) and is_same_model(model, named)
    own = named if is_named else model
    safe = "model_args" in options or ModelSpec(own, args=args or "").has_safe_args
    if not (is_named and safe):
        needed = SETTINGS["model"].given(code_option(own))
        needed += "" if safe else f" {SETTINGS['model_args'].given(args)}"
        raise InputError(f"{what} uses your own net '{model}': add {needed} to run its code")


def explicit_plan(
    args: Namespace, config: Config | None, model: str, layers: Sequence[str]
) -> Plan | None:
    """The sparsities that options, a preset or a file give; None if none do."""
    if args.sparsity is not None:
        return whole_plan(args.sparsity, layers)
    if args.uniform is not None:
        return uniform_plan(args.uniform, layers)
    if args.preset is not None:
        return preset_plan(args.preset, model, layers)
    return None if config is None else config.checked_plan(layers)
