"""Files that say what no run can do: each refused on one line, which names the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.registry import DATASETS
from core.nets.user_model import FORMS
from core.nets.zoo import ZOO
from tests.core.settings.configs import refused

ALL_KEYS = (
    "expected one of model, dataset, protocol, recipe, precision, seed, image_size, channels, "
    "mean, std"
)
ALL_CHOICES = (
    "expected one of epochs, lr, method, rounds, scale_dropout, l1, l2, rewind, optimizer, "
    "batch_size, loss, smoothing"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nrecip = 1", f" line 2: unknown key 'recip': {ALL_KEYS}; did you mean 'recipe'?"),
        ("x.y = 1", " line 1: unknown table 'x': expected one of finetune, sparsity"),
        (
            "seed = 1\n\n[finetun]\nlr = 1",
            " line 3: unknown table 'finetun': expected one of finetune, sparsity; "
            "did you mean 'finetune'?",
        ),
        (
            "# [finetune]\n# epoch = 1\n[finetune]\nepoch = 5",
            f" line 4: unknown key 'epoch' in [finetune]: {ALL_CHOICES}; did you mean 'epochs'?",
        ),
        ("finetune.z = 1", f" line 1: unknown key 'z' in [finetune]: {ALL_CHOICES}"),
        (
            "finetune = { lr = 1, L1 = 1 }",
            f" line 1: unknown key 'L1' in [finetune]: {ALL_CHOICES}; did you mean 'l1'?",
        ),
        ("epochs = 5", " line 1: unknown key 'epochs': it belongs below [finetune]"),
        (
            "[finetune]\nseed = 5",
            " line 2: unknown key 'seed' in [finetune]: it belongs above the tables",
        ),
        (
            "data_dir = 'x'",
            " line 1: 'data_dir' is for each machine to say: give it as the option --data-dir",
        ),
        ('"a\\nb" = 1', f" line 1: unknown key 'a\\u000ab': {ALL_KEYS}"),
        ("x" * 99 + " = 1", f" line 1: unknown key '{'x' * 57}...': {ALL_KEYS}"),
    ],
)
def test_an_unknown_key_is_named_with_its_line(path: Path, text: str, said: str) -> None:
    assert refused(path, text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[finetune]\nepochs = "five"', ' line 2: epochs = "five": expected a whole number'),
        ("[finetune]\nepochs = 5.0", " line 2: epochs = 5.0: expected a whole number"),
        ("[finetune]\nepochs = true", " line 2: epochs = true: expected a whole number"),
        ("seed = false", " line 1: seed = false: expected a whole number"),
        ("[finetune]\nlr = true", " line 2: lr = true: expected a number"),
        ("[finetune]\nlr = '1'", ' line 2: lr = "1": expected a number'),
        ("[finetune]\nrewind = 1", " line 2: rewind = 1: expected true or false"),
        ("[finetune]\nmethod = 1", " line 2: method = 1: expected text in quotes"),
        ("recipe = 2024-01-01", " line 1: recipe = 2024-01-01: expected text in quotes"),
        ("image_size = '32x32'", ' line 1: image_size = "32x32": expected a whole number'),
        ("mean = [0.5, true]", " line 1: mean = [...]: expected a number, or a list of them"),
        ("std = [[0.5]]", " line 1: std = [...]: expected a number, or a list of them"),
        ("std = []", " line 1: std = [...]: expected a number, or a list of them"),
        (f"mean = [0, 1{'0' * 400}]", " line 1: mean: expected a number of at most 64 bits"),
        ("recipe = ['fast']", " line 1: recipe = [...]: expected text in quotes"),
        ("[recipe]\nname = 'fast'", " line 1: recipe = {...}: expected text in quotes"),
        (f"recipe = 0x{'f' * 9000}", " line 1: recipe = ...: expected text in quotes"),
        (f"seed = 0x{'f' * 9000}", " line 1: seed: expected a number of at most 64 bits"),
        (f"sparsity.a = 1{'0' * 400}", " line 1: a: expected a number of at most 64 bits"),
        ("[sparsity]\nconv1 = '65%'", ' line 2: conv1 = "65%": expected a number'),
        ("[sparsity]\na.b = [1]", ' line 2: "a.b" = [...]: expected a number'),
        (
            "sparsity = 0.5",
            " line 1: sparsity = 0.5: expected a table: [sparsity] and below it KEY = VALUE",
        ),
        (
            "[[finetune]]\nlr = 1",
            " line 1: finetune = [...]: expected a table: [finetune] and below it KEY = VALUE",
        ),
    ],
)
def test_a_wrong_type_is_shown_with_its_line(path: Path, text: str, said: str) -> None:
    assert refused(path, text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('\nmodel = "vgg"', " line 2: unknown model 'vgg': expected one of cnn5"),
        ("dataset = 'x'", " line 1: unknown data set 'x': expected one of mnist"),
        (
            "protocol = 'mine'",
            " line 1: unknown protocol 'mine': expected one of default, reference",
        ),
        ("recipe = 'a\\b'", " line 1: unknown recipe 'a\\b': expected one of fast, reference"),
        (
            'recipe = "\\n\\u202e"',
            " line 1: unknown recipe '\\u000a\\u202e': expected one of fast, reference",
        ),
        (
            "precision = 'fp8'",
            " line 1: unknown precision 'fp8': expected one of auto, fp32, bf16",
        ),
        ("image_size = 0", " line 1: image size 0: expected from 1 to 4,096 pixels"),
        ("channels = 2", " line 1: 2 channels: expected 1 (grey) or 3 (colours)"),
        (
            "mean = 128",
            " line 1: mean 128: expected numbers from 0 to 1, for pixels that are scaled to 0..1; "
            "divide what is for pixels from 0 to 255 by 255",
        ),
        (
            "std = [0, 0.5, 1]",
            " line 1: std 0,0.5,1: expected numbers above 0, at most 1, for pixels that are "
            "scaled to 0..1",
        ),
        (
            "mean = [0, 1]",
            " line 1: mean 0,1: 2 numbers for images of 3 channels: expected 1 or 3",
        ),
        ("seed = -1", " line 1: seed -1: expected a whole number from 0 to 2^63 - 1"),
        ("[finetune]\nepochs = 0", " line 2: 0 epochs: expected from 1 to 100,000"),
        ("[finetune]\nrounds = 101", " line 2: 101 rounds: expected from 1 to 100"),
        (
            "[finetune]\nlr = nan",
            " line 2: learning rate nan: expected a number above 0, at most 100",
        ),
        ("[finetune]\nl1 = 2", " line 2: l1 2: expected a number from 0 to 1"),
        ("[finetune]\nl2 = inf", " line 2: l2 inf: expected a number from 0 to 1"),
        (
            "[finetune]\nmethod = 'x'",
            " line 2: unknown method 'x': expected one of one-shot, gradual, iterative",
        ),
    ],
)
def test_a_value_out_of_range_is_refused_as_everywhere(path: Path, text: str, said: str) -> None:
    if said.startswith(" line 1: unknown data set"):
        said = f" line 1: unknown data set 'x': expected one of {', '.join(DATASETS)}"
        said += ", or folder:PATH (images by class)"
    if said.startswith(" line 2: unknown model"):
        said = f" line 2: unknown model 'vgg': expected one of {', '.join(ZOO)}, or {FORMS}"
    assert refused(path, text) == said


@pytest.mark.parametrize(
    ("sparsity", "hint"),
    [
        ("65", "; write 65 percent as 0.65"),
        ("99.5", "; write 99.5 percent as 0.995"),
        ("100", "; write 100 percent as 1"),
        ("101", ""),
        ("-0.5", ""),
        ("nan", ""),
        ("inf", ""),
        ("-inf", ""),
    ],
)
def test_a_sparsity_that_is_no_fraction(path: Path, sparsity: str, hint: str) -> None:
    text = f"[sparsity]\nconv1 = 0\n'block.0' = {sparsity}"
    expected = f"sparsity {sparsity} of block.0: expected a fraction from 0 to 1{hint}"
    assert refused(path, text) == f" line 3: {expected}"


def test_a_layer_that_two_keys_name_is_refused(path: Path) -> None:
    text = '[sparsity]\n\nfeatures.0 = 0.5\n"features.0" = 0.5'
    assert refused(path, text) == " line 4: layer 'features.0' is given twice: name it once"
