"""Weights are found in whatever training scripts leave; what holds none says what it is."""

from __future__ import annotations

import argparse
import pickle
from collections import OrderedDict, defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils import prune

import core
from core.errors import InputError
from core.formats.codec import encode, from_state, raw
from core.formats.weights_files import read_weights
from tests.core.formats.checkpoints import STATE, Plain, archive, legacy, net, prefixed, read, same


class Config:
    """A class of the user's own, whose code must not run."""

    def __init__(self) -> None:
        self.lr = 0.1

    def __setstate__(self, state: object) -> None:
        raise AssertionError("the code of a file ran")


NESTED = {
    "plain.pt": STATE,
    "weights.bin": net().state_dict(),
    "checkpoint.pth.tar": {"epoch": 3, "state_dict": prefixed("module."), "best_acc1": 41.7},
    "lightning.ckpt": {"epoch": 3, "state_dict": prefixed("model."), "version": "2.4.0"},
    "compiled.pt": prefixed("_orig_mod."),
    "compiled-parallel.pt": prefixed("module._orig_mod."),
    "compiled inside": {name.replace("fc1.", "fc1._orig_mod."): t for name, t in STATE.items()},
    "sharded inside": {
        name.replace("fc1.", "_fsdp_wrapped_module.fc1._checkpoint_wrapped_module."): tensor
        for name, tensor in STATE.items()
    },
    "deep": {"a": [{"b": {"network": prefixed("backbone.")}}]},
    "parts": {
        part: {name.removeprefix(f"{part}."): tensor for name, tensor in STATE.items()
               if name.startswith(f"{part}.")}
        for part in ("conv", "bn", "fc1", "fc2")
    },
    "ordered": {"net": OrderedDict(STATE)},
    "defaults": {"net": defaultdict(dict, STATE)},
    "parameters": {name: nn.Parameter(t) if t.is_floating_point() else t
                   for name, t in STATE.items()},
    "epoch beside": {**STATE, "epoch": 3, "loss": [0.5, 0.4], "note": None},
    "with an optimizer": {
        "model": STATE,
        "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 0.1}]},
    },
    "only averaged": {"ema": prefixed("module.")},
}  # fmt: skip


@pytest.mark.parametrize("name", NESTED)
def test_a_state_dict_is_found_under_any_key_and_prefix(name: str, tmp_path: Path) -> None:
    weights, said = read(NESTED[name], tmp_path / "net.any")
    assert same(weights, STATE)
    assert said == ""


def test_a_plain_pickle_of_tensors_is_read(tmp_path: Path) -> None:
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps({"model": net().state_dict()}))
    assert same(read_weights(path, Plain()).weights, STATE)


@pytest.mark.parametrize("prefix", ["", "module.", "model._orig_mod."])
def test_safetensors_under_another_name_and_prefix_are_read(prefix: str, tmp_path: Path) -> None:
    save_file(prefixed(prefix), path := tmp_path / "pytorch_model.bin")
    assert same(read_weights(path, Plain()).weights, STATE)


def test_a_compact_file_under_another_name_is_read(tmp_path: Path) -> None:
    file = from_state(STATE, keep=lambda _, tensor: raw(tensor))
    (tmp_path / "net.bin").write_bytes(encode(file))
    assert same(read_weights(tmp_path / "net.bin", Plain()).weights, STATE)


class Wrapper(nn.Module):
    """A net whose names have a prefix that a checkpoint lacks."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.ModuleDict({"module": net()})


def test_a_prefix_of_the_net_may_be_missing_in_the_file(tmp_path: Path) -> None:
    for prefix in ("", "module.", "model.net."):
        weights, _ = read(prefixed(prefix), tmp_path / "net.pt", Wrapper())
        assert same(weights, dict(Wrapper().state_dict()))


def test_of_two_nets_the_one_in_training_is_taken_and_both_are_named(tmp_path: Path) -> None:
    other = dict(net(1).state_dict())
    for content, took in (
        ({"model_ema": other, "model": STATE}, "'model'"),
        ({"state_dict_ema": other, "state_dict": prefixed("module.")}, "'state_dict.module'"),
        ({**prefixed("model."), **prefixed("ema_model.", other)}, "'model'"),
    ):
        weights, said = read(content, tmp_path / "net.pt")
        assert same(weights, STATE)
        assert f"took {took}" in said
        assert "ema" in said


def as_type(dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: t.to(dtype) if t.is_floating_point() else t for name, t in STATE.items()}


@pytest.mark.parametrize(
    ("dtype", "said"),
    [
        (torch.float16, "float16 values widened to float32"),
        (torch.bfloat16, "bfloat16 values widened to float32"),
        (torch.float64, "float64 values rounded to float32"),
    ],
)
def test_other_float_types_are_converted_and_said(
    dtype: torch.dtype, said: str, tmp_path: Path
) -> None:
    weights, notes = read(as_type(dtype), tmp_path / "net.pt")
    assert notes == said
    assert same(weights, {name: t.to(STATE[name].dtype) for name, t in as_type(dtype).items()})
    save_file(as_type(dtype), path := tmp_path / "net.safetensors")
    assert read_weights(path, Plain()).notes == (f"net.safetensors: {said}",)


def test_integers_are_converted_only_exactly(tmp_path: Path) -> None:
    counter = "bn.num_batches_tracked"
    few = {**STATE, counter: torch.tensor(3, dtype=torch.int32)}
    assert read(few, tmp_path / "net.pt")[0][counter].dtype == torch.int64
    with pytest.raises(InputError, match=r"'fc1.bias' has type torch.int64, expected "):
        read({**STATE, "fc1.bias": torch.zeros(20, dtype=torch.int64)}, tmp_path / "net.pt")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", ["to_sparse", "to_sparse_csr", "to_sparse_csc"])
def test_sparse_tensors_become_dense(layout: str, tmp_path: Path) -> None:
    thin = {**STATE, "fc1.weight": STATE["fc1.weight"] * (STATE["fc1.weight"].abs() > 0.02)}
    stored = {**thin, "fc1.weight": getattr(thin["fc1.weight"], layout)()}
    assert same(read(stored, tmp_path / "net.pt")[0], thin)


def test_expanded_tensors_become_dense(tmp_path: Path) -> None:
    column = STATE["fc2.weight"][:, :1].expand(10, 20)
    weights, _ = read({**STATE, "fc2.weight": column}, tmp_path / "net.pt")
    assert weights["fc2.weight"].is_contiguous()
    assert torch.equal(weights["fc2.weight"], column)


@pytest.mark.filterwarnings("ignore")
def test_a_huge_tensor_of_a_small_file_is_refused_for_its_shape(tmp_path: Path) -> None:
    side = 1 << 30
    indices = torch.zeros(2, 1, dtype=torch.int64)
    for huge in (
        torch.ones(1).expand(side, side),
        torch.sparse_coo_tensor(indices, torch.ones(1), (side, side)),
    ):
        with pytest.raises(InputError, match=r"'fc2.weight' has shape \(1073741824, 1073741824\)"):
            read({**STATE, "fc2.weight": huge}, tmp_path / "net.pt")
        with pytest.raises(InputError, match="'more' is surplus"):
            read({**STATE, "more": huge}, tmp_path / "net.pt")


def test_a_batch_counter_need_not_be_stored(tmp_path: Path) -> None:
    state = {name: tensor for name, tensor in STATE.items() if "num_batches" not in name}
    assert same(read(state, tmp_path / "net.pt")[0], STATE)
    save_file(state, path := tmp_path / "net.safetensors")
    assert same(read_weights(path, Plain()).weights, STATE)


def test_a_note_reaches_a_script(tmp_path: Path) -> None:
    model, events = net(1), list[Any]()
    torch.save(as_type(torch.float16), path := tmp_path / "net.pt")
    core.load_weights(model, path, on_event=events.append)
    assert [event.text for event in events] == ["net.pt: float16 values widened to float32"]
    assert torch.equal(model.fc1.weight, STATE["fc1.weight"].half().float())
    core.load_weights(model, path)


def test_a_tied_weight_need_be_stored_only_once(tmp_path: Path) -> None:
    tied = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    tied[1].weight = tied[0].weight
    state = dict(tied.state_dict())
    for name in ("0.weight", "1.weight"):
        once = {key: tensor for key, tensor in state.items() if key != name}
        assert same(read(once, tmp_path / "net.pt", tied)[0], state)


def test_counters_of_a_profiler_are_left_out_and_named(tmp_path: Path) -> None:
    counted = {**STATE, "total_ops": torch.zeros(1), "fc1.total_params": torch.zeros(1)}
    weights, said = read({"state_dict": prefixed("module.", counted)}, tmp_path / "net.pt")
    assert same(weights, STATE)
    assert said == "left out counters of a profiler: total_ops, fc1.total_params"


def test_what_is_not_under_the_nets_prefix_is_left_out_and_named(tmp_path: Path) -> None:
    """Such as the weights of a loss in a Lightning checkpoint, or the count of an AveragedModel."""
    state = {**prefixed("model."), "loss.weight": torch.ones(10)}
    weights, said = read({"state_dict": state}, tmp_path / "net.pt")
    assert same(weights, STATE)
    assert said == "left out what is not under 'state_dict.model': state_dict.loss.weight"


def test_objects_beside_the_weights_are_skipped_and_none_of_their_code_runs(tmp_path: Path) -> None:
    content = {
        "state_dict": STATE,
        "best": np.float64(41.7),
        "curve": np.arange(3),
        "when": datetime.now(UTC),
        "where": PurePosixPath("a"),
        "counts": {1, 2},
        "type": torch.float16,
        "size": torch.Size([3]),
    }
    weights, said = read(content, tmp_path / "net.pt")
    assert same(weights, STATE)
    assert said == ""
    content |= {"args": argparse.Namespace(lr=0.1), "config": Config(), "more": SimpleNamespace()}
    weights, said = read(content, tmp_path / "net.pt")
    assert same(weights, STATE)
    skipped = f"argparse.Namespace, {__name__}.Config, types.SimpleNamespace"
    assert said == f"skipped without running code: {skipped}"


def test_masks_of_torch_prune_become_zeros_of_any_tensor(tmp_path: Path) -> None:
    held = net()
    prune.l1_unstructured(held.fc1, "weight", 0.5)
    prune.l1_unstructured(held.fc1, "bias", 0.3)
    prune.random_unstructured(held.bn, "weight", 0.5)
    state = held.state_dict()
    for name in ("fc1.weight", "fc1.bias", "bn.weight"):
        prune.remove(held.get_submodule(name.partition(".")[0]), name.partition(".")[2])
    weights, said = read({"model": prefixed("module.", state)}, tmp_path / "net.pt")
    assert same(weights, dict(held.state_dict()))
    assert int((weights["fc1.weight"] == 0).sum()) == 20 * 6 * 14 * 14 // 2
    assert said == ""


class Renamed(nn.Module):
    """Version 2 renamed its weight and turned it over; it takes no state_dict without a version."""

    _version = 2

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.arange(6.0).view(2, 3))
        self.fc = nn.Linear(2, 2)

    def _load_from_state_dict(self, state: Any, prefix: str, metadata: Any, *more: Any) -> None:
        if metadata.get("version") is None:
            raise ValueError("expected a version")
        if metadata["version"] < 2:
            state[prefix + "kernel"] = state.pop(prefix + "weight").T
        super()._load_from_state_dict(state, prefix, metadata, *more)


def test_modules_get_the_version_of_the_file_and_convert_an_older_one(tmp_path: Path) -> None:
    model = nn.ModuleDict({"part": Renamed()})
    state = model.state_dict()
    wanted = dict(state)
    assert same(read({"state_dict": state}, tmp_path / "net.pt", model)[0], wanted)
    assert same(read(wanted, tmp_path / "net.pt", model)[0], wanted)
    state["part.weight"] = state.pop("part.kernel").T
    state._metadata["part"]["version"] = 1
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert same(read({"state_dict": state}, tmp_path / "net.pt", model)[0], wanted)
    assert same(dict(model.state_dict()), before), "the model itself stays"


@pytest.mark.parametrize(
    "beside",
    [
        b"]" * 20_000 + b"a" * 19_999,  # lists in lists
        b"}" + b"X\x40\x42\x0f\x00" + b"k" * 1_000_000 + b"](" + b"K\x01" * 1000 + b"es",
        b"}\x8b\x00\x10\x00\x00" + b"\x7f" * 4096 + b"]s",  # a number of 9,864 digits as a key
    ],
    ids=["depth", "a long key", "a long number"],
)
def test_what_is_nested_deep_or_named_long_is_left_out(beside: bytes, path: Path) -> None:
    weights = pickle.dumps({"weight": torch.ones(2, 2), "bias": torch.ones(2)}, 4)
    path.write_bytes(b"\x80\x04](" + weights[2:-1] + beside + b"e.")
    assert same(read_weights(path, nn.Linear(2, 2)).weights, {"weight": torch.ones(2, 2),
                                                              "bias": torch.ones(2)})  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_names_of_an_older_weight_norm_are_converted(tmp_path: Path) -> None:
    old, new = nn.Sequential(nn.Linear(3, 2)), nn.Sequential(nn.Linear(3, 2))
    torch.nn.utils.weight_norm(old[0])
    torch.nn.utils.parametrizations.weight_norm(new[0])
    weights, _ = read({"net": prefixed("module.", old.state_dict())}, tmp_path / "net.pt", new)
    new.load_state_dict(weights)
    assert torch.equal(new[0].weight, old[0].weight)


SMALL = {"state_dict": {"weight": torch.ones(2, 2), "bias": torch.ones(2)}, "args": Config()}


@pytest.mark.parametrize("content", [archive(SMALL), legacy(SMALL), pickle.dumps(SMALL)],
                         ids=["archive", "legacy", "pickle"])  # fmt: skip
@settings(max_examples=50)
@given(places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255))))
def test_a_damaged_file_is_read_or_refused(
    content: bytes, places: list[tuple[float, int]], path: Path
) -> None:
    data = bytearray(content)
    for place, value in places:
        data[int(place * len(data))] = value
    path.write_bytes(data)
    with suppress(InputError):
        weights = read_weights(path, nn.Linear(2, 2)).weights
        assert {name: tuple(tensor.shape) for name, tensor in weights.items()} == {
            "weight": (2, 2),
            "bias": (2,),
        }
