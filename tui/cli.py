"""The command `featherweight`: its options, and what its exit statuses mean.

Exit status: 0 done, 1 failed while working, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from core.choices import MEANINGS, Choices
from core.curves import SPARSITIES, SPLITS, UNIFORM_SPARSITIES, WITHIN
from core.errors import InputError, StoppedError, WorkError
from core.plans import (
    PRESETS,
    Plan,
    parse_plan,
    parse_sparsities,
    parse_sparsity,
    preset_plan,
    uniform_plan,
)
from core.recipes import METHODS, RECIPES
from core.settings import DEVICES, PRECISIONS, PROTOCOLS, Settings
from core.zoo import ZOO

if TYPE_CHECKING:
    from core.events import StopFlag, Stream
    from core.workbench import Workbench

DEFAULT_PRESET = "aggressive"
LEAVE_SECONDS = 0.5
"""How long leaving in the middle of a job lets it clean up before the process ends."""

EXAMPLES = """\
examples:
  featherweight                                     open the terminal program
  featherweight run --preset aggressive --json -    prune and fine-tune without it
  featherweight run --sparsity conv2=0.9,fc1=0.98 --epochs 3 --seed 1
  featherweight train --to dense.safetensors        train a dense net
  featherweight --weights dense.safetensors         and open it
  featherweight data fetch mnist                    bring the data in, before a flight
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit status."""
    try:
        given = _parser().parse_args(arguments)
        status: int = given.handler(given)
    except InputError as error:
        return _complain(error, 2)
    except StoppedError as error:
        return _complain(error, 130)
    except WorkError as error:
        return _complain(error, 1)
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    return status


def _complain(error: object, status: int) -> int:
    print(f"featherweight: {' '.join(str(error).split())}", file=sys.stderr)
    return status


class _Parser(ArgumentParser):
    """Errors are one line, and exit with 2; options are never abbreviated."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        """Raise what `main` prints."""
        raise InputError(f"{message}; see {self.prog} --help")


def _parser() -> ArgumentParser:
    parser = _Parser(
        prog="featherweight",
        description="Find out how light a neural net can be: choose a sparsity for each layer,\n"
        "prune, fine-tune, and watch accuracy, weights and size.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version)
    _add_settings(parser)
    parser.add_argument("--theme", metavar="NAME", help="colours of the terminal program")
    parser.set_defaults(handler=_app)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)

    run = commands.add_parser("run", help="prune and fine-tune without the terminal program")
    _add_plan(run)
    _add_settings(run)
    _add_json(run)
    run.set_defaults(handler=_run)

    scan = commands.add_parser("scan", help="how sensitive each layer is to being pruned alone")
    _add_scan(scan)
    _add_settings(scan, training=False)
    _add_json(scan)
    scan.set_defaults(handler=_scan)

    train = commands.add_parser("train", help="train a dense net and write its weights")
    _add_settings(train)
    _add_json(train)
    train.add_argument(
        "--to",
        metavar="FILE",
        type=Path,
        help="where the weights go, as safetensors (default: MODEL.safetensors, if not there yet)",
    )
    train.set_defaults(handler=_train)

    data = commands.add_parser("data", help="bring data sets in")
    actions = data.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)
    fetch = actions.add_parser("fetch", help="fetch a data set into the cache and check it")
    fetch.add_argument("name", help="of the data set, such as mnist")
    _add_data_dir(fetch)
    fetch.set_defaults(handler=_fetch)
    return parser


def _add_settings(parser: ArgumentParser, *, training: bool = True) -> None:
    """The options of `Settings`; those not given are left to its defaults."""
    group = parser.add_argument_group("settings")

    def add(name: str, **options: Any) -> None:
        group.add_argument(name, default=SUPPRESS, **options)

    defaults = Settings()
    add("--model", metavar="NAME", help=f"{', '.join(ZOO)} (default {defaults.model})")
    add("--dataset", metavar="NAME", help=f"default {defaults.dataset}")
    if training:
        add("--recipe", metavar="NAME", help=_names(RECIPES, defaults.recipe))
    add("--protocol", metavar="NAME", help=_names(PROTOCOLS, defaults.protocol))
    add("--precision", metavar="NAME", help=_names(PRECISIONS, defaults.precision))
    add("--device", metavar="NAME", help=_names(DEVICES, defaults.device))
    add("--threads", metavar="N", type=int, help="to compute with (default: torch's choice)")
    add("--seed", metavar="N", type=int, help=f"default {defaults.seed}")
    add("--weights", metavar="FILE", type=Path, help="dense weights to start from, safetensors")
    _add_data_dir(group)
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


def _add_data_dir(parser: Any) -> None:
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        default=SUPPRESS,
        help="where data sets are kept (default: the platform's cache folder)",
    )


def _add_plan(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("sparsities, as fractions").add_mutually_exclusive_group()
    group.add_argument("--sparsity", metavar="LAYER=S,...", help="layers not named stay dense")
    group.add_argument("--preset", metavar="NAME", help=_names(PRESETS, DEFAULT_PRESET))
    group.add_argument("--uniform", metavar="S", help="the same for every layer")


def _add_scan(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("what is scanned")
    group.add_argument(
        "--sparsities",
        metavar="LIST",
        help="as 0.5,0.9 or FROM:TO:STEP (default 0.40:0.95:0.05; to 1.00 for --uniform)",
    )
    group.add_argument(
        "--uniform", action="store_true", help="also all layers pruned to the same sparsity"
    )
    group.add_argument("--split", metavar="NAME", help=_names(SPLITS, SPLITS[0]), default=SPLITS[0])
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


def _add_json(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--json", metavar="PATH", help="write the result as JSON; - is standard output"
    )


def _names(names: Any, default: str) -> str:
    return f"{', '.join(names)} (default {default})"


class _Version(argparse.Action):
    """Prints the version; asks for it only when it is wanted."""

    def __init__(self, option_strings: Sequence[str], dest: str, **_: Any) -> None:
        super().__init__(option_strings, dest=SUPPRESS, nargs=0, help="show the version")

    def __call__(self, parser: ArgumentParser, *_: Any) -> None:
        """Print and leave."""
        from importlib.metadata import version

        print(f"featherweight {version('featherweight')}")
        parser.exit()


def _settings(given: Namespace) -> Settings:
    values = vars(given)
    choices = Choices(**{k: v for k, v in values.items() if k in Choices.__slots__})
    plain = {k: v for k, v in values.items() if k in Settings.__slots__}
    return Settings(**plain, choices=choices)


def _app(given: Namespace) -> int:
    settings = _settings(given)
    if given.theme is not None:
        _check_theme(given.theme)
    if not _has_terminal():
        print(
            "featherweight: no terminal here, so this runs: "
            f"featherweight run --preset {DEFAULT_PRESET} --recipe {settings.recipe}",
            file=sys.stderr,
        )
        plan = {"preset": DEFAULT_PRESET, "sparsity": None, "uniform": None, "json": None}
        return _run(Namespace(**vars(given), **plan))
    return _open_app(settings, given.theme)


def _has_terminal() -> bool:
    """Whether the program can draw: both ends are a terminal, and one that moves its cursor."""
    drawable = os.environ.get("TERM") != "dumb"
    return drawable and sys.stdin.isatty() and sys.stdout.isatty()


def _check_theme(name: str) -> None:
    from textual.theme import BUILTIN_THEMES

    if name not in BUILTIN_THEMES:
        known = ", ".join(sorted(BUILTIN_THEMES))
        raise InputError(f"unknown theme '{name}': expected one of {known}")


def _open_app(settings: Settings, theme: str | None) -> int:
    from core.datasets import describe
    from tui.app import FeatherweightApp
    from tui.backend import CoreBackend

    describe(settings.dataset)
    app = FeatherweightApp(CoreBackend(settings))
    if theme is not None:
        app.theme = theme
    app.run()
    status = app.return_code or 0
    if app.job is not None:
        app.job.abandon(LEAVE_SECONDS)
        sys.stdout.flush()
        os._exit(status)
    return status


def _run(given: Namespace) -> int:
    settings = _settings(given)
    from tui.headless import (
        check_writable,
        console_for,
        drive,
        print_run,
        stop_on_interrupt,
        write_json,
    )

    check_writable(given.json)
    from core.workbench import Workbench

    bench = Workbench(settings)
    plan = _plan(given, bench.layer_names)
    console = console_for(given.json)
    with stop_on_interrupt(console) as stop:
        report = drive(_run_stream(bench, plan, stop), console)
    print_run(report, console)
    write_json(report, given.json)
    return 130 if report["stopped"] else 0


def _run_stream(bench: Workbench, plan: Plan, stop: StopFlag) -> Stream[dict[str, Any]]:
    from core.report import run_report

    base = yield from bench.open(stop)
    result = yield from bench.finetune(base, plan, stop)
    return run_report(bench, base, plan, result)


def _plan(given: Namespace, layers: Sequence[str]) -> Plan:
    if given.sparsity is not None:
        return parse_plan(given.sparsity, layers)
    if given.uniform is not None:
        return uniform_plan(parse_sparsity(given.uniform, "every layer"), layers)
    return preset_plan(DEFAULT_PRESET if given.preset is None else given.preset, layers)


def _scan(given: Namespace) -> int:
    settings = _settings(given)
    if given.split not in SPLITS:
        raise InputError(f"unknown split '{given.split}': expected one of {', '.join(SPLITS)}")
    asked = None if given.sparsities is None else parse_sparsities(given.sparsities)
    within = WITHIN if given.quick and given.within is None else given.within
    if within is not None and not within > 0:
        raise InputError(f"--within {within}: expected points of accuracy above 0")
    from tui.headless import check_writable, console_for, drive, stop_on_interrupt, write_json

    check_writable(given.json)
    from core.report import scan_report
    from core.workbench import Workbench
    from tui.scanning import print_scan, scan_stream

    bench = Workbench(settings)
    console = console_for(given.json)
    with stop_on_interrupt(console) as stop:
        uniform = (asked or UNIFORM_SPARSITIES) if given.uniform else ()
        stream = scan_stream(bench, given.split, asked or SPARSITIES, uniform, within, stop)
        result = drive(stream, console)
    print_scan(result, settings.protocol, console)
    write_json(scan_report(bench, result), given.json)
    return 130 if result.stopped else 0


def _train(given: Namespace) -> int:
    settings = _settings(given)
    from tui.headless import check_writable, console_for, drive, stop_on_interrupt, write_json

    target = given.to or Path(f"{settings.model}.safetensors")
    if given.to is None and os.path.exists(target):
        raise InputError(f"{target} is there already: say with --to FILE where the weights go")
    check_writable(given.json)
    check_writable(str(target))
    from core.report import train_report
    from core.weights import DenseWeights, save_dense
    from core.workbench import Workbench

    bench = Workbench(settings)
    console = console_for(given.json)
    with stop_on_interrupt(console) as stop:
        result = drive(bench.train(stop, settings.choices), console)
    report = train_report(bench, result)
    notes = {name: str(report[name]) for name in ("model", "dataset", "protocol", "recipe", "seed")}
    save_dense(target, DenseWeights(result.weights, result.early), notes)
    console.print(f"best epoch {result.best}; weights in {target}", markup=False)
    write_json({**report, "file": str(target)}, given.json)
    return 130 if result.stopped else 0


def _fetch(given: Namespace) -> int:
    from core.datasets import fetch
    from tui.headless import console_for, drive, stop_on_interrupt

    console = console_for(None)
    with stop_on_interrupt(console) as stop:
        folder = drive(fetch(given.name, getattr(given, "data_dir", None), stop), console)
    console.print(f"{given.name} is in {folder}", markup=False)
    return 0
