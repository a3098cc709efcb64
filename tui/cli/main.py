"""The `featherweight` command: subcommands and exit statuses.

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
from tui.cli import arguments

EXAMPLES = """\
examples:
  featherweight                                     open the terminal program
  featherweight run --preset aggressive --json -    prune and fine-tune without it
  featherweight run --ratio 60                      60x smaller; sparsities chosen for you
  featherweight search --max-drop 0.5               smallest net within half a point of accuracy
  featherweight scan                                how far each layer can be pruned
  featherweight table --preset aggressive           what each layer costs, before and after pruning
  featherweight bench cnn5-mnist:7                  how fast a run's net is
  featherweight train --to dense.safetensors        train a dense net
  featherweight --weights dense.safetensors         open it
  featherweight export cnn5-mnist --to net.fw       write the newest run's net to a file
  featherweight inspect net.fw                      what a file holds, and its accuracy
  featherweight data fetch mnist                    download the data ahead of time
"""


def _add_target(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--to",
        metavar="FILE",
        type=Path,
        help="file for the weights, as safetensors (default: MODEL.safetensors, unless it exists)",
    )


COMMANDS: Mapping[str, tuple[str, bool, tuple[Callable[[ArgumentParser], None], ...]]] = {
    "run": (
        "prune and fine-tune without the terminal program",
        True,
        (arguments.add_plan, arguments.add_resume),
    ),
    "search": ("find the smallest net within a drop in accuracy", True, (arguments.add_search,)),
    "scan": ("measure accuracy with each layer pruned alone", False, (arguments.add_scan,)),
    "table": ("list what each layer costs, as in Han et al. (2015)", False, (arguments.add_table,)),
    "bench": ("time a net in every installed engine", False, (arguments.add_bench,)),
    "train": ("train a dense net and write its weights", True, (_add_target,)),
    "export": ("write a run's net to a file, and measure the file", False, (arguments.add_export,)),
    "inspect": (
        "show what a compact file holds",
        False,
        (arguments.add_inspect,),
    ),
}
"""Each command: its help, whether it trains, and what adds its own options."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
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
    """A parser with one-line errors, exit status 2, and no abbreviated options."""

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
    arguments.add_settings(parser)
    arguments.add_experiment(parser)
    parser.add_argument("--theme", metavar="NAME", help="color theme of the terminal program")
    parser.set_defaults(handler=_later("app"))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    for name, (what, trains, own_options) in COMMANDS.items():
        command = commands.add_parser(name, help=what)
        for add in own_options:
            add(command)
        arguments.add_settings(command, training=trains)
        arguments.add_experiment(command)
        arguments.add_json(command)
        command.set_defaults(handler=_later(name))
    data = commands.add_parser("data", help="download data sets")
    actions = data.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)
    fetch = actions.add_parser("fetch", help="download a data set into the cache and verify it")
    fetch.add_argument("name", help="the data set, such as mnist")
    arguments.add_data_dir(fetch)
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
    """Print the version, looked up only when asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, **_: Any) -> None:
        super().__init__(option_strings, dest=SUPPRESS, nargs=0, help="show the version")

    def __call__(self, parser: ArgumentParser, *_: Any) -> None:
        """Print the version and exit."""
        from importlib.metadata import version

        print(f"featherweight {version('featherweight')}")
        parser.exit()
