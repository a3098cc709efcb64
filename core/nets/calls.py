"""Calls of a net's own code, which may raise anything: one message says which call, and where.

Importing this loads no torch.
"""

from __future__ import annotations

import inspect
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, TypeVar

from core.errors import ENDING, InputError, WorkError

if TYPE_CHECKING:
    from torch import Tensor, nn

    N = TypeVar("N", bound=nn.Module)

TRAINING, EVALUATION = "forward() in training", "forward() in evaluation"

_CORE = Path(__file__).parents[1]
_STDLIB = sysconfig.get_path("stdlib")
_PACKAGES = {"site-packages", "dist-packages"}
_LONGEST = 500
_TRACED = "\n\nWhile executing %"
"""Where torch.fx goes on about its own call."""


class NetError(WorkError):
    """A net's own code raised, or its output holds no logits; the message is for its author."""


class NetCall:
    """A context in which whatever a net's own code raises becomes a NetError.

    That is any exception, of the user's own too, except those that end the program.

    Args:
        call: what is called, such as `forward() in training`.
        images: the images it gets, [N, C, H, W], if any.
    """

    def __init__(self, call: str, images: Tensor | None = None) -> None:
        self._call = call
        self._images = images

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and not isinstance(error, (*ENDING, NetError)):
            shape = None if self._images is None else list(self._images.shape)
            cannot = "failed" if shape is None else f"cannot take images {shape}"
            raise NetError(f"the net {cannot}: {self._call} raised {describe(error)}") from error


@contextmanager
def refused() -> Iterator[None]:
    """A trial before any work, in which a NetError means that the net cannot be used."""
    try:
        yield
    except NetError as error:
        raise InputError(str(error)) from error


def evaluation_mode(net: N) -> N:
    """Set a net to evaluation mode and return it; a `train` of its own may return nothing."""
    with NetCall("eval()"):
        net.eval()
    return net


def describe(error: BaseException) -> str:
    """An error's type, its text and the line of the user's file it comes from, on one line."""
    text = " ".join(str(error).partition(_TRACED)[0].split())
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return ": ".join(filter(None, (type(error).__name__, text))) + _place(error)


def forward_place(net: nn.Module) -> str:
    """The line of the user's file where a net's forward() is defined; empty for a library's."""
    code = getattr(inspect.unwrap(type(net).forward), "__code__", None)
    if code is None or _is_ours_or_torchs(Path(code.co_filename)):
        return ""
    return f" ({Path(code.co_filename).name} line {code.co_firstlineno})"


def _place(error: BaseException) -> str:
    """The innermost line outside of libraries; of a library's own net, outside of torch."""
    lines = [(Path(frame.f_code.co_filename), line) for frame, line in walk_tb(error.__traceback__)]
    outside = [(file, line) for file, line in lines if not _is_ours_or_torchs(file)]
    theirs = [(file, line) for file, line in outside if not _is_library(file)] or outside
    return f" ({theirs[-1][0].name} line {theirs[-1][1]})" if theirs else ""


def _is_ours_or_torchs(file: Path) -> bool:
    generated = file.name.startswith("<")  # such as <frozen importlib> and a traced net's code
    return generated or file.is_relative_to(_CORE) or "torch" in _package(file)


def _is_library(file: Path) -> bool:
    return bool(_package(file)) or file.is_relative_to(_STDLIB)


def _package(file: Path) -> tuple[str, ...]:
    """The path of an installed package's file from `site-packages` on; empty for other files."""
    places = [number for number, part in enumerate(file.parts) if part in _PACKAGES]
    return file.parts[places[-1] + 1 :][:1] if places else ()
