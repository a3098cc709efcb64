"""The tensors that a pickle of torch.save describes.

A tensor is described by the function of `torch._utils` that would rebuild it and its arguments;
this module does what that function does, after checking that the tensor lies within its storage.
Nothing is read before `StoredTensor.read`, so a tensor that is not needed takes no memory.
Source: torch/_utils.py.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import torch
from torch import Tensor

from core.formats.torch_files.containers import Content, StorageId, Storages, read_legacy
from core.formats.torch_files.pickle_data import Global, Made
from core.system.untrusted_json import FaultError

_DTYPES = {str(dtype): dtype for dtype in vars(torch).values() if isinstance(dtype, torch.dtype)}

_COMPRESSED = {
    str(layout): layout
    for layout in (torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc)
}

_MOST_DIMENSIONS = 64
"""As many as torch allows."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """A tensor in a file.

    Attributes:
        whole: it takes no more memory than its storage; an expanded one does.
        read: reads it, dense and contiguous; raises FaultError if it is damaged. It takes the
            memory of its shape, which the caller checks before.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    whole: bool
    read: Callable[[], Tensor]


class Tensors:
    """Interprets the objects of a file."""

    def __init__(self, content: Content) -> None:
        self._storages = content.storages

    def find(self, value: object) -> StoredTensor | None:
        """The tensor that an object of the file describes; None if it is something else.

        Raises FaultError if the description is damaged.
        """
        if not isinstance(value, Made) or value.name not in _REBUILD:
            return None
        try:
            return _REBUILD[value.name](self, *value.args)
        except (TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
            raise FaultError("it describes a tensor that cannot be") from error

    def _required(self, value: object) -> StoredTensor:
        if (tensor := self.find(value)) is None:
            raise FaultError("it describes a tensor that cannot be")
        return tensor

    def _dense(
        self,
        storage: object,
        offset: object,
        size: object,
        stride: object,
        metadata: object = None,
        dtype: torch.dtype | None = None,
    ) -> StoredTensor:
        storages, stored = self._storage(storage)
        key, dtype = stored.key, dtype or stored.dtype
        shape, steps, (start,) = _sizes(size), _sizes(stride), _sizes((offset,))
        reach = sum((count - 1) * step for count, step in zip(shape, steps, strict=True))
        count, limit = math.prod(shape), storages.size(key)
        if count and (start + reach + 1) * dtype.itemsize > limit:
            raise FaultError("a tensor lies outside its storage")

        def read() -> Tensor:
            if not count:
                return torch.empty(shape, dtype=dtype)
            part = storages.read(key)[start * dtype.itemsize :][: (reach + 1) * dtype.itemsize]
            # Other bytes than 0 and 1 are no bool: comparing makes them one.
            flat = part.ne(0) if dtype == torch.bool else part.view(dtype)
            return _resolved(flat.as_strided(shape, steps), metadata).contiguous()

        return StoredTensor(shape, dtype, count * dtype.itemsize <= limit, read)

    def _storage(self, value: object) -> tuple[Storages, StorageId]:
        """The storages of a file, and which of them an object of the pickle is."""
        match value:
            case Made(function=Global(name="torch.storage._load_from_bytes"), args=(bytes(data),)):
                inner = read_legacy(BytesIO(data), len(data))
                return inner.storages, StorageId.of(inner.root)
        return self._storages, StorageId.of(value)

    def _plain(
        self,
        storage: object,
        offset: object,
        size: object,
        stride: object,
        _grad: object = None,
        _hooks: object = None,
        metadata: object = None,
    ) -> StoredTensor:
        return self._dense(storage, offset, size, stride, metadata)

    def _typed(
        self,
        storage: object,
        offset: object,
        size: object,
        stride: object,
        _grad: object,
        _hooks: object,
        dtype: Any,
        metadata: object = None,
    ) -> StoredTensor:
        return self._dense(storage, offset, size, stride, metadata, _DTYPES[dtype.name])

    def _parameter(self, data: object, *_: object) -> StoredTensor:
        return self._required(data)

    def _subclass(
        self, function: object, _type: object, args: object, _state: object = None
    ) -> StoredTensor:
        return self._required(Made(function, args))

    def _moved(self, data: object, dtype: Any, *_: object) -> StoredTensor:
        """A tensor of a device that has no storages, stored on the CPU."""
        tensor, wanted = self._required(data), _DTYPES[dtype.name]
        return StoredTensor(tensor.shape, wanted, tensor.whole, lambda: tensor.read().to(wanted))

    def _quantized(self, storage: object, offset: object, size: object, *_: object) -> StoredTensor:
        dtype = self._storage(storage)[1].dtype
        return StoredTensor(_sizes(size), dtype, False, _unreadable("a tensor is quantized"))

    def _meta(self, dtype: Any, size: object, *_: object) -> StoredTensor:
        missing = _unreadable("a tensor of the meta device has no values")
        return StoredTensor(_sizes(size), _DTYPES[dtype.name], False, missing)

    def _sparse(self, layout: Any, data: Any) -> StoredTensor:
        name = layout.args[0]  # of torch.serialization._get_layout
        count = 2 if name == str(torch.sparse_coo) else 3
        parts, shape = [self._required(part) for part in data[:count]], _sizes(data[count])
        values = parts[-1]
        if not all(part.whole for part in parts):
            raise FaultError("a sparse tensor is larger than the file")

        def read() -> Tensor:
            tensors = [part.read() for part in parts]
            try:
                with warnings.catch_warnings(action="ignore"):  # that these layouts are new
                    return _sparse_tensor(name, tensors, shape).to_dense()
            except (RuntimeError, IndexError) as error:
                raise FaultError("a sparse tensor has indices outside its shape") from error

        return StoredTensor(shape, values.dtype, False, read)


def _sparse_tensor(layout: str, parts: list[Tensor], shape: tuple[int, ...]) -> Tensor:
    """A sparse tensor from its indices and values, whose consistency is checked."""
    if layout == str(torch.sparse_coo):
        indices, values = parts
        return torch.sparse_coo_tensor(indices, values, shape, check_invariants=True)
    compressed, plain, values = parts
    return torch.sparse_compressed_tensor(
        compressed, plain, values, shape, layout=_COMPRESSED[layout], check_invariants=True
    )


def _sizes(value: object) -> tuple[int, ...]:
    """Sizes, strides or an offset; raises FaultError if they are no whole numbers from 0."""
    if isinstance(value, Made) and value.name == "torch.Size":
        (value,) = value.args
    sizes = value if isinstance(value, tuple | list) else (None,)
    if len(sizes) > _MOST_DIMENSIONS or not all(type(size) is int and size >= 0 for size in sizes):
        raise FaultError("a tensor has an impossible shape")
    return tuple(sizes)


def _resolved(tensor: Tensor, metadata: object) -> Tensor:
    """A tensor that may be stored conjugated or negated, as it is."""
    if isinstance(metadata, Mapping):
        tensor = tensor.conj() if metadata.get("conj") else tensor
        tensor = -tensor if metadata.get("neg") else tensor
    return tensor.resolve_conj()


def _unreadable(why: str) -> Callable[[], Tensor]:
    def read() -> Tensor:
        raise FaultError(why)

    return read


_REBUILD: Mapping[str, Callable[..., StoredTensor]] = {
    "torch._utils._rebuild_tensor": Tensors._plain,
    "torch._utils._rebuild_tensor_v2": Tensors._plain,
    "torch._utils._rebuild_tensor_v3": Tensors._typed,
    "torch._utils._rebuild_parameter": Tensors._parameter,
    "torch._utils._rebuild_parameter_with_state": Tensors._parameter,
    "torch._utils._rebuild_sparse_tensor": Tensors._sparse,
    "torch._utils._rebuild_sparse_csr_tensor": Tensors._sparse,
    "torch._utils._rebuild_qtensor": Tensors._quantized,
    "torch._utils._rebuild_meta_tensor_no_storage": Tensors._meta,
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": Tensors._moved,
    "torch._tensor._rebuild_from_type": Tensors._subclass,
    "torch._tensor._rebuild_from_type_v2": Tensors._subclass,
}
"""What would rebuild a tensor, and what reads it here."""
