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
from core.nets.builders import EXTRAS, Builder, close_names, complete_args, known_error
from core.nets.calls import describe
from core.nets.model_args import ModelArgs

if TYPE_CHECKING:
    from torch import nn

    from core.data.batches import Splits
    from core.data.counts import Counts

FORMS = "path/to/net.py:Net or package.module:Net"

NO_ARGS: ModelArgs = MappingProxyType({})


def check_model_name(name: str) -> None:
    """Raise InputError if a model's name is malformed or its file is missing; runs no code."""
    source, attribute = _split(name)
    if not _is_well_formed(source, attribute):
        raise InputError(f"model '{name}': expected {FORMS}{meant(name)}")
    if _is_path(source) and not Path(source).expanduser().is_file():
        raise InputError(f"model '{name}': no such file: {source}")


def meant(name: str) -> str:
    """The end of a message: what a name with a colon in the wrong place, or none, may mean."""
    source, _, attribute = name.replace(":", ".").rpartition(".")
    is_path = _is_path(f"{source}.{attribute}")
    if is_path or not _is_well_formed(source, attribute):
        return ""
    return f"; did you mean {source}:{attribute}?"


def _is_well_formed(source: str, attribute: str) -> bool:
    dotted = [attribute, *(() if _is_path(source) else source.split("."))]
    return all(part.isidentifier() for part in dotted)


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


def source_file(name: str) -> Path | None:
    """The file with the model's code; None if there is none."""
    source, _ = _split(name)
    path = source if _is_path(source) else _module(name, source).__file__
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
        raise known or InputError(f"building {name} raised {describe(error)}") from error
    if not isinstance(net, nn.Module):
        raise InputError(f"{name} returns a {type(net).__name__}: expected a torch.nn.Module")
    return net


def builder_of(name: str) -> Builder:
    """The class or function that builds a model; raises InputError if there is none."""
    source, attribute = _split(name)
    module = _module(name, source)
    builder: object = getattr(module, attribute, None)
    if callable(builder):
        return builder
    known = [key for key, value in vars(module).items() if callable(value) and key[0] != "_"]
    hints = ": ".join(filter(None, (_expected(module), close_names(attribute, known))))
    if builder is None:
        raise InputError(f"{source} has no '{attribute}': {hints}")
    raise InputError(f"'{attribute}' of {source} is not a class or function: {hints}")


def builder_args(
    name: str, given: ModelArgs, counts: Counts | None, fresh_head: bool
) -> dict[str, object]:
    """The arguments the model's builder is called with; raises InputError as `build`."""
    source, attribute = _split(name)
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
    try:
        if _is_path(source):
            return _import_file(Path(source).expanduser().resolve())
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.append(str(Path.cwd()))  # as Python itself does
        return import_module(source)
    except ModuleNotFoundError as error:
        missing = error.name or source
        if f"{source}.".startswith(f"{missing}."):
            hint = _install(missing) if missing in EXTRAS else f"expected {FORMS}"
            raise InputError(f"model '{name}': no module {missing}; {hint}") from error
        raise InputError(f"importing {source} needs {missing}: {_install(missing)}") from error
    except ENDING:
        raise
    except BaseException as error:
        raise InputError(f"importing {source} raised {describe(error)}") from error


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


def _install(package: str) -> str:
    """How to get a package that is missing."""
    extra = EXTRAS.get(package)
    return f"pip install 'featherweight[{extra}]'" if extra else "install it"


def _expected(module: ModuleType) -> str:
    from torch import nn

    classes = {name: value for name, value in vars(module).items() if inspect.isclass(value)}
    own = [
        name
        for name, value in classes.items()
        if issubclass(value, nn.Module) and value.__module__ == module.__name__
    ]
    return f"expected one of {', '.join(own)}" if own else "expected a class or function"
