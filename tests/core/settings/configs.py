"""Recipe files for tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.settings.recipe_file import Config, read_config

LAYERS = ("conv1", "conv2", "conv3", "fc1", "fc2")

WHOLE = """\
# Featherweight recipe file. Use it with: featherweight run --config FILE
model = "cnn5"
dataset = "mnist"
protocol = "default"
recipe = "fast"
seed = 0

[finetune]            # changes to the recipe
epochs = 5
method = "iterative"
rounds = 3
scale_dropout = true

[sparsity]            # zeros over elements of each layer, as fractions
conv1 = 0.65
"block.0.conv" = 0.9
"""


def read(path: Path, text: str) -> Config:
    path.write_bytes(text.encode())
    return read_config(path)


def refused(path: Path, text: str) -> str:
    """The error message for a text, without the path."""
    with pytest.raises(InputError) as caught:
        read(path, text)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.isprintable()
    return message.removeprefix(str(path))
