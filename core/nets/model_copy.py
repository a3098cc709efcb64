"""Exact copies of models, even of those that `copy.deepcopy` refuses or copies wrongly.

`copy.deepcopy` refuses a model that stores an activation, a lock, or a weight that weight norm or
`torch.nn.utils.prune` computes. It separates parameters that share memory, and leaves the
original's modules in weak references and in hooks that close over them. `copy_model` handles all
of these, and shares open files. It never returns a copy that differs from the original or shares
another part with it: it raises and names the attribute.
"""

import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache, partial
from io import IOBase
from itertools import chain
from operator import is_
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import ENDING, InputError
from core.nets.calls import EVALUATION, NetCall, evaluation_mode

_LOCK, _RLOCK = type(threading.Lock()), type(threading.RLock())
_PROXIES = (weakref.ProxyType, weakref.CallableProxyType)
_LEAVES = (type, ModuleType, str, bytes, bytearray, int, float, complex, type(None))
_BARE = frozenset({str, bytes, int, float, complex, bool, type(None)})
_CONTAINERS = frozenset({dict, OrderedDict, list, tuple, set})


@dataclass(frozen=True, eq=False)
class ModelCopy:
    """A copy of a model, and the tensors that autograd computed for the original, by path.

    Such a tensor, for example a stored activation, is a constant in the copy.
    """

    model: nn.Module
    computed: Mapping[str, Tensor]

    def check_trainable(self, images: Tensor) -> None:
        """Raise InputError if the logits of images [N, C, H, W] depend on a computed tensor.

        The copy would not train it. Tensors that `forward` or a hook recomputes for each batch,
        such as the weight of weight norm, are fine.
        """
        if not self.computed:
            return
        with torch.enable_grad(), NetCall(EVALUATION, images):
            logits = evaluation_mode(self.model)(images)
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


def copy_model(model: nn.Module) -> ModelCopy:
    """Copy a model with its parameters, ties, buffers, hooks, modes and device.

    Locks are new and free; generators continue from the same state.

    Raises:
        InputError: an attribute cannot be copied, or the copy would share it with the original.
    """
    name = type(model).__name__
    parts = list(_walk(name, model))
    memo = _initial_memo(parts)
    before = dict(memo)
    try:
        _copy_extras(parts, memo)
        copy = deepcopy(model, memo)
    except ENDING:
        raise
    except BaseException as error:  # the user's code: it may raise anything
        path = _culprit(name, model, before)
        message = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise _refusal(name, path, f"cannot be copied ({message})") from error
    copies = {
        id(part): memo.get(id(part)) for _, part in parts if isinstance(part, nn.Module | Tensor)
    }
    _relink(copy, copies)
    for path, part in _walk(name, copy, through_links=True):
        if id(part) in copies:
            raise _refusal(name, path, "would still point at the original in a copy")
    if attribute := _first_difference(model, copy):
        raise _refusal(name, f"{name}.{attribute}", "is not the same in a copy")
    tensors = ((path, part) for path, part in parts if isinstance(part, Tensor))
    return ModelCopy(copy, {path: memo[id(part)] for path, part in tensors if not part.is_leaf})


def _refusal(name: str, path: str, why: str) -> InputError:
    return InputError(
        f"cannot copy {name}: {path} {why}; "
        f"remove it before the call, or give its class a __deepcopy__"
    )


def _walk(name: str, root: object, through_links: bool = False) -> Iterator[tuple[str, Any]]:
    """Every object reachable from `root`, once, with its path from `name`.

    `through_links` includes what functions close over and weak references point at, which
    `deepcopy` does not copy.
    """
    queue: deque[tuple[str, Any]] = deque([(name, root)])
    seen = set[int]()
    while queue:
        path, item = queue.popleft()
        if isinstance(item, _LEAVES) or id(item) in seen:
            continue
        seen.add(id(item))
        yield path, item
        queue.extend((path + step, child) for step, child in _children(item, through_links))


def _children(item: Any, through_links: bool) -> Iterator[tuple[str, Any]]:
    """The objects that an object holds itself, each with the step of the path to it."""
    if type(item) in _PROXIES:
        return
    if isinstance(item, FunctionType | weakref.ref):
        if through_links:
            yield from _linked(item)
        return
    if isinstance(item, Tensor):
        yield "'s hooks", item._backward_hooks
    elif isinstance(item, MethodType):
        yield ".__self__", item.__self__
    elif isinstance(item, partial):
        yield from ((".func", item.func), (".args", item.args), (".keywords", item.keywords))
    elif isinstance(item, dict):
        for key, value in item.items():
            yield " as a key", key
            yield f"[{key!r}]" if isinstance(key, str | int) else "[...]", value
    elif isinstance(item, list | tuple | set | frozenset | deque):
        yield from ((f"[{index}]", value) for index, value in enumerate(item))
    yield from _attributes(item)


def _attributes(item: Any) -> Iterator[tuple[str, Any]]:
    registries = ("_parameters", "_buffers", "_modules") if isinstance(item, nn.Module) else ()
    for name, value in getattr(item, "__dict__", {}).items():
        if name in registries and isinstance(value, dict):
            yield from ((f".{key}", part) for key, part in value.items())
        elif not _is_bare(value):
            yield f".{name}", value
    kind: Any = type(item)
    for name in _slots(kind):
        yield f".{name}", getattr(item, name, None)


def _is_bare(item: Any) -> bool:
    """Whether an object holds no others, as most attributes of a module, such as its hooks."""
    if type(item) in _CONTAINERS:
        return not item and not getattr(item, "__dict__", None)
    return type(item) in _BARE


@lru_cache(1_024)
def _slots(kind: type) -> tuple[str, ...]:
    """The names of the slots of a type that may hold parts of a model."""
    of_classes = (vars(cls).get("__slots__", ()) for cls in kind.__mro__)
    names = chain.from_iterable(
        (slots,) if isinstance(slots, str) else slots for slots in of_classes
    )
    return tuple(name for name in names if not name.startswith("__"))


def _linked(item: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(item, weakref.ref):
        yield " (a weak reference)", item()
    else:
        for name, cell in zip(item.__code__.co_freevars, item.__closure__ or (), strict=True):
            yield f" (its variable {name})", _content(cell)
        yield " (its defaults)", (item.__defaults__, item.__kwdefaults__)


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # an empty cell
        return None


def _initial_memo(parts: list[tuple[str, Any]]) -> dict[int, Any]:
    """A memo for `deepcopy` with copies of what it refuses or copies wrongly."""
    memo: dict[int, Any] = {}
    storages: dict[int, torch.UntypedStorage] = {}
    for path, part in parts:
        if type(part) in _PROXIES:
            name = path.partition(".")[0]
            raise _refusal(name, path, "is a weakref.proxy: use a weakref.ref")
        if isinstance(part, Tensor):
            if (tensor := _copy_tensor(part, storages)) is not None:
                memo[id(part)] = tensor
        elif isinstance(part, (_LOCK, _RLOCK)):
            memo[id(part)] = threading.Lock() if isinstance(part, _LOCK) else threading.RLock()
        elif isinstance(part, torch.Generator):
            memo[id(part)] = part.clone_state()
        elif isinstance(part, IOBase):
            memo[id(part)] = part
    for _, part in parts:
        if isinstance(part, threading.Condition):
            lock = vars(part)["_lock"]
            memo[id(part)] = threading.Condition(memo.get(id(lock), lock))
    return memo


def _copy_tensor(tensor: Tensor, storages: dict[int, torch.UntypedStorage]) -> Tensor | None:
    """A leaf that shares memory with the copies of the tensors that `tensor` shares memory with.

    None for a tensor that `deepcopy` copies well.
    """
    if not _has_plain_memory(tensor):
        return None if tensor.is_leaf else tensor.detach().clone().requires_grad_()
    storage = tensor.untyped_storage()
    if storage._cdata not in storages:
        storages[storage._cdata] = storage.clone()
    copy = torch.empty(0, dtype=tensor.dtype, device=tensor.device).set_(
        storages[storage._cdata], tensor.storage_offset(), tensor.size(), tensor.stride()
    )
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(copy, tensor.requires_grad)
    return copy.requires_grad_(tensor.requires_grad)


def _has_plain_memory(tensor: Tensor) -> bool:
    plain = type(tensor) in (Tensor, nn.Parameter) and tensor.layout == torch.strided
    special = tensor.is_quantized or tensor.is_meta or tensor.is_nested
    return plain and not (special or tensor.is_conj() or tensor.is_neg())


def _copy_extras(parts: list[tuple[str, Any]], memo: dict[int, Any]) -> None:
    """Copy the attributes of tensors and the hooks of their gradients."""
    for _, part in parts:
        copy = memo.get(id(part))
        if isinstance(part, Tensor) and copy is not None:
            vars(copy).update(deepcopy(vars(part), memo))
            if part.is_leaf and part.requires_grad:
                for hook in (part._backward_hooks or {}).values():
                    copy.register_hook(deepcopy(hook, memo))


def _culprit(path: str, item: object, memo: dict[int, Any]) -> str:
    """The path to the innermost object that cannot be copied."""
    seen = {id(item)}
    while True:
        for step, child in _children(item, False):
            if id(child) not in seen and not _can_be_copied(child, memo):
                seen.add(id(child))
                path, item = path + step, child
                break
        else:
            return path


def _can_be_copied(item: object, memo: dict[int, Any]) -> bool:
    try:
        deepcopy(item, dict(memo))
    except ENDING:
        raise
    except BaseException:  # the user's code: it may raise anything
        return False
    return True


def _relink(copy: nn.Module, copies: Mapping[int, Any]) -> None:
    """Point the functions and weak references in a copy's dictionaries at the copy's parts."""
    for _, part in list(_walk("", copy)):
        for holder in (part, getattr(part, "__dict__", None)):
            if isinstance(holder, dict):
                for key, value in holder.items():
                    if (other := _relinked(value, copies)) is not value:
                        holder[key] = other


def _relinked(item: Any, copies: Mapping[int, Any], inside: frozenset[int] = frozenset()) -> Any:
    """The copy of a part of the original; a function or weak reference that points at copies.

    `inside` holds the functions that close over this one.
    """
    if type(item) is weakref.ref:
        target = copies.get(id(item()))
        return item if target is None else weakref.ref(target)
    if not isinstance(item, FunctionType):
        copy = copies.get(id(item))
        return item if copy is None else copy
    if id(item) in inside:
        return item
    inside |= {id(item)}
    closure, defaults = item.__closure__ or (), item.__defaults__ or ()
    cells = tuple(
        cell
        if (content := _relinked(_content(cell), copies, inside)) is _content(cell)
        else CellType(content)
        for cell in closure
    )
    values = tuple(_relinked(value, copies, inside) for value in defaults)
    if all(map(is_, (*cells, *values), (*closure, *defaults))):
        return item
    function = FunctionType(item.__code__, item.__globals__, item.__name__, values, cells)
    function.__kwdefaults__ = item.__kwdefaults__
    vars(function).update(vars(item))
    return function


def _first_difference(model: nn.Module, copy: nn.Module) -> str | None:
    """A parameter or buffer that only one model has, or whose value or ties differ."""
    before, after = _registered(model), _registered(copy)
    if names := before.keys() ^ after.keys():
        return min(names)
    ties = [{id(tensor): name for name, tensor in each.items()} for each in (before, after)]
    for name, tensor in before.items():
        if ties[0][id(tensor)] != ties[1][id(after[name])] or not _equal(tensor, after[name]):
            return name
    return None


def _registered(model: nn.Module) -> dict[str, Tensor]:
    parameters = model.named_parameters(remove_duplicate=False)
    return {**dict(parameters), **dict(model.named_buffers(remove_duplicate=False))}


def _equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are equal to the bit; assumed of those without plain memory."""
    if not _has_plain_memory(one):
        return True
    if one.shape != other.shape or one.dtype != other.dtype or one.device != other.device:
        return False
    raw = (each.detach().contiguous().reshape(-1).view(torch.uint8) for each in (one, other))
    return torch.equal(*raw)
