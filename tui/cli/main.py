"""The command `featherweight`: its subcommands, and what its exit statuses mean.

Exit status: 0 done, 1 failed while working, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from core.errors import InputError, StoppedError, WorkError
from tui.cli import options

EXAMPLES = """\
examples:
  featherweight                                     open the terminal program
  featherweight run --preset aggressive --json -    prune and fine-tune without it
  featherweight run --ratio 60 --allocate lamp      60x smaller; sparsities chosen for you
  featherweight search --max-drop 0.5               find the lightest net within half a point
  featherweight scan                                see which layers can be pruned further
  featherweight table --preset aggressive           see what each layer costs, before and after
  featherweight bench cnn5-mnist:7                  time the net a run produced
  featherweight train --to dense.safetensors        train a dense net
  featherweight --weights dense.safetensors         and open it
  featherweight export cnn5-mnist --to net.fw       write the net the newest run produced
  featherweight inspect net.fw                      see what is in a file, and its accuracy
  featherweight data fetch mnist                    download the data before you go offline
"""


def _add_target(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--to",
        metavar="FILE",
        type=Path,
        help="where to write the weights, as safetensors (default: MODEL.safetensors, if free)",
    )


COMMANDS: Mapping[str, tuple[str, bool, tuple[Callable[[ArgumentParser], None], ...]]] = {
    "run": (
        "prune and fine-tune without the terminal program",
        True,
        (options.add_plan, options.add_resume),
    ),
    "search": ("find the lightest net within a drop in accuracy", True, (options.add_search,)),
    "scan": ("measure how sensitive each layer is to pruning", False, (options.add_scan,)),
    "table": ("show what each layer costs, as in Han et al. (2015)", False, (options.add_table,)),
    "bench": ("time a net in every engine installed here", False, (options.add_bench,)),
    "train": ("train a dense net and write its weights", True, (_add_target,)),
    "export": ("write a run's net to a file and measure it", False, (options.add_export,)),
    "inspect": ("show what a compact file holds and its accuracy", False, (options.add_inspect,)),
}
"""Each command: its help, whether it trains, and what adds its own options."""


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
    said = "".join(char if char.isprintable() else "?" for char in " ".join(str(error).split()))
    print(f"featherweight: {said}", file=sys.stderr)
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
    options.add_settings(parser)
    options.add_experiment(parser)
    parser.add_argument("--theme", metavar="NAME", help="a color theme for the terminal program")
    parser.set_defaults(handler=_later("app"))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    for name, (what, trains, own_options) in COMMANDS.items():
        command = commands.add_parser(name, help=what)
        for add in own_options:
            add(command)
        options.add_settings(command, training=trains)
        options.add_experiment(command)
        options.add_json(command)
        command.set_defaults(handler=_later(name))
    data = commands.add_parser("data", help="fetch data sets")
    actions = data.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)
    fetch = actions.add_parser("fetch", help="fetch a data set into the cache and check it")
    fetch.add_argument("name", help="the data set, such as mnist")
    options.add_data_dir(fetch)
    fetch.set_defaults(handler=_later("data"))
    return parser


def _later(name: str) -> Callable[[Namespace], int]:
    """The command in `tui/cli/commands` called `name`, imported when it is wanted."""

    def handler(given: Namespace) -> int:
        command = import_module(f"tui.cli.commands.{name}").prepare(given)
        status: int = command.perform()
        return status

    return handler


class _Version(argparse.Action):
    """Prints the version; asks for it only when it is wanted."""

    def __init__(self, option_strings: Sequence[str], dest: str, **_: Any) -> None:
        super().__init__(option_strings, dest=SUPPRESS, nargs=0, help="show the version")

    def __call__(self, parser: ArgumentParser, *_: Any) -> None:
        """Print and leave."""
        from importlib.metadata import version

        print(f"featherweight {version('featherweight')}")
        parser.exit()
