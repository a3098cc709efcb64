"""Weights files: round trips, refusals, atomic writes."""

from __future__ import annotations

import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from core.errors import InputError
from core.formats.weights_files import (
    early_path,
    load_dense,
    load_weights,
    read_weights,
    save_dense,
    save_weights,
)
from core.nets.architectures import Cnn5
from core.nets.weights import DenseWeights, Weights
from core.nets.zoo import model_spec


def weights_of(seed: int) -> Weights:
    torch.manual_seed(seed)
    return dict(Cnn5().state_dict())


def same(one: Weights, other: Weights) -> bool:
    return list(one) == list(other) and all(torch.equal(one[name], other[name]) for name in one)


def test_saved_weights_and_notes_are_loaded(tmp_path: Path) -> None:
    path, weights = tmp_path / "net.safetensors", weights_of(0)
    save_weights(path, weights, {"recipe": "fast"})
    assert same(load_weights(path, Cnn5()), weights)
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"recipe": "fast"}


def test_tensors_of_any_layout_are_saved(tmp_path: Path) -> None:
    path, weights = tmp_path / "net.safetensors", weights_of(0)
    channels_last = dict(Cnn5().to(memory_format=torch.channels_last).state_dict())
    for name, tensor in channels_last.items():
        tensor.copy_(weights[name])
    assert not channels_last["conv2.weight"].is_contiguous()
    save_weights(path, channels_last, {})
    assert same(load_weights(path, Cnn5()), weights)


def test_saving_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_weights(path, weights_of(0), {})
    first = load_weights(path, Cnn5())
    save_weights(path, weights_of(1), {})
    assert same(load_weights(path, Cnn5()), weights_of(1))
    assert same(first, weights_of(0))
    assert os.listdir(tmp_path) == [path.name]


def test_the_shipped_dense_net_loads() -> None:
    path = model_spec("cnn5").shipped_weights
    weights = load_weights(path, Cnn5())
    assert sum(tensor.numel() for tensor in weights.values()) == 228_010
    assert path.stat().st_size < 1_000_000


def drop(weights: Weights) -> None:
    del weights["fc1.bias"]


def rename(weights: Weights) -> None:
    weights["fc9.bias"] = weights["fc1.bias"].clone()


def reshape(weights: Weights) -> None:
    weights["fc1.weight"] = weights["fc1.weight"].T.contiguous()


def count(weights: Weights) -> None:
    weights["fc1.weight"] = weights["fc1.weight"].int()


def spoil(weights: Weights) -> None:
    weights["fc1.weight"][3, 5] = float("nan")


def overflow(weights: Weights) -> None:
    weights["fc1.weight"][3, 5] = float("inf")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (drop, "'fc1.bias' is missing"),
        (rename, "'fc9.bias'"),
        (reshape, r"'fc1.weight' has shape \(576, 256\), expected \(256, 576\)"),
        (count, "'fc1.weight' has type torch.int32, expected torch.float32"),
        (spoil, "'fc1.weight' has values that are not finite"),
        (overflow, "'fc1.weight' has values that are not finite"),
    ],
)
def test_weights_that_do_not_fit_the_model_are_refused(
    change: Callable[[Weights], None], reason: str, tmp_path: Path
) -> None:
    path, weights = tmp_path / "net.safetensors", weights_of(0)
    change(weights)
    save_file(weights, path)
    with pytest.raises(InputError, match=f"{path} does not fit Cnn5: {reason}"):
        load_weights(path, Cnn5())


class Touch:
    """Creates a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "content", [b"garbage", b"\x00" * 4096, b"\xff" * 4096], ids=["text", "zeros", "ones"]
)
def test_garbage_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"{path} is an unknown kind of file: expected weights"):
        load_weights(path, Cnn5())


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(model_spec("cnn5").shipped_weights.read_bytes()[:-1])
    with pytest.raises(InputError, match=f"cannot read {path} as a safetensors file: "):
        load_weights(path, Cnn5())


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    pickle.loads(pickle.dumps(Touch(trace)))
    assert trace.exists()
    trace.unlink()
    plain, state = tmp_path / "net.pkl", tmp_path / "net.pt"
    plain.write_bytes(pickle.dumps({"conv1.weight": Touch(trace)}))
    torch.save({**weights_of(0), "more": Touch(trace)}, state)
    with pytest.raises(InputError, match="holds no tensors"):
        load_weights(plain, Cnn5())
    weights, notes = read_weights(state, Cnn5())
    assert same(weights, weights_of(0))
    assert notes == ("net.pt: skipped without running code: __builtin__.getattr",)
    assert not trace.exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.safetensors"
    with pytest.raises(InputError, match=str(path)):
        load_weights(path, Cnn5())


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"cannot read {tmp_path}: it is a folder"):
        load_weights(tmp_path, Cnn5())


def test_saving_to_a_missing_folder_names_it(tmp_path: Path) -> None:
    path = tmp_path / "none" / "net.safetensors"
    with pytest.raises(InputError, match=f"cannot write {path}: the folder .* does not exist"):
        save_weights(path, weights_of(0), {})


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Limit files to `size` bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_only_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_weights(path, weights_of(0), {})
    with files_up_to(100_000), pytest.raises(InputError, match=f"{path}: no space left"):
        save_weights(path, weights_of(1), {})
    assert same(load_weights(path, Cnn5()), weights_of(0))
    assert os.listdir(tmp_path) == [path.name]


KILLED_WHILE_SAVING = """
import os, signal, sys
from pathlib import Path
from core.nets.architectures import Cnn5
from core.formats.weights_files import load_weights, save_weights

path = Path(sys.argv[1])
model = Cnn5()
states = [{name: value.detach() * 0 + fill for name, value in model.state_dict().items()}
          for fill in (1.0, 2.0)]
for kill in range(12):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        while True:
            for state in states:
                save_weights(path, state, {})
                os.write(writer, b".")
    for _ in range(1 + kill):
        os.read(reader, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    weights = load_weights(path, model)
    fills = {value for tensor in weights.values() for value in tensor.unique().tolist()}
    assert fills in ({1.0}, {2.0}), fills
print("whole")
"""


@pytest.mark.slow
def test_a_process_killed_while_saving_leaves_a_whole_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_SAVING, tmp_path / "net.safetensors"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "whole\n", done.stderr


def test_early_weights_are_saved_next_to_the_dense_net(tmp_path: Path) -> None:
    path = tmp_path / "dense.safetensors"
    dense = DenseWeights(weights_of(0), weights_of(1))
    save_dense(path, dense, {"seed": "0"})
    assert sorted(os.listdir(tmp_path)) == ["dense.early.safetensors", "dense.safetensors"]
    read = load_dense(path, Cnn5())
    assert read.early is not None
    assert same(read.weights, weights_of(0))
    assert same(read.early, weights_of(1))


def test_early_weights_of_another_net_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "dense.safetensors"
    save_dense(path, DenseWeights(weights_of(0), weights_of(1)), {})
    save_weights(path, weights_of(2), {})
    assert load_dense(path, Cnn5()).early is None
    early_path(path).write_bytes(b"no safetensors")
    assert load_dense(path, Cnn5()).early is None


def test_the_shipped_net_has_its_early_weights() -> None:
    dense = load_dense(model_spec("cnn5").shipped_weights, Cnn5())
    assert dense.early is not None
    assert not same(dense.early, dense.weights)
