"""The command `serve`: the program in a browser."""

from __future__ import annotations

import errno
import os
import shlex
import socket
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from core.errors import InputError
from tui.cli import checks, read_options
from tui.cli.add_options import add_address
from tui.cli.exit_status import DONE
from tui.cli.streams import say
from tui.system.interruption import Interruption
from tui.system.own_process import own_command

EXPOSED = "Whoever reaches this port can run trainings, and read and write files, as you."


def prepare(args: Namespace) -> Serve:
    """Check the options, and open the port; raises InputError."""
    settings = read_options.settings_of(args)
    checks.check_settings(settings)
    checks.experiment_for(args, settings)
    if find_spec("textual_serve") is None:
        raise InputError("serve needs textual-serve: pip install 'featherweight[web]'")
    return Serve(command(app_options(args.words)), listening(args.host, args.port))


def app_options(words: Sequence[str]) -> Sequence[str]:
    """The words of the command line that are options of the program itself."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    add_address(parser)
    rest = parser.parse_known_args(words)[1]
    rest.remove("serve")
    return rest


def command(options: Sequence[str]) -> str:
    """The shell command that opens the program with these options."""
    words = own_command(options)
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; raises InputError if there is no such address, or it is in use."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        why = str(error.strerror or error).partition(" (")[0]
        is_host = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        advice = f"try another {'--host' if is_host else '--port'}"
        raise InputError(f"cannot serve on {host}, port {port}: {why}; {advice}") from error


@dataclass(frozen=True)
class Serve:
    """The server, ready to start.

    Attributes:
        command: opens the program, for each page.
    """

    command: str
    socket: socket.socket

    def perform(self, interruption: Interruption) -> int:
        """Serve until a signal ends it, and every program with it."""
        from tui.web.server import serve, url_of

        say(f"Featherweight is at {url_of(self.socket)} · Ctrl+C ends it. {EXPOSED}")
        sys.stdout.flush()
        serve(self.command, self.socket)
        return interruption.status if interruption.requests else DONE
