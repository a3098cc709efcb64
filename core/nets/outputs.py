"""The logits of a net that returns more than logits: a tuple, a dict, a named tuple, a dataclass.

Classifiers return features or auxiliary logits beside their logits, often in training alone, such
as torchvision's `GoogLeNetOutputs`; those of transformers return an object with `.logits`.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import getitem
from typing import Any

from torch import Tensor, nn

from core.nets.calls import NetError

Step = tuple[Callable[[Any, Any], Any], str | int]
"""A function of a value, such as `getitem`, and its second argument."""

Path = tuple[Step, ...]

_DEEPEST = 4


class LogitsHook:
    """A forward hook of a net for images [N, C, H, W]: of its outputs, it passes on the logits.

    A net's first output in each mode decides which tensor that is: one called `logits`, else the
    first with a value for each class, else with more. Copies of a net share its hook.

    Attributes:
        classes: the number of classes of the data, and the fewest logits.
    """

    def __init__(self, classes: int = 1) -> None:
        self.classes = classes
        self._paths: dict[bool, Path] = {}
        self._notices: dict[bool, str] = {}

    def __deepcopy__(self, memo: object) -> "LogitsHook":
        return self

    def __call__(self, net: nn.Module, args: tuple[Tensor, ...], output: Any) -> Tensor:
        """The logits [N, K]; raises NetError if there are none."""
        images, logits = args[0], output
        if not isinstance(output, Tensor):
            if net.training not in self._paths:
                self._choose(output, images, net.training)
            try:
                logits = follow(self._paths[net.training], output)
            except (LookupError, AttributeError, TypeError):
                raise self._error(output, images, net.training) from None
        if not self._are_logits(logits, images):
            raise self._error(output, images, net.training)
        result: Tensor = logits
        return result

    def path(self, training: bool) -> Path:
        """The steps from the net's output to the logits in a mode; empty if it is the logits."""
        return self._paths.get(training, ())

    def notice(self, training: bool) -> str:
        """What to tell the user of the choice in a mode; empty if there was none."""
        return self._notices.get(training, "")

    def _choose(self, output: Any, images: Tensor, training: bool) -> None:
        tensors = list(_tensors(output))
        fitting = [(path, t) for path, t in tensors if self._are_logits(t, images)]
        if not fitting:
            raise self._error(output, images, training)
        path, _ = min(
            fitting, key=lambda each: (each[0][-1][1] != "logits", each[1].shape[1] > self.classes)
        )
        self._paths[training] = path
        if len(tensors) > 1:
            names = ", ".join(_name(path) for path, _ in tensors)
            mode = "training" if training else "evaluation"
            self._notices[training] = (
                f"the net returns {len(tensors)} tensors in {mode} ({names}): "
                f"{_name(path)} is used as the logits"
            )

    def _are_logits(self, value: Any, images: Tensor) -> bool:
        return (
            isinstance(value, Tensor)
            and value.dim() == 2
            and len(value) == len(images)
            and value.shape[1] >= self.classes
            and value.is_floating_point()
        )

    def _error(self, output: Any, images: Tensor, training: bool) -> NetError:
        shown = f"{_shown(output)} in training" if training else _shown(output)
        return NetError(
            f"the net returns {shown} for images {list(images.shape)}: expected "
            f"[{len(images)}, {self.classes}], one logit for each of {self.classes} classes"
        )


def logits_hook(net: nn.Module) -> LogitsHook:
    """The hook of a net that passes on its logits; registers one if it has none."""
    if (hook := _hook(net)) is None:
        hook = LogitsHook()
        net.register_forward_hook(hook)
    return hook


def share_hook(net: nn.Module, other: nn.Module) -> None:
    """Let another copy of a net return the same part of its output."""
    other.register_forward_hook(logits_hook(net))


def logits_path(net: nn.Module) -> Path:
    """The path of the logits in a net's output in evaluation mode, as far as its hook knows."""
    hook = _hook(net)
    return () if hook is None else hook.path(training=False)


def follow(path: Path, output: Any) -> Any:
    """The part of an output at a path; raises what its steps raise if there is none."""
    return reduce(lambda value, step: step[0](value, step[1]), path, output)


def _hook(net: nn.Module) -> LogitsHook | None:
    hooks = net._forward_hooks.values()
    return next((hook for hook in hooks if isinstance(hook, LogitsHook)), None)


def _tensors(value: Any, path: Path = ()) -> Iterator[tuple[Path, Tensor]]:
    """The tensors in an output, each with its path."""
    if isinstance(value, Tensor):
        yield path, value
    elif len(path) < _DEEPEST:
        for step, part in _parts(value):
            yield from _tensors(part, (*path, step))


def _parts(value: Any) -> Iterator[tuple[Step, Any]]:
    if isinstance(value, Mapping):
        yield from (((getitem, key), part) for key, part in value.items())
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        yield from (((getattr, name), getattr(value, name)) for name in value._fields)
    elif isinstance(value, list | tuple):
        yield from (((getitem, place), part) for place, part in enumerate(value))
    elif not isinstance(value, nn.Module):
        attributes = getattr(value, "__dict__", {}).items()
        yield from (((getattr, name), part) for name, part in attributes)


def _name(path: Path) -> str:
    """Such as `logits`, or `[0].hidden`."""
    keys = (f"[{key}]" if isinstance(key, int) else f".{key}" for _, key in path)
    return "".join(keys).removeprefix(".")


def _shown(output: Any) -> str:
    """An output for its author: the shape of a tensor, or a type with its tensors' shapes."""
    if isinstance(output, Tensor):
        kind = "" if output.is_floating_point() else f" of {output.dtype}".replace("torch.", "")
        return f"{list(output.shape)}{kind}"
    if output is None:
        return "nothing"
    shapes = ", ".join(f"{_name(path)} {list(t.shape)}" for path, t in _tensors(output))
    return f"a {type(output).__name__}" + (f" ({shapes})" if shapes else "")
