"""The options of each command: their names and help, and how each is parsed and checked."""

from __future__ import annotations

from argparse import SUPPRESS, Action, ArgumentParser, BooleanOptionalAction, Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.data.inputs import Inputs
from core.fields.declaration import Setting, settings_in
from core.fields.kinds import integer, number, one_of
from core.formats.export_formats import VALUES, Packing
from core.inference.timings import SECONDS
from core.jobs.search import START, TRIALS
from core.pruning.curves import SPLITS, WITHIN
from core.pruning.goals import METHODS as ALLOCATIONS
from core.settings.choices import Choices
from core.settings.settings import SETTINGS, Settings

DEFAULT_ALLOCATION = "lamp"

RUN = "net that a run produced: FOLDER for its newest run, or FOLDER:RUN-ID"

_POINTS = number(0, 100)
_ALLOCATE = Setting(
    "allocate", DEFAULT_ALLOCATION, one_of(tuple(ALLOCATIONS)), "how a goal becomes sparsities"
)
_MAX_DROP = Setting("max_drop", None, _POINTS, "largest allowed drop in validation accuracy")
_TRIALS = Setting("trials", TRIALS, integer(1, 1000), "fine-tunings at most")
_START = Setting("start", START, number(1, 1_000_000, above=True), "ratio to try first")
_SECONDS = Setting("seconds", SECONDS, number(0, 100_000, above=True), "time to take, roughly")
_WITHIN = Setting(
    "within",
    WITHIN,
    number(0, 100, above=True),
    "half-width of those intervals in points of accuracy, implies --quick",
)
_SPLIT = Setting("split", SPLITS[0], one_of(SPLITS), "images to measure on")


class _Parse(Action):
    """Parses the text as a setting declares it; the error it raises goes to `main`."""

    def __init__(self, option_strings: Any, dest: str, *, declared: Setting, **more: Any) -> None:
        super().__init__(option_strings, dest, **more)
        self.declared = declared

    def __call__(self, parser: Any, given: Namespace, text: Any, option: Any = None) -> None:
        """Store the value; raises InputError where it is not expected."""
        setattr(given, self.dest, self.declared.parse(text))


def _add(parser: Any, declared: Setting, **more: Any) -> None:
    """Add the option of a setting; one that is not given leaves no trace, but for a `default`."""
    default = declared.default_text
    said = declared.description + (f" (default: {default})" if default else "")
    options = {"default": SUPPRESS, "help": said, **more}
    if declared.kind.metavar:
        options |= {"metavar": declared.kind.metavar, "action": _Parse, "declared": declared}
    else:
        options["action"] = BooleanOptionalAction
    parser.add_argument(declared.flag, **options)


def add_settings(parser: ArgumentParser, *, training: bool = True) -> None:
    """The options of `Settings` and `Inputs` and, for commands that train, of `Choices`."""
    group = parser.add_argument_group("settings")
    for declared in (settings_in(Settings) | settings_in(Inputs)).values():
        if training or declared.name != "recipe":
            _add(group, declared)
    if training:
        changes = parser.add_argument_group("changes to the recipe (default: as the recipe says)")
        for declared in settings_in(Choices).values():
            _add(changes, declared, help=declared.description)


def add_data_dir(parser: ArgumentParser) -> None:
    """Where data sets are."""
    _add(parser, SETTINGS["data_dir"])


def add_plan(parser: ArgumentParser) -> None:
    """The ways to give sparsities, at most one of them."""
    group = parser.add_argument_group("sparsities, as fractions")
    one = group.add_mutually_exclusive_group()
    one.add_argument(
        "--sparsity", metavar="LAYER=S,...", help="the plan; layers left out stay dense"
    )
    one.add_argument("--preset", metavar="NAME", help="a preset; m in the app lists them")
    one.add_argument("--uniform", metavar="S", help="the same sparsity for every layer")
    one.add_argument("--ratio", metavar="X", help="X times smaller; sparsities chosen for you")
    one.add_argument("--goal", metavar="GOAL", help="a goal: 60x, '6000 kept' or '28 KiB'")
    _add_allocation(group)
    _add_config(parser, "settings and sparsities from a TOML file")


def _add_config(parser: ArgumentParser, meaning: str) -> None:
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help=f"{meaning}; options override it"
    )


def _add_allocation(parser: Any) -> None:
    _add(parser, _ALLOCATE, default=None)
    parser.add_argument("--lock", metavar="LAYER=S,...", help="layers fixed at these sparsities")


def add_resume(parser: ArgumentParser) -> None:
    """The run to resume."""
    parser.add_argument("--resume", metavar="RUN", help="resume an interrupted run")


def add_table(parser: ArgumentParser) -> None:
    """Add the options of `table`."""
    parser.add_argument("run", metavar="RUN", nargs="?", help=RUN)
    add_plan(parser)
    _add(parser, replace(_SPLIT, default="test"), default="test")


def add_export(parser: ArgumentParser) -> None:
    """Add the options of `export`."""
    parser.add_argument(
        "run", metavar="RUN", nargs="?", help=f"{RUN} (default: the dense net of the settings)"
    )
    group = parser.add_argument_group("the file")
    group.add_argument(
        "--to",
        metavar="FILE",
        type=Path,
        required=True,
        help="net.fw (compact), net.safetensors or net.pt (state_dict), or net.onnx",
    )
    packing = settings_in(Packing)
    listed = "; ".join(f"{name}, {meaning}" for name, meaning in VALUES.items())
    said = f"how a compact file stores values: {listed} (default: float32, or codebook with "
    _add(group, packing["values"], default=None, help=said + "--levels or --max-drop)")
    _add(group, packing["levels"], default=None)
    _add(group, packing["max_drop"], default=None)
    _add(group, replace(packing["epochs"], name="tune"), default=packing["epochs"].default)


def add_inspect(parser: ArgumentParser) -> None:
    """What is inspected."""
    parser.add_argument("file", metavar="FILE", type=Path, help="a compact file")


def add_bench(parser: ArgumentParser) -> None:
    """What is timed."""
    said = f"{RUN}; or a file of weights, .fw, .safetensors or .pt, for the net of --model"
    parser.add_argument("net", metavar="RUN|FILE", help=said)
    _add(parser, _SECONDS, default=SECONDS)


def add_search(parser: ArgumentParser) -> None:
    """Add the options of `search`."""
    group = parser.add_argument_group("the search")
    _add(group, _MAX_DROP, required=True)
    _add(group, _TRIALS, default=TRIALS)
    _add(group, _START, default=START)
    _add_allocation(group)
    _add_config(parser, "settings from a TOML file")


def add_scan(parser: ArgumentParser) -> None:
    """Add the options of `scan`."""
    group = parser.add_argument_group("what is scanned")
    group.add_argument(
        "--sparsities",
        metavar="LIST",
        help="0.5,0.9 or FROM:TO:STEP (default: 0.40:0.95:0.05; to 1.00 for --uniform)",
    )
    group.add_argument(
        "--uniform", action="store_true", help="also prune all layers to the same sparsity"
    )
    _add(group, _SPLIT, default=_SPLIT.default)
    group.add_argument(
        "--quick",
        action="store_true",
        help="measure each point on a growing sample, until its interval is narrow enough",
    )
    _add(group, _WITHIN, default=None)


def add_experiment(parser: ArgumentParser) -> None:
    """Where runs are recorded."""
    parser.add_argument(
        "--experiment",
        metavar="PATH",
        default=SUPPRESS,
        help="folder, or name, to record runs in (default: MODEL-DATASET in the data folder)",
    )


def add_json(parser: ArgumentParser) -> None:
    """Add the option for JSON output."""
    parser.add_argument(
        "--json", metavar="PATH", help="write the result as JSON; - is standard output"
    )
