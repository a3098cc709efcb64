"""Whether bf16 is faster on this machine: timed once, then cached."""

from collections.abc import Callable
from contextlib import suppress
from time import perf_counter

import platformdirs
import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor, nn

from core.errors import ENDING, InputError
from core.events import Notice, Progress, Stream
from core.system.files import write_text
from core.system.number_formats import PRECISIONS
from core.system.processor import processor_with_bf16
from core.system.untrusted_json import FaultError, read_json, to_json

_MIN_SPEEDUP = 1.2
"""Speedup that bf16 must reach, because its sums are less precise."""

_ROUNDS, _MOST_ROUNDS = 5, 50
"""Rounds of timing; the most if the fastest step takes less than `_SHORT` seconds."""

_SHORT = 0.005


def resolve_precision(
    name: str, build: Callable[[], nn.Module], images: Tensor, labels: Tensor
) -> Stream[str]:
    """Turn `auto` into `fp32` or `bf16` for this machine; other names are returned unchanged.

    The first time, a few training steps of the model that `build` returns are timed on the batch
    `images`, `labels`, alternating between the two precisions. The result is cached per processor,
    torch version and number of threads. A net that raises is left in `fp32`.
    """
    if name != "auto":
        return name
    cache = platformdirs.user_cache_path("featherweight") / "precision.json"
    known, machine = {}, _machine(images.device)
    with suppress(FaultError):  # missing or damaged
        known = read_json(cache)
    if known.get(machine) not in PRECISIONS:
        yield Progress("comparing bf16 with fp32")
        try:
            speedup = _speedup(build, images, labels)
        except ENDING:
            raise
        except BaseException:  # a user's net that cannot be trained; training says why
            return "fp32"
        known[machine] = "bf16" if speedup >= _MIN_SPEEDUP else "fp32"
        yield Notice(f"bf16 trains {speedup:.1f}x as fast as fp32 here: using {known[machine]}")
        try:
            cache.parent.mkdir(parents=True, exist_ok=True)
            write_text(cache, to_json(known))
        except (OSError, InputError) as error:
            yield Notice(f"could not save this result for next time: {error}", warning=True)
    return str(known[machine])


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """A context in which nets compute in `precision`, `fp32` or `bf16`."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def _speedup(build: Callable[[], nn.Module], images: Tensor, labels: Tensor) -> float:
    """The speedup of a training step in bf16, by the fastest of interleaved rounds.

    Other programs only ever slow a round down. A short step needs more rounds for one that they
    leave alone.
    """
    seconds: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
    with torch.random.fork_rng(devices=[]):
        model = build().to(images.device)
        model.train()
        for number in range(1 + _MOST_ROUNDS):  # the first one warms up
            if number > _ROUNDS and min(seconds["fp32"][1:] + seconds["bf16"][1:]) >= _SHORT:
                break
            for precision, times in seconds.items():
                start = perf_counter()
                with autocast(images.device, precision):
                    logits = model(images)
                loss = F.cross_entropy(logits.float(), labels)
                loss.backward()
                if images.device.type != "cpu":  # accelerators compute asynchronously
                    torch.accelerator.synchronize(images.device)
                times.append(perf_counter() - start)
    return min(seconds["fp32"][1:]) / min(seconds["bf16"][1:])


def _machine(device: torch.device) -> str:
    name = device.type
    if name == "cpu":
        name = processor_with_bf16()
    elif name == "cuda":
        name = torch.cuda.get_device_name(device)
    return f"{name}, torch {torch.__version__}, {torch.get_num_threads()} threads"
