"""How the builder of a net is called: with the user's arguments, completed from the data.

A builder is a class or function. Of torchvision's and timm's it is known what they pass on to the
net, which weights they can load, and which names they know.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

from core.data.inputs import Inputs
from core.errors import InputError, WorkError
from core.nets.model_args import ModelArgs, format_model_args
from core.system.error_text import reason

if TYPE_CHECKING:
    from torch import nn

    from core.data.counts import Counts

Builder = Callable[..., Any]

EXTRAS = {"timm": "models"}
"""Packages with nets, and the optional dependencies of this one that install them."""

CLASSES = "num_classes"
"""The parameter for the number of classes."""

_FROM_DATA = {CLASSES: "classes", "in_chans": "channels", "in_channels": "channels"}
"""Parameters the data decide, and the attribute of `Counts`."""

_PASSED_ON = {"torchvision": (CLASSES,), "timm": (CLASSES, "in_chans")}
"""Parameters that every builder of a package takes as `**kwargs`."""

_PRETRAINED = ("weights", "pretrained", "checkpoint_path")
"""Arguments that load trained weights, unless they are None or False."""

_DOWNLOADERS = {"httpx", "httpcore", "requests", "urllib3", "huggingface_hub"}
"""Packages whose errors mean that a download failed."""

FRESH_HEAD = "add --fresh-head for a new last layer, which is then trained"


@dataclass(frozen=True, slots=True)
class _Signature:
    """The names of a builder's parameters; `takes_any` if it has `**kwargs`."""

    names: Collection[str]
    required: Collection[str]
    takes_any: bool

    @classmethod
    def of(cls, builder: Builder) -> _Signature:
        try:
            parameters = inspect.signature(builder).parameters.values()
        except (TypeError, ValueError):
            return cls((), (), takes_any=True)
        rest = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        named = [p for p in parameters if p.kind not in rest]
        required = [p.name for p in named if p.default is p.empty]
        takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
        return cls([p.name for p in named], required, takes_any)


def loads_weights(given: ModelArgs) -> bool:
    """Whether arguments ask for trained weights."""
    return any(given.get(name) for name in _PRETRAINED)


def complete_args(
    builder: Builder, what: str, given: ModelArgs, counts: Counts | None, fresh_head: bool
) -> dict[str, Any]:
    """The arguments to call a builder with; `what` names it.

    The data's `counts` complete those given, but a net with trained weights keeps its classes and
    channels. One that gets a fresh head is built with its own.

    Raises InputError if one is unknown, or a required one is missing.
    """
    signature, args = _Signature.of(builder), dict(given)
    unknown = sorted(given.keys() - set(signature.names))
    if unknown and not signature.takes_any:
        known = f"expected {', '.join(signature.names)}" if signature.names else "it takes none"
        raise InputError(f"{what} takes no argument '{unknown[0]}': {known}")
    package = (getattr(builder, "__module__", None) or "").partition(".")[0]
    passed_on = _PASSED_ON.get(package, ()) if signature.takes_any else ()
    fixed = set(_FROM_DATA) if loads_weights(given) else {CLASSES} if fresh_head else set()
    fixed -= set(signature.required)
    if CLASSES in fixed and fresh_head:
        args.pop(CLASSES, None)
    for name in _FROM_DATA.keys() & {*signature.names, *passed_on} - args.keys() - fixed:
        if counts is not None:
            args[name] = getattr(counts, _FROM_DATA[name])
    if missing := [name for name in signature.required if name not in args]:
        values = ",".join(f"{name}=VALUE" for name in missing)
        raise InputError(
            f"{what} needs arguments ({', '.join(missing)}): add --model-args {values}, "
            "or name a function without arguments that returns the model"
        )
    return args


def known_error(
    error: BaseException, name: str, builder: Builder, given: ModelArgs
) -> Exception | None:
    """What a user can do about an error of the builder of the model `name`; None if unknown."""
    if loads_weights(given) and _is_download(error):
        return WorkError(
            f"the trained weights of {name} could not be downloaded ({reason(error)}): "
            f"{_place(builder, given)}or leave out {_asks_for(given)} and use --weights FILE"
        )
    if loads_weights(given) and CLASSES in given and CLASSES in str(error):
        return InputError(
            f"the trained weights of {name} are for other classes "
            f"({' '.join(str(error).split()).removesuffix('.')}): {FRESH_HEAD}"
        )
    weights = _torchvision_weights(builder, given) if isinstance(error, KeyError) else None
    if weights is not None:
        asked, names = given.get("weights"), ", ".join(weights.__members__)
        return InputError(f"{name} has no weights '{asked}': expected one of {names}")
    known = getattr(sys.modules.get(name.rpartition(":")[0]), "list_models", None)
    asked = looked_up(given)
    if asked is not None and callable(known) and "unknown model" in str(error).lower():
        hint = close_names(asked, known()) or "see its list_models()"
        return InputError(f"{name} knows no model '{asked}': {hint}")
    return None


def looked_up(given: ModelArgs) -> str | None:
    """The name of the model that a builder such as `timm:create_model` looks up, if any."""
    name = given.get("model_name", given.get("name"))
    return name if isinstance(name, str) else None


def close_names(name: str, known: Collection[str]) -> str:
    """A hint at up to three similar names; empty if there are none."""
    close = get_close_matches(name, known, n=3)
    return f"did you mean {', '.join(close)}?" if close else ""


def weight_inputs(builder: Builder, given: ModelArgs, net: nn.Module) -> Inputs:
    """The image settings of the weights that a builder loaded, as far as known."""
    own = getattr(net, "pretrained_cfg", None)  # timm's
    if isinstance(own, Mapping):
        channels, _, size = own.get("input_size", (None, None, None))
        known = Inputs(size, channels, own.get("mean"), own.get("std"))
    elif (entry := _torchvision_entry(builder, given)) is not None:
        images = entry.transforms()
        known = Inputs(images.crop_size[0], 3, tuple(images.mean), tuple(images.std))
    else:
        return Inputs()
    return Inputs(channels=given.get("in_chans")).over(known)


def _is_download(error: BaseException | None) -> bool:
    """Whether a failed download is the cause."""
    while error is not None:
        module = type(error).__module__.partition(".")[0]
        if isinstance(error, URLError | ConnectionError | TimeoutError) or module in _DOWNLOADERS:
            return True
        error = error.__cause__ or error.__context__
    return False


def _asks_for(given: ModelArgs) -> str:
    return format_model_args({name: given[name] for name in _PRETRAINED if given.get(name)})


def _place(builder: Builder, given: ModelArgs) -> str:
    """Where to put a file that torchvision cannot download."""
    from torch import hub

    entry = _torchvision_entry(builder, given)
    if entry is None:
        return ""
    return f"download {entry.url} to {Path(hub.get_dir()) / 'checkpoints'} yourself, "


def _torchvision_entry(builder: Builder, given: ModelArgs) -> Any:
    """Torchvision's entry for the weights in the arguments; None if there is none."""
    known = _torchvision_weights(builder, given)
    name = str(given.get("weights") or "DEFAULT").rpartition(".")[2]
    return None if known is None else known.__members__.get(name)


def _torchvision_weights(builder: Builder, given: ModelArgs) -> Any:
    """Torchvision's enumeration of the weights of a builder's net; None for other builders."""
    from torchvision.models import get_model_weights

    try:
        return get_model_weights(looked_up(given) or builder)
    except (TypeError, ValueError):
        return None
