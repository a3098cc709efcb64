"""A user's own model: imported from a file or package, and built.

`path/to/net.py:Net` or `package.module:build` names its builder: a `torch.nn.Module` class or a
function that returns a module. Building it runs the user's code.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

from core.errors import ENDING, InputError
from core.nets.builders import Builder, close_names, complete_args, known_error
from core.nets.calls import describe
from core.nets.model_args import ModelArgs
from core.nets.user_code.import_errors import import_error, taken_name
from core.nets.user_code.names import FORMS, is_path, split_name

if TYPE_CHECKING:
    from torch import nn

    from core.data.batches import Splits
    from core.data.counts import Counts

NO_ARGS: ModelArgs = MappingProxyType({})


def source_file(name: str) -> Path | None:
    """The file with the model's code; None if there is none."""
    source, _ = split_name(name)
    path = source if is_path(source) else _module(name, source).__file__
    return Path(path).expanduser().resolve() if path else None


def build(
    name: str, given: ModelArgs = NO_ARGS, counts: Counts | None = None, fresh_head: bool = False
) -> nn.Module:
    """Build the model, with weights drawn by its own code from torch's global generator.

    Arguments that are not `given` come from the data's `counts`; see `complete_args`.

    Raises:
        InputError: the file or module cannot be imported, lacks this name, or the name cannot be
            called with these arguments, raises, or does not return a `torch.nn.Module`.
        WorkError: its trained weights cannot be downloaded.
    """
    from torch import nn

    builder = builder_of(name)
    args = builder_args(name, given, counts, fresh_head)
    try:
        with _default_dtype_kept():
            net = builder(**args)
    except ENDING:
        raise
    except BaseException as error:
        known = known_error(error, name, builder, given)
        taken = taken_name(error, split_name(name)[0])
        text = ": ".join(filter(None, (f"building {name} raised {describe(error)}", taken)))
        raise known or InputError(text) from error
    if not isinstance(net, nn.Module):
        raise InputError(f"{name} returns a {type(net).__name__}: expected a torch.nn.Module")
    return net


def builder_of(name: str) -> Builder:
    """The class or function that builds a model; raises InputError if there is none."""
    from torch import nn

    source, attribute = split_name(name)
    module = _module(name, source)
    builder: object = getattr(module, attribute, None)
    if isinstance(builder, nn.Module):
        raise InputError(
            f"'{attribute}' of {source} is a net already: name its class, "
            "or a function that returns one"
        )
    if callable(builder):
        return builder
    close = close_names(attribute, _builders(module))
    own = _own_nets(module)
    if builder is not None:
        hints = close or (f"expected {own}" if own else f"expected {FORMS}")
        raise InputError(f"'{attribute}' of {source} is not a class or function: {hints}")
    expected = f"expected {own or 'a class or function'}"
    hints = "; ".join(filter(None, (expected, close)))
    raise InputError(f"{source} has no '{attribute}': {hints}")


def builder_args(
    name: str, given: ModelArgs, counts: Counts | None, fresh_head: bool
) -> dict[str, object]:
    """The arguments the model's builder is called with; raises InputError as `build`."""
    source, attribute = split_name(name)
    what = f"'{attribute}' of {source}"
    return complete_args(builder_of(name), what, given, counts, fresh_head)


def splits_for(net: nn.Module, data: object) -> Splits:
    """The images of `data` on the net's device; raises InputError if `data` is not `Splits`."""
    from core.data.batches import Splits

    if not isinstance(data, Splits):
        kind = type(data).__name__
        raise InputError(f"data is a {kind}: expected what core.splits or core.load returns")
    parameter = next(net.parameters(), None)
    return data if parameter is None else data.on(parameter.device)


@contextmanager
def _default_dtype_kept() -> Iterator[None]:
    """Undo a user's `torch.set_default_dtype`: images and other tensors stay float32."""
    import torch

    before = torch.get_default_dtype()
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@_default_dtype_kept()
def _module(name: str, source: str) -> ModuleType:
    import torch

    try:
        # What the code draws as it is imported, once, would shift what its nets draw that time.
        with torch.random.fork_rng(devices=[]):
            if is_path(source):
                return _import_file(Path(source).expanduser().resolve())
            if "" not in sys.path and str(Path.cwd()) not in sys.path:
                sys.path.append(str(Path.cwd()))  # as Python itself does
            return import_module(source)
    except ENDING:
        raise
    except BaseException as error:
        raise import_error(error, name, source) from error


def _import_file(path: Path) -> ModuleType:
    """Import a file once, with its neighbors importable, as when Python runs it."""
    name = f"_featherweight_own_{hashlib.sha256(os.fsencode(path)).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # the path ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _builders(module: ModuleType) -> list[str]:
    """The names in a module that may build a net."""
    from torch import nn

    return [
        name
        for name, value in vars(module).items()
        if name[0] != "_" and callable(value) and not isinstance(value, nn.Module)
    ]


def _own_nets(module: ModuleType) -> str:
    """The classes of nets that a module defines itself; empty if there are none."""
    from torch import nn

    classes = {name: value for name, value in vars(module).items() if inspect.isclass(value)}
    own = [
        name
        for name, value in classes.items()
        if issubclass(value, nn.Module) and value.__module__ == module.__name__
    ]
    return f"one of {', '.join(own)}" if own else ""
