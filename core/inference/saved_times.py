"""Layer times measured before, kept in the cache by net, machine, engine and threads.

They depend on the shapes of a net and barely on its weights: a fine-tuned net has those of the
dense one.
"""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import platformdirs
import torch
from torch import nn

from core.errors import InputError
from core.events import Notice, Stream
from core.inference.benchmark_result import SPARSE
from core.nets.layers import Layer
from core.pruning.budgets.costs import LayerCosts, NetCosts
from core.system.files import write_text
from core.system.processor import processor
from core.system.typed_json import Limits, from_plain, to_plain
from core.system.untrusted_json import FaultError, read_json


@dataclass(frozen=True, slots=True)
class _LayerTimes:
    kept: Annotated[tuple[int, ...], Limits(0)]
    ns: Annotated[tuple[float, ...], Limits(0)]


@dataclass(frozen=True, slots=True)
class _TimesFile:
    what: str
    rest: float
    layers: Annotated[Mapping[str, _LayerTimes], Limits(whole=True)]


def times_of(model: nn.Module, name: str, image: Sequence[int], threads: int) -> str:
    """What layer times belong to: a net, by its name and structure; this machine; and threads.

    `image` is the shape of one image, [C, H, W].
    """
    sizes = "x".join(map(str, image))
    structure = hashlib.sha256(f"{model}".encode()).hexdigest()[:16]
    machine = f"{processor() or platform.machine()}, torch {torch.__version__}, {threads} threads"
    return f"{name} {structure} for {sizes}, engine {SPARSE}, {machine}"


def load_times(what: str, layers: Sequence[Layer]) -> NetCosts | None:
    """The times stored for `what`, see `times_of`; None if there are none that fit the layers."""
    with suppress(FaultError):
        file, faults = from_plain(_TimesFile, read_json(_path(what)))
        if file is None or faults or file.what != what:
            return None
        each = {name: LayerCosts(times.kept, times.ns) for name, times in file.layers.items()}
        sizes = {layer.name: layer.elements for layer in layers}
        if each.keys() == sizes.keys() and all(map(_fits, each.values(), sizes.values())):
            return NetCosts("ns", {name: each[name] for name in sizes}, file.rest)
    return None


def save_times(what: str, costs: NetCosts) -> Stream[None]:
    """Store times for later sessions, or send a warning if that fails."""
    layers = {name: _LayerTimes(layer.kept, layer.costs) for name, layer in costs.layers.items()}
    path, text = _path(what), json.dumps(to_plain(_TimesFile(what, costs.fixed, layers)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except (OSError, InputError) as error:
        yield Notice(f"could not save the layer times for next time: {error}", warning=True)


def _fits(costs: LayerCosts, elements: int) -> bool:
    """Whether the points are those of a layer of this size, in order."""
    rising = all(a < b for a, b in zip(costs.kept, costs.kept[1:], strict=False))
    slower = all(a <= b for a, b in zip(costs.costs, costs.costs[1:], strict=False))
    ends = costs.kept[:1] + costs.kept[-1:] == (0, elements)
    return ends and rising and slower and len(costs.kept) == len(costs.costs)


def _path(what: str) -> Path:
    digest = hashlib.sha256(what.encode()).hexdigest()[:16]
    return platformdirs.user_cache_path("featherweight") / "layer-times" / f"{digest}.json"
