"""The options of each command: their names and help, and how each is parsed and checked."""

from argparse import SUPPRESS, Action, ArgumentParser, BooleanOptionalAction, Namespace
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from core.criteria.names import MAGNITUDE
from core.data.inputs import Inputs
from core.fields.declaration import Setting, settings_in
from core.fields.kinds import integer, number, number_or_all, one_of
from core.fields.kinds import text as words
from core.formats.export_formats import VALUES, Packing
from core.inference.benchmark_result import SECONDS
from core.lightest.steps import START
from core.lightest.trials import COSTS
from core.pruning.curves import SPLITS, WITHIN
from core.pruning.goals import ALLOCATIONS, DEFAULT_ALLOCATION, EXAMPLES
from core.pruning.plans import parse_pairs, parse_sparsities, parse_sparsity
from core.settings.recipe_changes import RecipeChanges
from core.settings.recipe_file import FRACTION
from core.settings.settings import SETTINGS, Settings
from core.sweep.grid import SWEPT, distinct
from core.sweep.sweep_file import RATIO
from tui.preferences.declared import PREFERENCES

LOOPBACK = "127.0.0.1"
"""The address that only this machine can reach."""

DEMO_SETTINGS = ("data_dir", "threads", "device")
"""The settings that do not change the demo's story."""

RUN = "the net of a run: FOLDER for its newest run, or FOLDER:RUN-ID"

_ALLOCATE = Setting(
    "allocate", DEFAULT_ALLOCATION, one_of(tuple(ALLOCATIONS)), "how to turn a goal into sparsities"
)
_MAX_DROP = Setting("max_drop", None, number(0, 100), "allowed validation accuracy drop (points)")
_BY = Setting("by", next(iter(COSTS)), one_of(COSTS), "what the net is to have least of")
_MINUTES = Setting(
    "minutes", None, number(0, 1_000_000, above=True), "minutes it may take", "no limit"
)
_START = Setting("start", START, number(1, 1_000_000, above=True), "first ratio to try")
_WORKERS = Setting("workers", None, integer(1, 1024), "run N trials at once, each in a process")
_CPUS = Setting(
    "cpus_per_trial", 1.0, number(0, 1024, above=True), "CPUs of a trial on a cluster, and threads"
)
_GPUS = Setting("gpus_per_trial", 0.0, number(0, 64), "GPUs of a trial on a cluster; 0.5 is half")
_SECONDS = Setting("seconds", SECONDS, number(0, 100_000, above=True), "approximate duration")
_PACE = Setting(
    "pace", 1.0, number(0.1, 100), "how fast captions follow one another: 2 is twice as fast"
)
_PORT = Setting("port", 8000, integer(0, 65535), "port to serve on; 0 chooses a free one")
_WITHIN = Setting(
    "within", WITHIN, number(0, 100, above=True), "--quick, with intervals of X points on each side"
)
_SPLIT = Setting("split", SPLITS[0], one_of(SPLITS), "split to measure on")
_IN_HELP = EXAMPLES.replace("%", "%%")  # argparse fills in its own words
IMAGES = Setting(
    "images", None, number_or_all(), "images to measure activations on", "all, or a sample if slow"
)


_RATIOS = Setting(
    "ratio", None, replace(RATIO, values=""), "X times smaller; sparsities chosen for you"
)
_GOALS = Setting("goal", None, words(""), f"goals: {EXAMPLES}")
_UNIFORM = Setting("uniform", None, replace(FRACTION, values=""), "one sparsity for every layer")
_PRESETS = Setting("preset", None, words(""), "presets")

LISTED = tuple(name for name in SWEPT if SETTINGS[name].kind.metavar and name != "augment")
"""Settings that a sweep takes lists of."""


class _Parse(Action):
    """Parses a value before anything is loaded; errors go to `main`."""

    def __init__(
        self, option_strings: Any, dest: str, *, parse: Callable[[str], Any], **more: Any
    ) -> None:
        super().__init__(option_strings, dest, **more)
        self._parse = parse

    def __call__(self, parser: Any, args: Namespace, text: Any, option: Any = None) -> None:
        """Store the value; raises InputError if it is not valid."""
        setattr(args, self.dest, self._parse(text))


def _add(parser: Any, setting: Setting, **more: Any) -> None:
    """Add the option of a setting; without a `default`, an omitted one is not in the namespace."""
    default = setting.default_text
    description = setting.description + (f" (default: {default})" if default else "")
    options = {"default": SUPPRESS, "help": description, **more}
    options["help"] = options["help"].replace("%", "%%")  # argparse fills in its own words
    if setting.kind.metavar:
        options |= {"metavar": setting.kind.metavar, "action": _Parse, "parse": setting.parse}
    else:
        options["action"] = BooleanOptionalAction
    parser.add_argument(setting.flag, **options)


def add_settings(parser: ArgumentParser, *, training: bool = True, sweeps: bool = False) -> None:
    """Add the options of `Settings` and `Inputs`, and of `RecipeChanges` if the command trains.

    Those of a command that sweeps take lists where its trials may differ.
    """
    lists = LISTED if sweeps else ()
    group = parser.add_argument_group("settings")
    for setting in (settings_in(Settings) | settings_in(Inputs)).values():
        if setting.name in lists:
            _add_list(group, setting, setting.default_text)
        elif training or setting.name != "recipe":
            _add(group, setting)
    if training:
        changes = parser.add_argument_group("changes to the recipe (default: as the recipe says)")
        for setting in settings_in(RecipeChanges).values():
            if setting.name in lists:
                _add_list(changes, setting)
            else:
                _add(changes, setting, help=setting.description)


def _add_list(parser: Any, setting: Setting, default: str = "") -> None:
    """Add the option of a setting that takes a list of its values."""
    if setting.name == "seed":
        setting = replace(setting, name="seeds", meaning="random seeds")
    text = setting.description + (f" (default: {default})" if default else "")
    metavar = f"{setting.kind.metavar},..."
    parse = partial(_parse_list, setting)
    text = text.replace("%", "%%")
    parser.add_argument(
        setting.flag, default=SUPPRESS, metavar=metavar, action=_Parse, parse=parse, help=text
    )


def _parse_list(setting: Setting, text: str) -> tuple[Any, ...]:
    values = [setting.parse(part.strip()) for part in text.split(",")]
    return distinct(values, f"{setting.flag} {text}")


def add_data_dir(parser: ArgumentParser) -> None:
    """Add the option for the folder of the data sets."""
    _add(parser, SETTINGS["data_dir"])


def _add_plan(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("sparsities, as fractions")
    one = group.add_mutually_exclusive_group()
    one.add_argument(
        "--sparsity",
        metavar="LAYER=S,...",
        action=_Parse,
        parse=parse_pairs,
        help="the plan, by layer, group or pattern (layer3.*=0.9); other layers stay dense",
    )
    one.add_argument("--preset", metavar="NAME", help="a preset (press m in the app for a list)")
    one.add_argument(
        "--uniform",
        metavar="S",
        action=_Parse,
        parse=partial(parse_sparsity, where="every layer"),
        help="the same sparsity for every layer",
    )
    one.add_argument("--ratio", metavar="X", help="X times smaller; sparsities chosen for you")
    one.add_argument("--goal", metavar="GOAL", help=f"a goal: {_IN_HELP}")
    _add_allocation(group)
    _add_config(parser, "settings and sparsities from a TOML file")


def _add_config(parser: ArgumentParser, meaning: str) -> None:
    text = f"{meaning}; options override it"
    parser.add_argument("--config", metavar="FILE", type=Path, help=text)


def _add_allocation(parser: Any) -> None:
    _add(parser, _ALLOCATE, default=None)
    text = "layers fixed at these sparsities"
    parser.add_argument(
        "--lock", metavar="LAYER=S,...", action=_Parse, parse=parse_pairs, help=text
    )


def _add_criterion(parser: Any) -> None:
    """The criterion as a recipe has it, for commands that prune without training."""
    declared = SETTINGS["criterion"]
    _add(parser, declared, help=f"{declared.description} (default: {MAGNITUDE})")


def _add_run(parser: ArgumentParser) -> None:
    _add_plan(parser)
    parser.add_argument("--resume", metavar="RUN", help="resume an interrupted run")


def _add_table(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", nargs="?", help=RUN)
    _add_plan(parser)
    _add_criterion(parser)
    _add(parser, replace(_SPLIT, default="test"), default="test")
    _add(parser, IMAGES, default=None)


def _add_export(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", nargs="?", help=f"{RUN} (default: the dense net)")
    group = parser.add_argument_group("the file")
    group.add_argument(
        "--to",
        metavar="FILE",
        type=Path,
        required=True,
        help="net.fw (compact), net.safetensors or net.pt (state_dict), or net.onnx",
    )
    packing = settings_in(Packing)
    formats = ", ".join(f"{name} ({meaning})" for name, meaning in VALUES.items())
    text = f"how a compact file stores values: {formats} (default: float32, or codebook with "
    _add(group, packing["values"], default=None, help=text + "--levels or --max-drop)")
    _add(group, packing["levels"], default=None)
    _add(group, packing["max_drop"], default=None)
    _add(group, replace(packing["epochs"], name="tune"), default=packing["epochs"].default)


def _add_inspect(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="a compact file")


def _add_bench(parser: ArgumentParser) -> None:
    text = f"{RUN}; or a weights file (.fw, .safetensors or .pt) for the net of --model"
    parser.add_argument("net", metavar="RUN|FILE", help=text)
    _add(parser, _SECONDS, default=SECONDS)


def _add_lightest(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("the lightest net")
    _add(group, _MAX_DROP, required=True)
    _add(group, _BY, default=_BY.default)
    text = "write the net to a compact file, with as few values as the drop allows"
    group.add_argument("--to", metavar="FILE", type=Path, help=text)
    _add_list(group, SETTINGS["seed"])
    _add(group, _START, default=START)
    _add(group, _MINUTES, default=None)
    _add_allocation(group)
    _add_config(parser, "settings from a TOML file")
    _add_workers(parser, "trials")


def _add_sweep(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("the plans: every combination is run with every seed")
    _add_list(group, _RATIOS)
    _add_list(group, _GOALS)
    _add_list(group, _ALLOCATE, _ALLOCATE.default)
    _add_list(group, _UNIFORM)
    _add_list(group, _PRESETS)
    text = "one plan, by layer, group or pattern; other layers stay dense"
    group.add_argument(
        "--sparsity", metavar="LAYER=S,...", action=_Parse, parse=parse_pairs, help=text
    )
    text = "layers fixed at these sparsities"
    group.add_argument("--lock", metavar="LAYER=S,...", action=_Parse, parse=parse_pairs, help=text)
    _add_config(parser, "the sweep as a TOML file, with lists in place of values")
    _add_workers(parser, "trials")
    text = "start it in a process of its own, say how to watch it, and end"
    parser.add_argument("--detach", action="store_true", help=text)
    text = "watch the sweep that runs in an experiment, or its last one (default: any that runs)"
    parser.add_argument("--attach", metavar="EXPERIMENT", nargs="?", const="", help=text)
    text = "say how many trials there are and how long they take, and end"
    parser.add_argument("--preview", action="store_true", help=text)


def _add_workers(parser: ArgumentParser, what: str) -> None:
    """Add the options for where the work of a command runs."""
    where = parser.add_argument_group(f"where {what} run (default: here, one after the other)")
    one = where.add_mutually_exclusive_group()
    _add(one, replace(_WORKERS, meaning=f"run N {what} at once, each in a process"))
    text = f"run {what} on a Ray cluster: auto for this machine's, or HOST:PORT of its head"
    one.add_argument("--on", metavar="ADDRESS", help=text)
    _add(where, _CPUS)
    _add(where, _GPUS)


def _add_scan(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("the scan")
    group.add_argument(
        "--sparsities",
        metavar="LIST",
        action=_Parse,
        parse=parse_sparsities,
        help="0.5,0.9 or FROM:TO:STEP (default: 0.40:0.95:0.05; up to 1.00 for --uniform; "
        "also 0.97, 0.98 and 0.99 with --repair reconstruct)",
    )
    group.add_argument(
        "--uniform", action="store_true", help="also scan with all layers at the same sparsity"
    )
    _add(group, _SPLIT, default=_SPLIT.default)
    text = "measure each point on a growing sample until its interval is narrow enough"
    group.add_argument("--quick", action="store_true", help=text)
    _add(group, _WITHIN, default=None)
    _add_criterion(group)
    _add_workers(parser, "layers")


def _add_train(parser: ArgumentParser) -> None:
    text = "file for the weights, as safetensors; must not exist yet (default: MODEL.safetensors)"
    parser.add_argument("--to", metavar="FILE", type=Path, help=text)


def add_experiment(parser: ArgumentParser) -> None:
    """Add the option for the experiment that records the runs."""
    text = "folder or name of the experiment (default: MODEL-DATASET in the platform's data folder)"
    parser.add_argument("--experiment", metavar="PATH", default=SUPPRESS, help=text)


def add_looks(parser: ArgumentParser) -> None:
    """Add the options for how the terminal program looks."""
    for name in ("theme", "ascii"):
        _add(parser, PREFERENCES[name])


def add_manners(parser: ArgumentParser) -> None:
    """Add the options for what the terminal program says by itself."""
    for name in ("notify", "tour"):
        _add(parser, PREFERENCES[name])


def add_address(parser: ArgumentParser) -> None:
    """Add the options of the address to serve on."""
    text = "address to serve on; any but a loopback address lets other machines in"
    parser.add_argument(
        "--host", metavar="ADDRESS", default=LOOPBACK, help=f"{text} (default: {LOOPBACK})"
    )
    _add(parser, _PORT, default=_PORT.default)


def add_serve(parser: ArgumentParser) -> None:
    """Add the options of the server, and those of the program it serves."""
    add_address(parser)
    add_settings(parser)
    add_experiment(parser)
    add_looks(parser)
    parser.set_defaults(command="serve")


def add_demo(parser: ArgumentParser) -> None:
    """Add the options of the demo, which always plays on the included net."""
    _add(parser, _PACE, default=_PACE.default)
    parser.add_argument("--loop", action="store_true", help="start over at the end, until a key")
    for name in DEMO_SETTINGS:
        _add(parser, SETTINGS[name])
    add_looks(parser)
    parser.set_defaults(command="demo")


COMMANDS: Mapping[str, tuple[str, bool, Callable[[ArgumentParser], None]]] = {
    "run": ("prune and fine-tune without the terminal program", True, _add_run),
    "lightest": ("find the lightest net within an allowed drop in accuracy", True, _add_lightest),
    "sweep": ("run every combination of plans, settings and seeds", True, _add_sweep),
    "scan": ("measure accuracy with one layer pruned at a time", False, _add_scan),
    "table": ("list what each layer costs, as in Han et al. (2015)", False, _add_table),
    "bench": ("benchmark a net in every installed engine", False, _add_bench),
    "train": ("train a dense net and write its weights", True, _add_train),
    "export": ("write a run's net to a file and measure its accuracy", False, _add_export),
    "inspect": ("show what a compact file holds", False, _add_inspect),
}
"""Each command: its help, whether it trains, and what adds its own options."""


def add_command_options(parser: ArgumentParser, name: str) -> None:
    """Add every option of a command."""
    _, trains, add_own = COMMANDS[name]
    add_own(parser)
    add_settings(parser, training=trains, sweeps=name == "sweep")
    add_experiment(parser)
    text = "write the result as JSON; - writes to standard output"
    parser.add_argument("--json", metavar="PATH", help=text)
    parser.set_defaults(command=name)
