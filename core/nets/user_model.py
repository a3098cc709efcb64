"""A user's own model: found in a file or package, built, and tried before anything starts.

`path/to/net.py:Net` or `package.module:build` names a `torch.nn.Module` class, or a function that
returns a module, without required arguments. Building it runs the user's code.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from core.data.batches import Splits

FORMS = "path/to/net.py:Net or package.module:Net"


def check_model_name(name: str) -> None:
    """Check the name of a model without running anything.

    Raises:
        InputError: the name is malformed, or there is no such file.
    """
    place, attribute = split(name)
    if not attribute.isidentifier():
        raise InputError(f"model '{name}': expected {FORMS}")
    if is_file(place):
        if not Path(place).expanduser().is_file():
            raise InputError(f"model '{name}': no such file: {place}")
    elif not all(part.isidentifier() for part in place.split(".")):
        raise InputError(f"model '{name}': expected {FORMS}")


def split(name: str) -> tuple[str, str]:
    """The file or module, and the name in it; a Windows drive keeps its colon."""
    place, _, attribute = name.rpartition(":")
    return place, attribute


def is_file(place: str) -> bool:
    """Whether it is a file's path rather than a module's name."""
    return place.endswith(".py")


def base_name(name: str) -> str:
    """A model's name without folders: `net.Net`."""
    place, attribute = split(name)
    return f"{Path(place).stem if is_file(place) else place.rpartition('.')[2]}.{attribute}"


def source_digest(name: str) -> str:
    """The SHA-256 of the file that has the model's code."""
    place, _ = split(name)
    if is_file(place):
        return hashlib.sha256(Path(place).expanduser().read_bytes()).hexdigest()
    found = _module(name, place).__file__
    return hashlib.sha256(Path(found).read_bytes()).hexdigest() if found else ""


def build(name: str) -> nn.Module:
    """Build the model, with weights drawn by its own code from torch's global generator.

    Raises:
        InputError: the file or module cannot be imported, lacks this name, or the name cannot be
            called without arguments, raises, or does not return a `torch.nn.Module`.
    """
    from torch import nn

    place, attribute = split(name)
    module = _module(name, place)
    factory = getattr(module, attribute, None)
    if factory is None:
        raise InputError(f"{place} has no '{attribute}': {_what_there_is(module)}")
    if not callable(factory):
        raise InputError(f"'{attribute}' of {place} is not a class or function")
    if needed := _needed(factory):
        raise InputError(
            f"'{attribute}' of {place} needs arguments ({', '.join(needed)}): write a function "
            f"without arguments that returns the model, and use {place}:FUNCTION"
        )
    try:
        net = factory()
    except Exception as error:  # the user's code: it may raise anything
        raise InputError(f"building {name} raised {_said(error)}") from error
    if not isinstance(net, nn.Module):
        kind = type(net).__name__
        raise InputError(f"{name} returns a {kind}: expected a torch.nn.Module")
    return net


def fit_data(net: nn.Module, data: Splits) -> Splits:
    """The images in a memory layout the net can take; see `fit_layout`.

    Raises:
        InputError: the net has nothing to prune, or as `fit_layout`.
    """
    check_prunable(net)
    return fit_layout(net, data)


def check_prunable(net: nn.Module) -> None:
    """Raise InputError if a net has nothing to prune."""
    from core.nets.layers import prunable_layers

    if not prunable_layers(net):
        raise InputError(f"{type(net).__name__} has no prunable weights")


def fit_layout(net: nn.Module, data: Splits) -> Splits:
    """The images in a memory layout the net can take, found by trying; `net` gets it, too.

    Raises:
        InputError: the net raises, or does not return logits for the images' classes.
    """
    import torch

    classes = int(data.train.labels.max()) + 1
    for layout in (torch.channels_last, torch.contiguous_format):
        data = data.with_layout(layout)
        images, _ = data.train.batch(slice(0, 2))
        try:
            try_forward(net.to(memory_format=layout), images, classes)
        except InputError:
            if layout == torch.contiguous_format:
                raise
        else:
            break
    return data


def splits_for(net: nn.Module, data: object) -> Splits:
    """The images of `data`, on the device of a net; where they are if it has no parameters.

    Raises:
        InputError: `data` holds no splits; it may be a loader.
    """
    from core.data.batches import Splits

    if not isinstance(data, Splits):
        kind = type(data).__name__
        raise InputError(f"data is a {kind}: expected what core.splits or core.load returns")
    parameter = next(net.parameters(), None)
    return data if parameter is None else data.on(parameter.device)


def check_no_torch_masks(net: nn.Module) -> None:
    """Check that `torch.nn.utils.prune` holds no masks of a net, which would hide its zeros.

    Raises:
        InputError: it holds some.
    """
    from torch.nn.utils import prune

    held = [name for name, module in net.named_modules() if prune.is_pruned(module)]
    if held:
        name = held[-1] or type(net).__name__
        raise InputError(
            f"torch.nn.utils.prune holds masks of '{name}': call core.from_torch_prune(model) "
            "first, which makes them plain zeros"
        )


def output_warning(net: nn.Module, data: Splits) -> str:
    """A warning if the net has more outputs than the images have classes; empty otherwise."""
    classes = int(data.train.labels.max()) + 1
    images, _ = data.train.batch(slice(0, 2))
    outputs = try_forward(net, images, classes)
    if outputs == classes:
        return ""
    return f"the net has {outputs:,} outputs, the data set {classes:,} classes"


def try_forward(net: nn.Module, images: Tensor, classes: int) -> int:
    """Run a few images [N, C, H, W] through a net in evaluation mode; returns its logit count.

    Raises:
        InputError: it raises, or does not return logits [N, K] for at least `classes` classes.
    """
    import torch

    shape = list(images.shape)
    try:
        with torch.no_grad():
            logits = net.eval()(images)
    except Exception as error:  # the user's code: it may raise anything
        raise InputError(f"the net cannot take images {shape}: it raised {_said(error)}") from error
    if not isinstance(logits, torch.Tensor):
        kind = type(logits).__name__
        raise InputError(
            f"the net returns a {kind} for images {shape}: expected a tensor of logits"
        )
    if logits.dim() != 2 or len(logits) != len(images) or logits.shape[1] < classes:
        raise InputError(
            f"the net returns {list(logits.shape)} for images {shape}: expected "
            f"[{len(images)}, {classes}], one logit for each of {classes} classes"
        )
    return logits.shape[1]


def _module(name: str, place: str) -> ModuleType:
    try:
        if is_file(place):
            return _from_file(Path(place).expanduser())
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.append(str(Path.cwd()))  # as it is for Python itself
        return import_module(place)
    except ModuleNotFoundError as error:
        missing = error.name or place
        if place == missing or place.startswith(f"{missing}."):
            raise InputError(f"model '{name}': no module {missing}; expected {FORMS}") from error
        raise InputError(f"importing {place} needs {missing}: install it") from error
    except (Exception, SystemExit) as error:  # the user's code: it may raise anything
        raise InputError(f"importing {place} raised {_said(error)}") from error


def _from_file(path: Path) -> ModuleType:
    """Import a file once, with its neighbors importable, as when Python runs it."""
    path = path.resolve()
    known = f"_featherweight_own_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    if known in sys.modules:
        return sys.modules[known]
    found = importlib.util.spec_from_file_location(known, path)
    if found is None or found.loader is None:
        raise InputError(f"cannot import {path}: expected a Python file")
    module = importlib.util.module_from_spec(found)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sys.modules[known] = module
    try:
        found.loader.exec_module(module)
    except BaseException:
        del sys.modules[known]
        raise
    return module


def _needed(factory: Any) -> Sequence[str]:
    """The arguments that have no default."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return ()
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [it.name for it in parameters if it.default is it.empty and it.kind not in optional]


def _what_there_is(module: ModuleType) -> str:
    from torch import nn

    own = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, nn.Module)
        and value.__module__ == module.__name__
    ]
    return f"expected one of {', '.join(own)}" if own else "it defines no torch.nn.Module"


def _said(error: BaseException) -> str:
    """What went wrong and where, on one line."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name} line {frames[-1].lineno})" if frames else ""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}{where}" if said else f"{type(error).__name__}{where}"
