"""Weights read from files of any kind, recognized by content, and written as safetensors."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from operator import ne
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from core.errors import ENDING, InputError
from core.formats import recognition
from core.formats.state_dicts import FileContents, Selection, Value, contents, read, select
from core.formats.torch_files.containers import open_archive, open_pickle
from core.formats.torch_files.tensors import Tensors
from core.nets.model_copy import copy_model
from core.nets.weights import (
    DenseWeights,
    Weights,
    check_fit,
    copy_weights,
    differences,
    element_limit,
    extra_state,
    module_versions,
    shapes,
    state_dict,
    versioned,
    weights_digest,
)
from core.system.files import as_utf8, write_whole
from core.system.untrusted_json import DIGEST, FaultError

_BATCH_COUNTER = "num_batches_tracked"
"""What BatchNorm has since torch 0.4.1; it starts at 0, and only averages without a rate use it."""


class SizesError(InputError):
    """A file has a net's tensors, but sized for other data, such as another number of classes."""


class ReadWeights(NamedTuple):
    """Weights from a file, and what the user should know about it."""

    weights: Weights
    notes: tuple[str, ...]


def load_weights(path: Path, model: nn.Module, digest: str | None = None) -> Weights:
    """The weights of `read_weights`."""
    return read_weights(path, model, digest).weights


def read_weights(path: Path, model: nn.Module, digest: str | None = None) -> ReadWeights:
    """Read a state_dict of `model` from a safetensors, compact or torch.save file.

    The state_dict may be anywhere in a checkpoint, under any prefix. Floating-point values are
    converted to the model's types, sparse and expanded tensors become dense. No code in the file is
    run: objects other than tensors are skipped.

    Args:
        path: the file.
        model: unchanged.
        digest: of a safetensors file's tensors, if known; see `weights_digest`.

    Raises:
        InputError: the file cannot be read, is not the one of the digest, or its names, shapes or
            types are not the model's.
    """
    expected = state_dict(model)
    with _opened(path, expected, digest) as found:
        if not found.tensors and not found.models:
            raise InputError(f"{path} holds no tensors: expected a state_dict saved by torch.save")
        if found.tensors.keys() == {""}:
            raise InputError(
                f"{path} holds one tensor, not the weights of a net: "
                "expected a state_dict saved by torch.save"
            )
        selection = select(found, shapes(expected))
        values = _fitting(selection, model, expected)
        if values is None and found.models:
            raise InputError(recognition.whole_model(path, *next(iter(found.models.items()))))
        if values is None:
            misfit = SizesError if _differ_in_sizes(selection, expected) else InputError
            raise misfit(f"{path} does not fit {type(model).__name__}: {_why(selection, expected)}")
        weights = {name: _converted(read(value), expected[name]) for name, value in values.items()}
    notes = [*selection.notes, *_conversions(values, expected)]
    return ReadWeights(
        check_fit(weights, model, path), tuple(f"{path.name}: {one}" for one in notes)
    )


@contextmanager
def _opened(path: Path, expected: Weights, digest: str | None) -> Iterator[FileContents]:
    """What a file holds, while it is open."""
    kind = recognition.check_weights_file(path)
    try:
        if kind == recognition.SAFETENSORS:
            yield contents(read_safetensors(path, digest), _as_tensor)
        elif digest is not None:
            raise FaultError(f"it is {kind}, expected {recognition.SAFETENSORS}")
        elif kind == recognition.COMPACT:
            yield contents(_unpacked(path, expected), _as_tensor)
        else:
            with (open_archive if kind == recognition.ARCHIVE else open_pickle)(path) as content:
                yield contents(content.root, Tensors(content).find)
    except (OSError, FaultError) as error:
        raise InputError(f"cannot read {path} as {kind}: {error}") from error


def read_safetensors(path: Path, digest: str | None = None) -> Weights:
    """The tensors of a safetensors file.

    Raises InputError if it is damaged: not readable, or its tensors do not have the digest given
    or, without one, stored in it.
    """
    try:
        with safe_open(path, framework="pt") as file:
            digest = digest or (file.metadata() or {}).get(DIGEST)
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        check_digest(weights, digest)
    except (OSError, SafetensorError, FaultError) as error:
        raise InputError(f"cannot read {path} as {recognition.SAFETENSORS}: {error}") from error
    return weights


def _as_tensor(value: object) -> Tensor | None:
    return value if isinstance(value, Tensor) else None


def _unpacked(path: Path, expected: Weights) -> Weights:
    """The state_dict of a compact file."""
    from core.formats.codec import decode, to_state

    try:
        return to_state(decode(path.read_bytes(), element_limit(expected)))
    except InputError as error:
        raise InputError(f"cannot read {path}: {error}") from error


def _fitting(
    selection: Selection, model: nn.Module, expected: Weights
) -> Mapping[str, Value] | None:
    """The net's tensors, of the right shapes; None if the file does not have them."""
    versions = module_versions(model)
    others = any(selection.versions.get(name, own) != own for name, own in versions.items())
    if others and (upgraded := _upgraded(selection, model, expected)):
        return upgraded
    values = _completed(selection.values, model, expected)
    if not differences(shapes({**values, **selection.surplus}), shapes(expected)):
        return values
    return _upgraded(selection, model, expected)


def _completed(
    values: Mapping[str, Value], model: nn.Module, expected: Weights
) -> Mapping[str, Value]:
    """The tensors, and those that need not be stored: batch counters, other names of tied ones."""
    completed = dict(values)
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    for tied in names.values():
        stored = next((values[name] for name in tied if name in values), None)
        completed |= {name: stored for name in tied if stored is not None and name not in values}
    for name in expected.keys() - completed.keys():
        if name.rpartition(".")[2] == _BATCH_COUNTER:
            completed[name] = torch.zeros(expected[name].shape, dtype=expected[name].dtype)
    return completed


def _upgraded(
    selection: Selection, model: nn.Module, expected: Weights
) -> Mapping[str, Value] | None:
    """The tensors as the model's own modules convert those of their earlier versions.

    They are loaded into a copy of the model, which is told the versions that the file names. None
    if that does not give all of them.
    """
    stored = {**_completed(selection.values, model, expected), **selection.surplus}
    fits = (
        isinstance(value, Tensor)
        or value.whole
        or (name in expected and value.shape == tuple(expected[name].shape))
        for name, value in stored.items()
    )
    if not selection.match.names or not all(fits):
        return None
    try:
        copy = copy_model(model).model
        weights = {name: read(value) for name, value in stored.items()}
        whole = versioned({**weights, **extra_state(copy)}, selection.versions)
        left = copy.load_state_dict(whole, strict=False)
    except (*ENDING, FaultError):
        raise
    except BaseException:  # the user's code: it may raise anything
        return None
    return None if left.missing_keys or left.unexpected_keys else copy_weights(copy)


def _why(selection: Selection, expected: Weights) -> str:
    """Both sides of what does not fit."""
    match, values = selection.match, {**selection.values, **selection.surplus}
    met = f"{len(match.names)} of {len(expected)} names match under the prefix {match.key}; "
    return met * bool(match.prefix) + differences(shapes(values), shapes(expected))


def _differ_in_sizes(selection: Selection, expected: Weights) -> bool:
    """Whether all names are there, and each shape that differs does so in one dimension."""
    wanted = shapes(expected)
    pairs = [(shape, wanted[name]) for name, shape in shapes(selection.values).items()]
    alike = all(len(stored) == len(own) and sum(map(ne, stored, own)) <= 1 for stored, own in pairs)
    return alike and not selection.surplus and selection.values.keys() == expected.keys()


def _converted(tensor: Tensor, expected: Tensor) -> Tensor:
    """A tensor in the type of the net's, if that is another of the same kind."""
    kinds = [(one.dtype.is_floating_point, one.dtype.is_complex) for one in (tensor, expected)]
    if tensor.dtype == expected.dtype or kinds[0] != kinds[1]:
        return tensor
    converted = tensor.to(expected.dtype)
    exact = any(kinds[0]) or torch.equal(converted.to(tensor.dtype), tensor)
    return converted if exact else tensor


def _conversions(values: Mapping[str, Value], expected: Weights) -> Iterator[str]:
    """What the user should know about floating-point types that are not the net's."""
    pairs = {(value.dtype, expected[name].dtype): None for name, value in values.items()}
    for stored, own in pairs:
        if stored != own and stored.is_floating_point and own.is_floating_point:
            wider = torch.finfo(own).eps < torch.finfo(stored).eps
            names = f"{stored} values {{}} to {own}".replace("torch.", "")
            yield names.format("widened" if wider else "rounded")


EARLY = ".early"
"""Inserted between a file's stem and its suffix."""


def early_path(path: Path) -> Path:
    """The file of the early weights of the dense net in `path`: `net.early.safetensors`."""
    return path.with_name(f"{path.stem}{EARLY}{path.suffix}")


def load_dense(path: Path, model: nn.Module, digest: str | None = None) -> DenseWeights:
    """Read a dense net, and its early weights if those of the same training are next to it.

    Raises:
        InputError: see `read_weights`.
    """
    weights, notes = read_weights(path, model, digest)
    return DenseWeights(weights, _early(path, model, weights_digest(weights)), notes=notes)


def check_digest(weights: Weights, digest: str | None) -> None:
    """Raise FaultError if tensors read from a file do not have its recorded digest, if any."""
    if digest is not None and weights_digest(weights) != digest:
        raise FaultError(
            "its values are not those that were written; restore the file from a backup, or run "
            "the training again"
        )


def _early(path: Path, model: nn.Module, of: str) -> Weights | None:
    """The early weights next to a net of digest `of`; None if there are none, or damaged ones."""
    early = early_path(path)
    try:
        with safe_open(early, framework="pt") as file:
            same_training = (file.metadata() or {}).get("of") == of
        return load_weights(early, model) if same_training else None
    except (OSError, SafetensorError, InputError):
        return None


def save_dense(path: Path, dense: DenseWeights, notes: dict[str, str]) -> None:
    """Write a dense net and its early weights; raises InputError if that fails."""
    save_early(path, dense, notes)
    save_weights(path, dense.weights, notes)


def save_early(path: Path, dense: DenseWeights, notes: dict[str, str]) -> None:
    """Write the early weights, if any, next to the net in `path`."""
    if dense.early is not None:
        digests = {"of": weights_digest(dense.weights), DIGEST: weights_digest(dense.early)}
        save_weights(early_path(path), dense.early, {**notes, "epoch": "1", **digests})


def save_weights(path: Path, weights: Weights, notes: dict[str, str]) -> None:
    """Write a state_dict as safetensors with `notes` as metadata; raises InputError on failure."""
    tensors = {name: tensor.contiguous() for name, tensor in weights.items()}
    metadata = {name: as_utf8(note) for name, note in notes.items()}
    write_whole(path, lambda part: part.write_bytes(save(tensors, metadata=metadata)))
