"""A user's own model: imported from a file or package, and built.

`path/to/net.py:Net` or `package.module:build` names a `torch.nn.Module` class or a function that
returns a module, without required arguments. Building it runs the user's code.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.nets.calls import ANYTHING, describe

if TYPE_CHECKING:
    from torch import nn

    from core.data.batches import Splits

FORMS = "path/to/net.py:Net or package.module:Net"


def check_model_name(name: str) -> None:
    """Raise InputError if a model's name is malformed or its file is missing; runs no code."""
    source, attribute = _split(name)
    dotted = [attribute, *(() if _is_path(source) else source.split("."))]
    if not all(part.isidentifier() for part in dotted):
        raise InputError(f"model '{name}': expected {FORMS}")
    if _is_path(source) and not Path(source).expanduser().is_file():
        raise InputError(f"model '{name}': no such file: {source}")


def _split(name: str) -> tuple[str, str]:
    """The file or module, and the attribute; a Windows drive keeps its colon."""
    source, _, attribute = name.rpartition(":")
    return source, attribute


def _is_path(source: str) -> bool:
    return source.endswith(".py")


def base_name(name: str) -> str:
    """A model's name without folders or packages: `net.Net`."""
    source, attribute = _split(name)
    return f"{Path(source).stem if _is_path(source) else source.rpartition('.')[2]}.{attribute}"


def source_digest(name: str) -> str:
    """The SHA-256 of the file with the model's code; empty if there is none."""
    source, _ = _split(name)
    path = source if _is_path(source) else _module(name, source).__file__
    return hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest() if path else ""


def build(name: str) -> nn.Module:
    """Build the model, with weights drawn by its own code from torch's global generator.

    Raises:
        InputError: the file or module cannot be imported, lacks this name, or the name cannot be
            called without arguments, raises, or does not return a `torch.nn.Module`.
    """
    from torch import nn

    source, attribute = _split(name)
    module = _module(name, source)
    factory = getattr(module, attribute, None)
    if factory is None:
        raise InputError(f"{source} has no '{attribute}': {_expected(module)}")
    if not callable(factory):
        raise InputError(f"'{attribute}' of {source} is not a class or function")
    if required := _required(factory):
        raise InputError(
            f"'{attribute}' of {source} needs arguments ({', '.join(required)}): write a function "
            f"without arguments that returns the model, and use {source}:FUNCTION"
        )
    try:
        with _default_dtype_kept():
            net = factory()
    except ANYTHING as error:
        raise InputError(f"building {name} raised {describe(error)}") from error
    if not isinstance(net, nn.Module):
        raise InputError(f"{name} returns a {type(net).__name__}: expected a torch.nn.Module")
    return net


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
    try:
        if _is_path(source):
            return _import_file(Path(source).expanduser().resolve())
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.append(str(Path.cwd()))  # as Python itself does
        return import_module(source)
    except ModuleNotFoundError as error:
        missing = error.name or source
        if f"{source}.".startswith(f"{missing}."):
            raise InputError(f"model '{name}': no module {missing}; expected {FORMS}") from error
        raise InputError(f"importing {source} needs {missing}: install it") from error
    except ANYTHING as error:
        raise InputError(f"importing {source} raised {describe(error)}") from error


def _import_file(path: Path) -> ModuleType:
    """Import a file once, with its neighbors importable, as when Python runs it."""
    name = f"_featherweight_own_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
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


def _required(factory: Any) -> Sequence[str]:
    """The arguments without a default."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return ()
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in optional]


def _expected(module: ModuleType) -> str:
    from torch import nn

    classes = {name: value for name, value in vars(module).items() if inspect.isclass(value)}
    own = [
        name
        for name, value in classes.items()
        if issubclass(value, nn.Module) and value.__module__ == module.__name__
    ]
    return f"expected one of {', '.join(own)}" if own else "it defines no torch.nn.Module"
