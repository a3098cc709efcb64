"""The words after `featherweight`: options that are not known are named, with those that are."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import takewhile
from typing import Any, NoReturn

from core.errors import InputError


class Parser(ArgumentParser):
    """A parser with one-line errors, exit status 2, and no abbreviated options."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raise the error that `main` prints."""
        raise InputError(f"{message}; see {self.prog} --help")

    @property
    def options(self) -> Sequence[str]:
        """The options it knows."""
        return [*self._option_string_actions]

    @property
    def commands(self) -> Mapping[str, Parser]:
        """The parsers of its commands, by name."""
        actions = (action for action in self._actions if isinstance(action, _SubParsersAction))
        return {name: parser for action in actions for name, parser in action.choices.items()}


def parse(parser: Parser, words: Sequence[str]) -> Namespace:
    """Parse the words of a command line; `words` keeps them as they are.

    Raises InputError if they are wrong. The words after an option that is not known may be its
    values or not, so it is the one to name.
    """
    commands = parser.commands
    for word in takewhile(lambda word: word not in commands, words):
        _check_option(word.partition("=")[0], parser)
    args, rest = parser.parse_known_args(words)
    if rest:
        command = commands.get(next((word for word in words if word in commands), ""), parser)
        close = _close_options(rest[0], command)
        command.error(f"unrecognized arguments: {' '.join(rest)}{close}")
    args.words = [*words]
    return args


def _check_option(option: str, parser: Parser) -> None:
    """Check an option before the command; if it belongs to a command, that is missing."""
    if not option.startswith("--") or option in ("--", *parser.options):
        return
    takers = [name for name, command in parser.commands.items() if option in command.options]
    if takers:
        command = f"featherweight {takers[0]} {option}"
        parser.error(f"{option} is an option of {', '.join(takers)}: write {command} ...")
    parser.error(f"unrecognized option {option}{_close_options(option, parser)}")


def _close_options(option: str, parser: Parser) -> str:
    """The option that is probably meant, in words."""
    close = get_close_matches(option, parser.options, n=1)
    return f": did you mean {close[0]}?" if close else ""
