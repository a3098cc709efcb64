"""A model's weights in a file."""

from pathlib import Path

import torch
from torch import nn

from core.api.operations import OnEvent
from core.errors import InputError
from core.events import Notice
from core.formats import weights_files
from core.formats.codec import encode, from_state, raw
from core.formats.export_formats import COMPACT, PICKLES, SAFETENSORS
from core.nets.layers import prunable_layers
from core.nets.prunable.net_forms import check_state
from core.nets.prunable.torch_masks import check_no_torch_masks
from core.nets.weights import copy_weights, load_into, state_dict
from core.system.files import write_whole

EXTENSIONS = (COMPACT, SAFETENSORS, *PICKLES[:2])


def save(model: nn.Module, path: Path | str) -> int:
    """Write the exact weights of a model to a file.

    A compact file, `.fw`, stores positions and values of the nonzeros; see `core.formats.codec`.

    Args:
        model: unchanged.
        path: the file; its extension picks the format: `.fw`; `.safetensors`; or `.pt` or `.pth`
            for a state_dict written by `torch.save`.

    Returns:
        The size of the file in bytes.

    Raises:
        InputError: the extension is unknown, the file cannot be written, or a compact file
            cannot store a tensor's type; or the model is quantized or without values.

    Example:
        >>> import core, pathlib, tempfile
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> masks = core.prune(model, core.plan(model, 20))
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> core.save(model, folder / "light.fw") < 4 * 2410 / 10
        True
    """
    check_state(model)
    check_no_torch_masks(model)
    path = Path(path)
    if path.suffix not in EXTENSIONS:
        raise InputError(f"'{path}': expected a name that ends with one of {', '.join(EXTENSIONS)}")
    if path.suffix == SAFETENSORS:
        weights_files.save_weights(path, copy_weights(model), {})
    elif path.suffix == COMPACT:
        keys = {layer.key for layer in prunable_layers(model)}
        # Adding 0.0 turns negative zeros, which the file would store, into zeros.
        file = from_state(
            state_dict(model), keep=lambda name, tensor: raw(tensor + 0.0) if name in keys else None
        )
        data = encode(file)
        write_whole(path, lambda part: part.write_bytes(data))
    else:
        write_whole(path, lambda part: torch.save(copy_weights(model), part))
    return path.stat().st_size


def load_weights(model: nn.Module, path: Path | str, *, on_event: OnEvent | None = None) -> None:
    """Load the weights of a model from a file, in place.

    Args:
        model: only its weights change.
        path: a file written by `save`, `featherweight` or `torch.save`, or in safetensors. Its
            state_dict may be anywhere in a checkpoint and under any prefix. No code in it is run.
        on_event: called with a `Notice` if its values are converted or something is left out.

    Raises:
        InputError: the file cannot be read or does not fit the model, which is unchanged.

    Example:
        >>> import core, pathlib, tempfile, torch
        >>> from torch import nn
        >>> model, other = (nn.Sequential(nn.Flatten(), nn.Linear(64, 10)) for _ in range(2))
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "net.fw"
        >>> size = core.save(model, path)
        >>> core.load_weights(other, path)
        >>> torch.equal(model[1].weight, other[1].weight)
        True
    """
    check_state(model)
    weights, notes = weights_files.read_weights(Path(path), model)
    if on_event is not None:
        for note in notes:
            on_event(Notice(note, warning=True))
    load_into(model, weights)
