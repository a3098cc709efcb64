"""Standard output and error: they take any text, and no error of theirs ends the work."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    contextmanager,
    nullcontext,
    redirect_stderr,
    redirect_stdout,
    suppress,
)
from typing import Any, TextIO, cast

from tui.text.encodings import replace_missing
from tui.text.outside import printable


class Guarded:
    """A text stream that drops everything from its first error on.

    Args:
        stream: the stream.
        on_broken_pipe: called if nobody reads it any longer.

    Attributes:
        problem: the first error.
    """

    def __init__(self, stream: TextIO, on_broken_pipe: Callable[[], object] = lambda: None) -> None:
        self.problem: OSError | None = None
        self._stream, self._on_broken_pipe = stream, on_broken_pipe
        replace_missing(stream)

    def write(self, text: str) -> int:
        """Write a text, if it can be written."""
        self._attempt(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush what was written, if it can be."""
        self._attempt(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _attempt(self, act: Callable[[], object]) -> None:
        if self.problem is not None:
            return
        try:
            act()
        except OSError as error:
            self.problem = error
            self._silence()
            if isinstance(error, BrokenPipeError):
                self._on_broken_pipe()
        except RuntimeError:
            pass  # a signal handler prints while its thread is printing

    def _silence(self) -> None:
        """Send what is still buffered nowhere; at exit Python would fail to write it again."""
        with suppress(OSError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())


@contextmanager
def guarded(on_broken_pipe: Callable[[], object]) -> Iterator[Guarded]:
    """Guard standard output and error in the enclosed code; returns the output.

    Closed ones are opened on nothing: otherwise a data file could get their number, and whatever a
    library prints.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    out, err = Guarded(sys.stdout, on_broken_pipe), Guarded(sys.stderr)
    with redirect_stdout(cast(TextIO, out)), redirect_stderr(cast(TextIO, err)):
        yield out


def for_report(json: str | None) -> AbstractContextManager[object]:
    """Keep standard output for the report of `--json -`: what nets and libraries print goes aside.

    Args:
        json: the file of the report.
    """
    return redirect_stdout(sys.stderr) if json == "-" else nullcontext()


def say(text: str) -> None:
    """Print one line on standard output."""
    print(printable(text))


def tell(text: object) -> None:
    """Print one line about the program on standard error."""
    print(f"featherweight: {printable(' '.join(str(text).split()))}", file=sys.stderr)
