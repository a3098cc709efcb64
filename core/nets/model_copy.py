"""Copies of models, also of those that `copy.deepcopy` refuses or copies wrongly.

`copy.deepcopy` refuses a model that keeps an activation, a lock, or a weight that weight norm or
`torch.nn.utils.prune` computes. It separates parameters that share memory, and leaves hooks that
close over a module, and weak references, with the original's modules. `deep_copy` handles all of
these. It never returns a copy that differs from its original or shares a part with it: it raises
and names the attribute.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from operator import is_
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import InputError

_LOCK, _RLOCK = type(threading.Lock()), type(threading.RLock())
_PROXIES = (weakref.ProxyType, weakref.CallableProxyType)
_LEAVES = (type, ModuleType, str, bytes, bytearray, int, float, complex, type(None))


@dataclass(frozen=True, eq=False)
class ModelCopy:
    """A copy of a model.

    Attributes:
        model: the copy, which shares no part with the original.
        computed: tensors that autograd computed for the original, by their paths, such as a kept
            activation; in the copy they are constants.
    """

    model: nn.Module
    computed: Mapping[str, Tensor]

    def check_trainable(self, images: Tensor) -> None:
        """Check that the logits of images [N, C, H, W] depend on no computed tensor.

        A constant would get no training in the copy. What `forward` or a hook computes anew for
        each batch, such as the weight of weight norm, is no constant.

        Raises:
            InputError: the logits depend on one.
        """
        if not self.computed:
            return
        with torch.enable_grad():
            logits = self.model.eval()(images)
        if not logits.requires_grad:
            return
        tensors = list(self.computed.values())
        gradients = torch.autograd.grad(logits.sum(), tensors, allow_unused=True)
        for path, gradient in zip(self.computed, gradients, strict=True):
            if gradient is not None:
                raise InputError(
                    f"{path} was computed from parameters before this call, and forward() reads "
                    "it: compute it in forward(), or make it an nn.Parameter"
                )


def deep_copy(model: nn.Module) -> nn.Module:
    """Copy a model; see `copy_model`."""
    return copy_model(model).model


def copy_model(model: nn.Module) -> ModelCopy:
    """Copy a model with its parameters, ties, buffers, hooks, modes and device.

    Locks are new and free, and generators go on from the same state.

    Raises:
        InputError: an attribute cannot be copied, or the copy would share it with the original.
    """
    name = type(model).__name__
    parts = list(_walk(name, model))
    memo = _prepared(parts)
    before = dict(memo)
    try:
        _copy_extras(parts, memo)
        made = deepcopy(model, memo)
    except Exception as error:  # the user's code: it may raise anything
        path = _culprit(name, model, before)
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise _refusal(name, path, f"cannot be copied ({said})") from error
    copies = {
        id(part): memo.get(id(part)) for _, part in parts if isinstance(part, nn.Module | Tensor)
    }
    _relink(made, copies)
    for path, part in _walk(name, made, through_links=True):
        if id(part) in copies:
            raise _refusal(name, path, "would still point at the original in a copy")
    if other := _first_difference(model, made):
        raise _refusal(name, f"{name}.{other}", "is not the same in a copy")
    computed = {
        path: memo[id(part)]
        for path, part in parts
        if isinstance(part, Tensor) and not part.is_leaf
    }
    return ModelCopy(made, computed)


def _refusal(name: str, path: str, why: str) -> InputError:
    return InputError(
        f"cannot work on a copy of {name}: {path} {why}; "
        f"remove it before the call, or give its class a __deepcopy__"
    )


def _walk(name: str, root: object, through_links: bool = False) -> Iterator[tuple[str, Any]]:
    """Everything that an object holds, each thing once, with the way to it.

    Args:
        name: of the root.
        root: the object.
        through_links: also what functions close over and weak references point at, which
            `deepcopy` leaves as it is.
    """
    waiting: deque[tuple[str, Any]] = deque([(name, root)])
    seen = set[int]()
    while waiting:
        path, thing = waiting.popleft()
        if isinstance(thing, _LEAVES) or id(thing) in seen:
            continue
        seen.add(id(thing))
        yield path, thing
        waiting.extend((path + step, child) for step, child in _children(thing, through_links))


def _children(thing: Any, through_links: bool) -> Iterator[tuple[str, Any]]:
    """What a thing holds itself, each with the step to it."""
    if type(thing) in _PROXIES:
        return
    if isinstance(thing, FunctionType | weakref.ref):
        if through_links:
            yield from _linked(thing)
        return
    if isinstance(thing, Tensor):
        yield "'s hooks", thing._backward_hooks
    elif isinstance(thing, MethodType):
        yield ".__self__", thing.__self__
    elif isinstance(thing, partial):
        yield from ((".func", thing.func), (".args", thing.args), (".keywords", thing.keywords))
    elif isinstance(thing, dict):
        yield from ((" as a key", key) for key in thing)
        yield from ((f"[{key!r}]" if _is_plain(key) else "[...]", it) for key, it in thing.items())
    elif isinstance(thing, list | tuple | set | frozenset | deque):
        yield from ((f"[{place}]", it) for place, it in enumerate(thing))
    yield from _attributes(thing)


def _attributes(thing: Any) -> Iterator[tuple[str, Any]]:
    own = getattr(thing, "__dict__", {})
    registered = ("_parameters", "_buffers", "_modules") if isinstance(thing, nn.Module) else ()
    for name, it in own.items():
        if name in registered and isinstance(it, dict):
            yield from ((f".{key}", part) for key, part in it.items())
        else:
            yield f".{name}", it
    for kind in type(thing).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and not name.startswith("__"):
                yield f".{name}", getattr(thing, name, None)


def _linked(thing: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, weakref.ref):
        yield " (a weak reference)", thing()
    else:
        for name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True):
            yield f" (its variable {name})", _content(cell)
        yield " (its defaults)", (thing.__defaults__, thing.__kwdefaults__)


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return None


def _is_plain(key: object) -> bool:
    return isinstance(key, str | int)


def _prepared(parts: list[tuple[str, Any]]) -> dict[int, Any]:
    """A memo for `deepcopy` with copies of what it refuses or copies wrongly."""
    memo: dict[int, Any] = {}
    storages: dict[int, torch.UntypedStorage] = {}
    for path, part in parts:
        if type(part) in _PROXIES:
            name = path.partition(".")[0]
            raise _refusal(name, path, "is a weakref.proxy, where a weakref.ref could be copied")
        if isinstance(part, Tensor):
            if (tensor := _copied_tensor(part, storages)) is not None:
                memo[id(part)] = tensor
        elif isinstance(part, _LOCK):
            memo[id(part)] = threading.Lock()
        elif isinstance(part, _RLOCK):
            memo[id(part)] = threading.RLock()
        elif isinstance(part, torch.Generator):
            memo[id(part)] = part.clone_state()
    for _, part in parts:
        if isinstance(part, threading.Condition):
            lock = vars(part)["_lock"]
            memo[id(part)] = threading.Condition(memo.get(id(lock), lock))
    return memo


def _copied_tensor(tensor: Tensor, storages: dict[int, torch.UntypedStorage]) -> Tensor | None:
    """A leaf that shares memory with the copies of those that `tensor` shares its own with.

    None for a kind of tensor that has a way of its own to be copied.
    """
    if not _has_plain_memory(tensor):
        return None if tensor.is_leaf else tensor.detach().clone().requires_grad_()
    storage = tensor.untyped_storage()
    if storage._cdata not in storages:
        storages[storage._cdata] = storage.clone()
    made = torch.empty(0, dtype=tensor.dtype, device=tensor.device).set_(
        storages[storage._cdata], tensor.storage_offset(), tensor.size(), tensor.stride()
    )
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(made, tensor.requires_grad)
    return made.requires_grad_(tensor.requires_grad)


def _has_plain_memory(tensor: Tensor) -> bool:
    plain = type(tensor) in (Tensor, nn.Parameter) and tensor.layout == torch.strided
    strange = tensor.is_quantized or tensor.is_meta or tensor.is_nested
    return plain and not (strange or tensor.is_conj() or tensor.is_neg())


def _copy_extras(parts: list[tuple[str, Any]], memo: dict[int, Any]) -> None:
    """Copy what is attached to tensors: attributes, and hooks of their gradients."""
    for _, part in parts:
        made = memo.get(id(part))
        if isinstance(part, Tensor) and made is not None:
            vars(made).update(deepcopy(vars(part), memo))
            if part.is_leaf and part.requires_grad:
                for hook in (part._backward_hooks or {}).values():
                    made.register_hook(deepcopy(hook, memo))


def _culprit(path: str, thing: object, memo: dict[int, Any]) -> str:
    """The way to the innermost thing that cannot be copied."""
    seen = {id(thing)}
    found = True
    while found:
        found = False
        for step, child in _children(thing, False):
            if id(child) not in seen and not _can_be_copied(child, memo):
                seen.add(id(child))
                path, thing, found = path + step, child, True
                break
    return path


def _can_be_copied(thing: object, memo: dict[int, Any]) -> bool:
    try:
        deepcopy(thing, dict(memo))
    except Exception:  # the user's code: it may raise anything
        return False
    return True


def _relink(made: nn.Module, copies: Mapping[int, Any]) -> None:
    """Point functions and weak references that a copy's dictionaries hold at the copy's parts."""
    for _, part in list(_walk("", made)):
        for holder in (part, getattr(part, "__dict__", None)):
            if isinstance(holder, dict):
                for key, it in holder.items():
                    if (other := _relinked(it, copies)) is not it:
                        holder[key] = other


def _relinked(thing: Any, copies: Mapping[int, Any], inside: frozenset[int] = frozenset()) -> Any:
    """The copy of a part of the original; a function or weak reference that points at copies.

    `inside` are the functions that close over this one.
    """
    if type(thing) is weakref.ref:
        other = copies.get(id(thing()))
        return thing if other is None else weakref.ref(other)
    if not isinstance(thing, FunctionType):
        other = copies.get(id(thing))
        return thing if other is None else other
    if id(thing) in inside:
        return thing
    inside |= {id(thing)}
    closure, defaults = thing.__closure__ or (), thing.__defaults__ or ()
    cells = tuple(
        cell
        if (it := _relinked(_content(cell), copies, inside)) is _content(cell)
        else CellType(it)
        for cell in closure
    )
    values = tuple(_relinked(it, copies, inside) for it in defaults)
    if all(map(is_, (*cells, *values), (*closure, *defaults))):
        return thing
    made = FunctionType(thing.__code__, thing.__globals__, thing.__name__, values, cells)
    made.__kwdefaults__ = thing.__kwdefaults__
    vars(made).update(vars(thing))
    return made


def _first_difference(model: nn.Module, made: nn.Module) -> str | None:
    """A parameter or buffer that is not in both models, or has another value or other ties."""
    before, after = _registered(model), _registered(made)
    if other := before.keys() ^ after.keys():
        return min(other)
    ties = [{id(tensor): name for name, tensor in it.items()} for it in (before, after)]
    for name, tensor in before.items():
        if ties[0][id(tensor)] != ties[1][id(after[name])] or not _equal(tensor, after[name]):
            return name
    return None


def _registered(model: nn.Module) -> dict[str, Tensor]:
    named = (model.named_parameters, model.named_buffers)
    return {name: tensor for each in named for name, tensor in each(remove_duplicate=False)}


def _equal(one: Tensor, other: Tensor) -> bool:
    """The same to the bit; what has no plain memory is taken for the same."""
    if not _has_plain_memory(one):
        return True
    if one.shape != other.shape or one.dtype != other.dtype or one.device != other.device:
        return False
    words = (it.detach().contiguous().reshape(-1).view(torch.uint8) for it in (one, other))
    return torch.equal(*words)
