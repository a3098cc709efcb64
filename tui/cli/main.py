"""The `featherweight` command: its subcommands, and the exit status of each error."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from core.errors import InputError, StoppedError, WorkError, WriteError
from tui.cli import add_options
from tui.cli.arguments import Parser, parse
from tui.cli.exit_status import BAD_INPUT, DONE, FAILED
from tui.cli.read_options import tell_problems
from tui.cli.streams import Guarded, for_report, guarded, say, tell
from tui.preferences.reading import read_preferences
from tui.system.interruption import SIGPIPE, Interruption

EXAMPLES = """\
examples:
  featherweight                                     open the terminal program
  featherweight demo                                watch it play its own story, in three minutes
  featherweight run --preset aggressive --json -    prune and fine-tune without it
  featherweight run --ratio 60                      60x smaller; sparsities chosen for you
  featherweight lightest --max-drop 0.5             lightest net within half a point of accuracy
  featherweight sweep --ratio 10,20 --seeds 0,1,2   every combination, each a recorded run
  featherweight scan                                how far each layer can be pruned
  featherweight table --preset aggressive           what each layer costs, before and after pruning
  featherweight bench cnn5-mnist:7                  how fast a run's net is
  featherweight train --to dense.safetensors        train a dense net
  featherweight --weights dense.safetensors         open it
  featherweight export cnn5-mnist --to net.fw       write the newest run's net to a file
  featherweight inspect net.fw                      what a file holds, and its accuracy
  featherweight serve                               open the program in a browser
  featherweight data fetch mnist                    download the data ahead of time
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    with Interruption() as interruption, guarded(lambda: interruption.request(SIGPIPE)) as output:
        try:
            return _with_output(_run(argv, interruption), output)
        except SystemExit as end:  # of --help
            end.code = _with_output(DONE, output)
            raise


def _run(argv: Sequence[str] | None, interruption: Interruption) -> int:
    try:
        args = parse(_parser(), sys.argv[1:] if argv is None else argv)
        if args.version:
            from importlib.metadata import version

            say(f"featherweight {version('featherweight')}")
            return DONE
        _read_preferences(args)
        with for_report(getattr(args, "json", None)):
            command = import_module(f"tui.cli.commands.{args.command}").prepare(args)
        return int(command.perform(interruption))
    except StoppedError as error:
        status = interruption.status
        return status if interruption.requests[:1] == [SIGPIPE] else _fail(error, status)
    except (WriteError, WorkError) as error:
        return _fail(error, FAILED)
    except InputError as error:
        return _fail(error, BAD_INPUT)
    except KeyboardInterrupt:
        return _fail(interruption.reason, interruption.status)
    except Exception as error:
        from tui.system.error_log import log_error  # late: most commands log none

        return _fail(log_error(error), FAILED)


def _read_preferences(args: argparse.Namespace) -> None:
    """Read what a person prefers, and say what is wrong there; the program says so itself."""
    has_screen = args.command in ("app", "demo")
    args.preferences = read_preferences(os.environ, given=vars(args), program=has_screen)
    if not has_screen:
        tell_problems(args.preferences)


def _fail(error: object, status: int) -> int:
    """Print an error on one line."""
    tell(error)
    return status


def _with_output(status: int, output: Guarded) -> int:
    """The exit status of a command that has ended with `status`, its output included."""
    output.flush()
    if isinstance(output.problem, BrokenPipeError):
        return 128 + SIGPIPE
    if output.problem is not None and status == DONE:
        why = output.problem.strerror or output.problem
        return _fail(f"cannot write to standard output: {why}", FAILED)
    return status


def _parser() -> Parser:
    parser = Parser(
        prog="featherweight",
        description="Find out how light a neural net can be: choose a sparsity for each layer,\n"
        "prune, fine-tune, and watch accuracy, weights and size.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="show the version")
    add_options.add_settings(parser)
    add_options.add_experiment(parser)
    add_options.add_looks(parser)
    add_options.add_manners(parser)
    parser.set_defaults(command="app")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    for name, (summary, *_) in add_options.COMMANDS.items():
        add_options.add_command_options(commands.add_parser(name, help=summary), name)
    add_options.add_demo(commands.add_parser("demo", help="watch the program play its own story"))
    add_options.add_serve(commands.add_parser("serve", help="open the program in a browser"))
    data = commands.add_parser("data", help="download data sets")
    actions = data.add_subparsers(metavar="ACTION", required=True, parser_class=Parser)
    fetch = actions.add_parser("fetch", help="download a data set into the cache and verify it")
    fetch.add_argument("name", help="the data set, such as mnist")
    add_options.add_data_dir(fetch)
    fetch.set_defaults(command="data")
    return parser
