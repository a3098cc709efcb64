"""Tensors are read from what torch.save writes as torch reads them, within the file's bounds."""

from __future__ import annotations

import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.formats.torch_files.containers import open_archive, open_pickle
from core.formats.torch_files.tensors import StoredTensor, Tensors
from core.system.untrusted_json import FaultError


def legacy(content: object, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


def plain(content: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


def newest_protocol(content: object, path: Path) -> None:
    torch.save(content, path, pickle_protocol=pickle.HIGHEST_PROTOCOL)


def without_checksums(content: object, path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    torch.save(content, path)
    torch.serialization.set_crc32_options(True)


WAYS: tuple[Callable[[object, Path], None], ...] = (
    torch.save,
    legacy,
    plain,
    newest_protocol,
    without_checksums,
)


def read(path: Path) -> dict[str, Tensor]:
    """The tensors in a mapping in a file."""
    with (open_archive if path.read_bytes()[:2] == b"PK" else open_pickle)(path) as content:
        tensors = Tensors(content)
        items = content.root if isinstance(content.root, dict) else content.root.items
        found = {name: tensors.find(value) for name, value in items.items()}
        return {name: stored.read() for name, stored in found.items() if stored is not None}


def tensors() -> dict[str, Tensor]:
    """Tensors of every type and of many layouts."""
    torch.manual_seed(0)
    types = (
        *(torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64),
        *(torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64, torch.bool),
    )
    base = torch.randn(6, 8)
    large = torch.randn(40)
    return {
        **{str(dtype): (10 * torch.randn(3, 4)).to(dtype) for dtype in types},
        "scalar": torch.tensor(2.5),
        "empty": torch.empty(0, 3),
        "transposed": base.T,
        "part": base[1:4, ::2],
        "tied": base,
        "expanded": torch.randn(3, 1).expand(3, 5),
        "parameter": nn.Parameter(base.clone()),
        "channels last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "one of many": large[10:20].view(2, 5),
        "another": large[20:],
        "float8": torch.randn(4).to(torch.float8_e4m3fn),
        "conjugated": torch.randn(3, dtype=torch.complex64).conj(),
    }


SPARSE: dict[str, Callable[[Tensor], Tensor]] = {
    "coo": Tensor.to_sparse,
    "hybrid": lambda tensor: tensor.to_sparse(1),
    "csr": Tensor.to_sparse_csr,
    "csc": Tensor.to_sparse_csc,
    "bsr": lambda tensor: tensor.to_sparse_bsr((2, 2)),
    "bsc": lambda tensor: tensor.to_sparse_bsc((2, 2)),
}


@pytest.mark.parametrize("save", WAYS, ids=lambda way: way.__name__)
def test_every_tensor_is_what_torch_saved(
    save: Callable[[object, Path], None], tmp_path: Path
) -> None:
    written = tensors()
    if save is plain:  # Python refuses these itself
        del written["float8"]
    save(written, tmp_path / "it.pt")
    found = read(tmp_path / "it.pt")
    assert found.keys() == written.keys()
    for name, tensor in written.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].is_contiguous()
        assert found[name].tolist() == tensor.tolist(), name


@pytest.mark.parametrize("layout", SPARSE)
@pytest.mark.filterwarnings("ignore")
def test_sparse_tensors_become_dense(layout: str, tmp_path: Path) -> None:
    dense = torch.randn(4, 6) * (torch.rand(4, 6) > 0.5)
    for save in (torch.save, legacy):
        save({"it": SPARSE[layout](dense)}, tmp_path / "it.pt")
        assert torch.equal(read(tmp_path / "it.pt")["it"], dense)


def test_tensors_of_a_gpu_are_read_on_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.serialization, "location_tag", lambda _: "cuda:3")
    for save in (torch.save, legacy):
        save({"it": torch.arange(3)}, tmp_path / "it.pt")
        assert b"cuda:3" in (tmp_path / "it.pt").read_bytes()
        assert read(tmp_path / "it.pt")["it"].tolist() == [0, 1, 2]


def test_the_byte_order_of_another_machine_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "byteorder", "big")
        torch.save({"it": torch.arange(3)}, tmp_path / "it.pt")
    with pytest.raises(FaultError, match="byte order of another machine"):
        read(tmp_path / "it.pt")


class Marked(Tensor):
    """A tensor class of the user's own."""


def test_a_tensor_of_the_users_own_class_is_a_tensor(tmp_path: Path) -> None:
    torch.save({"it": torch.ones(3).as_subclass(Marked)}, tmp_path / "it.pt")
    found = read(tmp_path / "it.pt")["it"]
    assert type(found) is Tensor
    assert found.tolist() == [1, 1, 1]


@pytest.mark.filterwarnings("ignore")
def test_quantized_and_empty_tensors_are_named(tmp_path: Path) -> None:
    quantized = torch.quantize_per_tensor(torch.randn(4), 0.1, 0, torch.qint8)
    for tensor, why in ((quantized, "quantized"), (torch.empty(3, device="meta"), "no values")):
        torch.save({"it": tensor}, tmp_path / "it.pt")
        with pytest.raises(FaultError, match=why):
            read(tmp_path / "it.pt")


class Rebuilt:
    """Unpickles as a call of a function of torch."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


def dense(*where: Any) -> Rebuilt:
    storage = torch.ones(12)._typed_storage()
    return Rebuilt(torch._utils._rebuild_tensor_v2, storage, *where, False, {})


def sparse(*data: Any) -> Rebuilt:
    return Rebuilt(torch._utils._rebuild_sparse_tensor, torch.sparse_coo, data)


def ints(*values: Any) -> Tensor:
    return torch.tensor(values)


IMPOSSIBLE = {
    "outside its storage": dense(0, (3, 5), (5, 1)),
    "an offset behind its storage": dense(12, (1,), (1,)),
    "steps out of its storage": dense(0, (2,), (12,)),
    "a negative offset": dense(-1, (3,), (1,)),
    "a negative step": dense(11, (3,), (-1,)),
    "a negative size": dense(0, (-3,), (1,)),
    "a size that is no number": dense(0, ("3",), (1,)),
    "sizes and steps": dense(0, (3, 4), (1,)),
    "too many dimensions": dense(0, (1,) * 65, (1,) * 65),
    "no arguments": Rebuilt(torch._utils._rebuild_tensor_v2),
    "no storage": Rebuilt(torch._utils._rebuild_tensor_v2, 3, 0, (3,), (1,), False, {}),
    "an index outside": sparse(ints([0, 9]), torch.ones(2), (4,)),
    "a negative index": sparse(ints([0, -1]), torch.ones(2), (4,)),
    "indices of another number": sparse(ints([0, 1, 2]), torch.ones(2), (4,)),
    "huge indices": sparse(ints([0]).expand(1, 1 << 40), torch.ones(2), (4,)),
    "no indices": sparse(3, torch.ones(2), (4,)),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_impossible_tensor_is_refused(name: str, tmp_path: Path) -> None:
    for save in (torch.save, legacy):
        save({"it": IMPOSSIBLE[name]}, tmp_path / "it.pt")
        with pytest.raises(FaultError):
            read(tmp_path / "it.pt")


@pytest.mark.filterwarnings("ignore")
def test_huge_tensors_of_small_files_take_no_memory_until_they_are_read(tmp_path: Path) -> None:
    side = 1 << 30
    expanded = torch.ones(1).expand(side, side)
    coo = torch.sparse_coo_tensor(torch.zeros(2, 1, dtype=torch.int64), torch.ones(1), (side, side))
    torch.save({"expanded": expanded, "sparse": coo}, tmp_path / "it.pt")
    with open_archive(tmp_path / "it.pt") as content:
        tensors = Tensors(content)
        for value in content.root.values():
            stored = tensors.find(value)
            assert isinstance(stored, StoredTensor)
            assert (stored.shape, stored.whole) == ((side, side), False)


@pytest.mark.parametrize("save", [torch.save, legacy])
@settings(max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_changes_nothing_that_a_checksum_covers(
    save: Callable[[object, Path], None], place: float, bit: int, path: Path
) -> None:
    written = {"weight": torch.arange(40.0).view(5, 8), "bias": torch.arange(5)}
    save(written, path)
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    path.write_bytes(data)
    try:
        found = read(path)
    except (FaultError, AttributeError):  # the root may be no mapping any more
        return
    if save is torch.save and found.keys() == written.keys():
        assert all(torch.equal(found[name], tensor) for name, tensor in written.items())


@pytest.mark.parametrize("save", [torch.save, legacy])
def test_a_truncated_file_is_refused(save: Callable[[object, Path], None], tmp_path: Path) -> None:
    path = tmp_path / "it.pt"
    save({"it": torch.ones(1000)}, path)
    data = path.read_bytes()
    for length in (len(data) - 1, len(data) // 2, 200):
        path.write_bytes(data[:length])
        with pytest.raises(FaultError):
            read(path)


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    """So that no small file takes much memory."""
    torch.save({"it": torch.zeros(1000)}, tmp_path / "it.pt")
    with (
        zipfile.ZipFile(tmp_path / "it.pt") as old,
        zipfile.ZipFile(tmp_path / "new.pt", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(FaultError, match="compressed"):
        read(tmp_path / "new.pt")
