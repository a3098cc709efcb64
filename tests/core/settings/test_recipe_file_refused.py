"""Invalid recipe files: each is refused with one message that names the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.registry import DATASETS
from core.nets.user_code.names import FORMS
from core.nets.zoo import ZOO
from tests.core.settings.configs import refused

ALL_KEYS = (
    "expected one of model, model_args, fresh_head, dataset, protocol, recipe, precision, "
    "recalibrate, repair, seed, image_size, channels, mean, std"
)
ALL_CHOICES = (
    "expected one of method, rounds, epochs, lr, scale_dropout, l1, l2, rewind, reconstruct, "
    "criterion, optimizer, batch_size, loss, smoothing, distill, augment"
)

EACH = (
    ", or one for each channel such as 0.485,0.456,0.406 "
    "(of pixels scaled to 0..1: divide values for 0..255 by 255)"
)
EPOCHS = "a whole number from 0 to 100,000"
SEED = "a whole number from 0 to 2^63 - 1"
SIDE = "a whole number from 1 to 4,096"
METHOD = "one of one-shot, gradual, iterative"
RATE = "a number above 0, at most 100"
MEAN, STD = f"a number from 0 to 1{EACH}", f"a number above 0, at most 1{EACH}"


@pytest.mark.parametrize(
    ("text", "message"),
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
        ("epochs = 5", " line 1: 'epochs' belongs in the table [finetune]"),
        (
            "[finetune]\nseed = 5",
            " line 2: 'seed' does not belong in [finetune]: move it above the tables",
        ),
        (
            "data_dir = 'x'",
            " line 1: 'data_dir' is machine-specific: give it as the option --data-dir",
        ),
        ('"a\\nb" = 1', f" line 1: unknown key 'a\\u000ab': {ALL_KEYS}"),
        ("x" * 99 + " = 1", f" line 1: unknown key '{'x' * 57}...': {ALL_KEYS}"),
    ],
)
def test_an_unknown_key_is_named_with_its_line(path: Path, text: str, message: str) -> None:
    assert refused(path, text) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[finetune]\nepochs = "five"', f' line 2: epochs = "five": expected {EPOCHS}'),
        ("[finetune]\nepochs = 5.0", f" line 2: epochs = 5.0: expected {EPOCHS}"),
        ("[finetune]\nepochs = true", f" line 2: epochs = true: expected {EPOCHS}"),
        ("seed = false", f" line 1: seed = false: expected {SEED}"),
        ("[finetune]\nlr = true", f" line 2: lr = true: expected {RATE}"),
        ("[finetune]\nlr = '1'", f' line 2: lr = "1": expected {RATE}'),
        ("[finetune]\nrewind = 1", " line 2: rewind = 1: expected true or false"),
        ("[finetune]\nmethod = 1", f" line 2: method = 1: expected {METHOD}"),
        ("recipe = 2024-01-01", " line 1: recipe = 2024-01-01: expected one of fast, reference"),
        ("image_size = '32x32'", f' line 1: image_size = "32x32": expected {SIDE}'),
        ("mean = [0.5, true]", f" line 1: mean = [...]: expected {MEAN}"),
        ("std = [[0.5]]", f" line 1: std = [...]: expected {STD}"),
        ("std = []", f" line 1: std = [...]: expected {STD}"),
        (f"mean = [0, 1{'0' * 400}]", f" line 1: mean = [...]: expected {MEAN}"),
        ("recipe = ['fast']", " line 1: recipe = [...]: expected one of fast, reference"),
        ("[recipe]\nname = 'fast'", " line 1: recipe = {...}: expected one of fast, reference"),
        (f"recipe = 0x{'f' * 9000}", " line 1: recipe = ...: expected one of fast, reference"),
        (f"seed = 0x{'f' * 9000}", f" line 1: seed = ...: expected {SEED}"),
        (f"sparsity.a = 1{'0' * 400}", " line 1: a = ...: expected a number from 0 to 1"),
        ("[sparsity]\nconv1 = '65%'", ' line 2: conv1 = "65%": expected a number from 0 to 1'),
        ("[sparsity]\na.b = [1]", ' line 2: "a.b" = [...]: expected a number from 0 to 1'),
        (
            "sparsity = 0.5",
            " line 1: sparsity = 0.5: expected a table, [sparsity] followed by KEY = VALUE",
        ),
        (
            "[[finetune]]\nlr = 1",
            " line 1: finetune = [...]: expected a table, [finetune] followed by KEY = VALUE",
        ),
    ],
)
def test_a_wrong_type_is_shown_with_its_line(path: Path, text: str, message: str) -> None:
    assert refused(path, text) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('\nmodel = "vgg"', " line 2: unknown model 'vgg': expected one of cnn5"),
        (
            "model = '/nowhere/net.py:Net'",
            " line 1: model '/nowhere/net.py:Net': no such file: /nowhere/net.py; "
            "give --model PATH/net.py:Net",
        ),
        (
            "dataset = 'folder:/nowhere'",
            " line 1: data set 'folder:/nowhere': no such folder: /nowhere; "
            "give --dataset folder:PATH",
        ),
        ("dataset = 'x'", " line 1: unknown data set 'x': expected one of mnist"),
        ("protocol = 'mine'", ' line 1: protocol = "mine": expected one of default, reference'),
        ("recipe = 'a\\b'", ' line 1: recipe = "a\\\\b": expected one of fast, reference'),
        (
            'recipe = "\\n\\u202e"',
            ' line 1: recipe = "\\u000a\\u202e": expected one of fast, reference',
        ),
        ("precision = 'fp8'", ' line 1: precision = "fp8": expected one of auto, fp32, bf16'),
        ("image_size = 0", f" line 1: image_size = 0: expected {SIDE}"),
        ("channels = 2", " line 1: channels = 2: expected one of 1, 3"),
        ("mean = 128", f" line 1: mean = 128: expected {MEAN}"),
        ("std = [0, 0.5, 1]", f" line 1: std = [...]: expected {STD}"),
        ("mean = [0, 1]", f" line 1: mean = [...]: expected {MEAN}"),
        ("seed = -1", f" line 1: seed = -1: expected {SEED}"),
        ("[finetune]\nepochs = -1", f" line 2: epochs = -1: expected {EPOCHS}"),
        (
            "[finetune]\nrounds = 101",
            " line 2: rounds = 101: expected a whole number from 1 to 100",
        ),
        ("[finetune]\nlr = nan", f" line 2: lr = nan: expected {RATE}"),
        ("[finetune]\nl1 = 2", " line 2: l1 = 2: expected a number from 0 to 1"),
        ("[finetune]\nl2 = inf", " line 2: l2 = inf: expected a number from 0 to 1"),
        ("[finetune]\nmethod = 'x'", f' line 2: method = "x": expected {METHOD}'),
    ],
)
def test_a_value_out_of_range_is_refused_as_everywhere(path: Path, text: str, message: str) -> None:
    if message.startswith(" line 1: unknown data set"):
        message = f" line 1: unknown data set 'x': expected one of {', '.join(DATASETS)}"
        message += ", or folder:PATH (images by class)"
    if message.startswith(" line 2: unknown model"):
        message = f" line 2: unknown model 'vgg': expected one of {', '.join(ZOO)}, or {FORMS}"
    assert refused(path, text) == message


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
def test_a_sparsity_that_is_not_a_fraction_is_refused(path: Path, sparsity: str, hint: str) -> None:
    text = f"[sparsity]\nconv1 = 0\n'block.0' = {sparsity}"
    expected = f'"block.0" = {sparsity}: expected a number from 0 to 1{hint}'
    assert refused(path, text) == f" line 3: {expected}"


def test_a_layer_named_by_two_keys_is_refused(path: Path) -> None:
    text = '[sparsity]\n\nfeatures.0 = 0.5\n"features.0" = 0.5'
    assert refused(path, text) == " line 4: layer 'features.0' is given twice: name it once"
