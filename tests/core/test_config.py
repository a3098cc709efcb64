"""Files that say what a run is to do: what is written is read back, and what is refused."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.choices import NO_CHOICES, Choices
from core.config import (
    CHOICES,
    MACHINE,
    SETTINGS,
    Config,
    config_text,
    read_config,
    write_config,
)
from core.datasets.registry import DATASETS
from core.errors import InputError
from core.plans import Plan
from core.recipes import METHODS, RECIPES
from core.settings import PRECISIONS, PROTOCOLS, Settings
from core.toml import MOST_BYTES, line_of
from core.zoo import ZOO

LAYERS = ("conv1", "conv2", "conv3", "fc1", "fc2")

WHOLE = """\
# Featherweight: what a run is to do. Take it with: featherweight run --config FILE
model = "cnn5"
dataset = "mnist"
protocol = "default"
recipe = "fast"
seed = 0

[finetune]            # changes to the recipe; what is not here is the recipe's
epochs = 5
method = "iterative"
rounds = 3
scale_dropout = true

[sparsity]            # zeros over elements of each layer, as fractions
conv1 = 0.65
"block.0.conv" = 0.9
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all examples of a property: Hypothesis takes no fixture that is new for a test."""
    return tmp_path_factory.mktemp("config") / "recipe.toml"


def read(path: Path, text: str) -> Config:
    path.write_bytes(text.encode())
    return read_config(path)


def refused(path: Path, text: str) -> str:
    """The one line that is said about a text, without the path."""
    with pytest.raises(InputError) as caught:
        read(path, text)
    said = str(caught.value)
    assert said.startswith(str(path))
    assert said.isprintable()
    return said.removeprefix(str(path))


# What is written is read back


def is_consistent(choices: Choices) -> bool:
    for recipe in RECIPES.values():
        try:
            choices.applied_to(recipe)
        except InputError:
            return False
    return True


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


CHOSEN = st.builds(
    Choices,
    epochs=maybe(st.integers(1, 100_000)),
    lr=maybe(st.floats(0, 100, exclude_min=True)),
    method=maybe(st.sampled_from(list(METHODS))),
    rounds=maybe(st.integers(1, 100)),
    scale_dropout=maybe(st.booleans()),
    l1=maybe(st.floats(0, 1)),
    l2=maybe(st.floats(0, 1)),
    rewind=maybe(st.booleans()),
).filter(is_consistent)

ASKED = st.builds(
    Settings,
    model=st.sampled_from(list(ZOO)),
    dataset=st.sampled_from(list(DATASETS)),
    protocol=st.sampled_from(PROTOCOLS),
    recipe=st.sampled_from(list(RECIPES)),
    choices=CHOSEN,
    precision=st.sampled_from(PRECISIONS),
    seed=st.integers(0, 2**63 - 1),
)

AWKWARD = ["", ".", "a.b", "a b", '"', "'", "\\", "\\u0041", "\n", "\r\n", "\x00", "\x7f", "#", "="]
NAMES = st.text() | st.sampled_from([*AWKWARD, "é", "层.0", "\u2028", "👩‍👩‍👧", "[x]", "sparsity"])
PLANS = maybe(st.dictionaries(NAMES, st.floats(0, 1)))


@given(settings=ASKED, plan=PLANS)
def test_what_is_written_is_read_back(path: Path, settings: Settings, plan: Plan | None) -> None:
    write_config(path, settings, plan)
    config = read_config(path)
    assert config.settings == settings
    assert config.plan == plan
    assert list(config.plan or {}) == list(plan or {})


@given(plan=st.dictionaries(NAMES, st.floats(0, 1), min_size=1), data=st.data())
def test_the_line_of_every_layer_is_known(path: Path, plan: Plan, data: st.DataObject) -> None:
    text = config_text(Settings(), plan)
    name = data.draw(st.sampled_from(list(plan)))
    first = text.splitlines().index("[sparsity]  # zeros over elements of each layer, as fractions")
    assert line_of(text, ("sparsity", name)) == first + 2 + list(plan).index(name)


@given(text=st.text() | st.lists(st.sampled_from(WHOLE.splitlines())).map("\n".join))
def test_any_text_is_read_or_refused_on_one_line(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    said = f"{path}: read"
    try:
        read_config(path)
    except InputError as error:
        said = str(error)
    assert said.startswith(str(path))
    assert said.isprintable()


def test_what_is_the_machines_is_not_written(path: Path) -> None:
    here = Settings(threads=3, device="cpu", data_dir=Path("data"), weights=Path("w"), seed=7)
    write_config(path, here, None)
    assert read_config(path).settings == Settings(seed=7)


def test_a_written_file_says_what_it_is() -> None:
    settings = Settings(choices=Choices(method="iterative", lr=0.01, scale_dropout=False))
    text = config_text(settings, {"conv1": 0.65, "block.0.conv": 1, "tiny": 1e-7})
    told = [line.partition("  # ")[0] for line in text.splitlines()]
    assert told == [
        "# Featherweight: what a run is to do. Take it with: featherweight run --config FILE",
        'model = "cnn5"',
        'dataset = "mnist"',
        'protocol = "default"',
        'recipe = "fast"',
        "seed = 0",
        "",
        "[finetune]",
        "lr = 0.01",
        'method = "iterative"',
        "scale_dropout = false",
        "",
        "[sparsity]",
        "conv1 = 0.65",
        '"block.0.conv" = 1.0',
        "tiny = 1e-07",
    ]
    assert 'protocol = "default"  # default or reference\n' in text
    assert 'recipe = "fast"  # fast or reference\n' in text
    assert ": one-shot, gradual, iterative\n" in text


def test_precision_is_written_where_it_was_chosen() -> None:
    assert "precision" not in config_text(Settings(), None)
    assert '\nprecision = "bf16"\n' in config_text(Settings(precision="bf16"), None)


@pytest.mark.parametrize("sparsity", [float("nan"), float("inf"), 1.5, -0.1])
def test_a_sparsity_that_could_not_be_read_is_not_written(path: Path, sparsity: float) -> None:
    path.write_text("seed = 1")
    with pytest.raises(InputError, match=r"of conv1: expected a fraction from 0 to 1"):
        write_config(path, Settings(), {"conv1": sparsity})
    assert path.read_text() == "seed = 1"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not exist; create it first"):
        write_config(tmp_path / "none" / "recipe.toml", Settings(), None)


def test_a_new_field_is_the_files_or_the_machines() -> None:
    assert {*SETTINGS, *MACHINE, "choices"} == {field.name for field in fields(Settings)}
    assert list(CHOICES) == [field.name for field in fields(Choices)]
    assert not SETTINGS.keys() & CHOICES.keys()
    for name, hint in {**get_type_hints(Settings), **get_type_hints(Choices)}.items():
        kind = {**SETTINGS, **CHOICES}.get(name)
        for expected in (int, float, bool):
            if kind and hint in (expected, expected | None):
                assert expected in kind.types


# What people write


def test_the_whole_file(path: Path) -> None:
    config = read(path, WHOLE)
    choices = Choices(epochs=5, method="iterative", rounds=3, scale_dropout=True)
    assert config.settings == Settings(choices=choices)
    assert config.plan == {"conv1": 0.65, "block.0.conv": 0.9}


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "[finetune]\n", "finetune = {}"])
def test_what_is_not_given_is_not_given(path: Path, text: str) -> None:
    config = read(path, text)
    assert config.given == {}
    assert config.plan is None
    assert config.settings == Settings()
    assert config.settings.choices == NO_CHOICES
    assert config.checked_plan(LAYERS) is None


@pytest.mark.parametrize(
    "text",
    [
        "[sparsity]\nfeatures.0 = 0.5\nfeatures.3.conv = 1",
        "[sparsity]\n\"features.0\" = 0.5\n'features.3.conv' = 1",
        "[sparsity.features]\n0 = 0.5\n3.conv = 1.0",
        "[sparsity]\n[sparsity.features]\n0 = 0.5\n[sparsity.features.3]\nconv = 1",
        "sparsity.features.0 = 0.5\nsparsity.features.3.conv = 1",
        'sparsity = { features.0 = 0.5, "features.3.conv" = 1 }',
        "sparsity = { features = { 0 = 0.5, 3 = { conv = 1 } } }",
        "\ufeff[sparsity]\r\nfeatures.0 = 0.5\r\nfeatures.3.conv = 1\r\n",
        "[sparsity]\nfeatures.0 = 0.5\nfeatures.3.conv = 1\n[sparsity.empty]\n",
    ],
)
def test_every_way_to_write_a_layers_name(path: Path, text: str) -> None:
    config = read(path, text)
    assert config.plan == {"features.0": 0.5, "features.3.conv": 1.0}
    assert all(type(sparsity) is float for sparsity in config.plan.values())


def test_a_whole_number_will_do_for_a_number(path: Path) -> None:
    config = read(path, "finetune.lr = 1\nfinetune.l1 = 0\nfinetune.l2 = 1")
    assert config.given == {"lr": 1.0, "l1": 0.0, "l2": 1.0}
    assert all(type(value) is float for value in config.given.values())


# Options over the file, the file over the defaults


def test_options_win_over_the_file_and_the_file_over_the_defaults(path: Path) -> None:
    config = read(path, 'recipe = "reference"\nseed = 1\n[finetune]\nepochs = 9\nlr = 0.5')
    assert config.given == {"recipe": "reference", "seed": 1, "epochs": 9, "lr": 0.5}
    options = {"seed": 2, "epochs": 1, "threads": 2, "rewind": True}
    assert config.overlaid(options) == Settings(
        recipe="reference",
        seed=2,
        threads=2,
        choices=Choices(epochs=1, lr=0.5, rewind=True),
    )
    assert config.settings == Settings(
        recipe="reference", seed=1, choices=Choices(epochs=9, lr=0.5)
    )


def test_a_contradiction_names_the_file(path: Path) -> None:
    config = read(path, '[finetune]\nmethod = "one-shot"\nrounds = 3')
    why = "3 rounds: expected the method iterative, not one-shot"
    with pytest.raises(InputError) as caught:
        _ = config.settings
    assert str(caught.value) == f"{path}: {why}"
    with pytest.raises(InputError) as caught:
        config.overlaid({"threads": 2})
    assert str(caught.value) == f"{path}: {why}"
    with pytest.raises(InputError) as caught:
        config.overlaid({"epochs": 2})
    assert str(caught.value) == f"{path} and the options: {why}"


def test_an_option_mends_a_contradiction(path: Path) -> None:
    config = read(path, "[finetune]\nrewind = true")
    with pytest.raises(InputError, match="rewinding needs masks"):
        _ = config.settings
    assert config.overlaid({"recipe": "reference"}).finetuning.rewind
    assert config.overlaid({"method": "one-shot"}).finetuning.rewind


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"threads": 0}, "0 threads: expected from 1 to 1024"),
        ({"epochs": 0}, "0 epochs: expected from 1 to 100,000"),
    ],
)
def test_a_bad_option_is_not_the_files_fault(path: Path, options: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError) as caught:
        read(path, WHOLE).overlaid(options)
    assert str(caught.value) == why


# The plan and the net


def test_a_plan_has_the_nets_layers_in_their_order(path: Path) -> None:
    config = read(path, "[sparsity]\nfc1 = 0.9\nconv2 = 0.5")
    plan = config.checked_plan(LAYERS)
    assert plan == {"conv1": 0.0, "conv2": 0.5, "conv3": 0.0, "fc1": 0.9, "fc2": 0.0}
    assert tuple(plan) == LAYERS


def test_an_empty_table_is_a_dense_plan(path: Path) -> None:
    config = read(path, "[sparsity]\n")
    assert config.plan == {}
    assert config.checked_plan(LAYERS) == dict.fromkeys(LAYERS, 0.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sparsity]\nconv2 = 0.5\n\nconf2 = 1", " line 4: unknown layer 'conf2': L; M 'conv2'?"),
        ("sparsity.Fc1 = 1", " line 1: unknown layer 'Fc1': L; M 'fc1'?"),
        ("[sparsity]\n#\nhead.0 = 1", " line 3: unknown layer 'head.0': L"),
        ("[sparsity.a]\n# b = 1\nb = 1", " line 3: unknown layer 'a.b': L"),
        ('[sparsity]\n"a.b" = 1', " line 2: unknown layer 'a.b': L"),
        ("[sparsity]\n'' = 1", " line 2: unknown layer '': L"),
        ('[sparsity]\n"\\u0007\\n" = 1', " line 2: unknown layer '\\u0007\\u000a': L"),
    ],
)
def test_a_layer_that_the_net_does_not_have_is_named(path: Path, text: str, said: str) -> None:
    config = read(path, text)
    with pytest.raises(InputError) as caught:
        config.checked_plan(LAYERS)
    said = said.replace("L", "expected one of conv1, conv2, conv3, fc1, fc2")
    assert str(caught.value) == str(path) + said.replace("M", "did you mean")


# What is refused

ALL_KEYS = "expected one of model, dataset, protocol, recipe, precision, seed"
ALL_CHOICES = "expected one of epochs, lr, method, rounds, scale_dropout, l1, l2, rewind"


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
    if said.startswith(" line 2: unknown model"):
        said = f" line 2: unknown model 'vgg': expected one of {', '.join(ZOO)}"
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


TWICE = "; give each key and each table once"
QUOTES = '; expected "text" in quotes, a number such as 0.5, true or false'


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("seed = 1\nseed = 2\n", TWICE),
        ("[finetune]\n[finetune]\n", TWICE),
        ("\nrecipe = fast\n", QUOTES),
        ("seed = \n", QUOTES),
        ("seed\n", ""),
        ('model = "cnn5\n', ""),
        ('model = "a', ""),
    ],
)
def test_what_is_not_toml_is_refused_in_the_words_of_the_reader(
    path: Path, text: str, hint: str
) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    assert refused(path, text) == f": {caught.value!s}{hint}".replace("\n", "\\n")


def test_what_is_nested_too_deeply_is_refused(path: Path) -> None:
    assert refused(path, f"a = {'[' * 5000}") == ": nested too deeply"


def test_a_number_that_python_would_not_read_is_refused(path: Path) -> None:
    assert "limit" in refused(path, "seed = " + "9" * 5000)


# Files that cannot be read


def refused_file(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_config(path)
    return str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    assert refused_file(path) == f"cannot read {path}: there is no such file"


def test_a_folder(tmp_path: Path) -> None:
    assert refused_file(tmp_path) == f"cannot read {tmp_path}: it is a folder; give a file"


def test_a_file_that_the_system_refuses(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert refused_file(path) == f"cannot read {path}: Permission denied"


@pytest.mark.parametrize(
    ("data", "line"), [(b"seed = 1\n# \xff\n", 2), ("seed = 1".encode("utf-16"), 1)]
)
def test_a_file_that_is_not_utf_8(path: Path, data: bytes, line: int) -> None:
    path.write_bytes(data)
    assert refused_file(path) == f"{path} line {line}: not UTF-8; save it as UTF-8"


def test_a_file_may_have_a_million_bytes_and_no_more(path: Path) -> None:
    path.write_bytes(b"seed = 1\n#" + b"x" * (MOST_BYTES - 10))
    assert read_config(path).given == {"seed": 1}
    path.write_bytes(b"#" * (MOST_BYTES + 1))
    assert refused_file(path) == f"{path}: expected at most 1,000,000 bytes of TOML"


def test_a_file_of_gigabytes_is_not_read_to_its_end(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 34)
    assert "expected at most" in refused_file(path)


# The line of a key


@pytest.mark.parametrize(
    ("text", "keys", "line"),
    [
        ("a = 1\nb = 2", ("b",), 2),
        ("a = 1\r\n\r\nb = 2\r\n", ("b",), 3),
        ("a = 1", ("b",), None),
        ("[x]\na = 1", ("a",), None),
        ("a = 1\n[x]\na = 1", ("x", "a"), 3),
        ("[y]\na = 1\n[x]\n[y.x]\na = 1", ("y", "x", "a"), 5),
        ('"a" = 1', ("a",), 1),
        ("[ x . \"y.z\" ] # a = 1\n'a\\' = 1", ("x", "y.z", "a\\"), 2),
        ('"\\u0061" = 1', ("a",), 1),
        ("x.a = 1\nx.b = 2", ("x", "b"), 2),
        ("x.a = 1\nx.b = 2", ("x",), 1),
        ("x = { a = 1, b = { c = 1 } }", ("x", "b", "c"), 1),
        ("# a = 1\n  a = 1", ("a",), 2),
        ("s = '''\na = 1\n[x]\na = 1\n'''\n[x]\nb = 1\na = 1", ("x", "a"), 8),
        ('s = """\na = 1"""\na = 2', ("a",), 3),
        ('b = "a = 1"\na = [\n# [x]\n1,\n]\nc = 1', ("a",), 2),
        ('b = "a = 1"\na = [\n# [x]\n1,\n]\nc = 1', ("c",), 6),
        ("a = 'x\u2028y\x85z'\nb = 1", ("b",), 2),
        ("[[x]]\na = 1", ("x",), 1),
        ("a = 1\nb = 'a'", ("a", "b"), None),
    ],
)
def test_the_line_is_that_of_the_key(text: str, keys: tuple[str, ...], line: int | None) -> None:
    assert line_of(text, keys) == line


def test_where_the_line_would_take_too_long_the_key_is_named_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.toml._SEARCHED", 10_000)
    text = "[sparsity]\na = [" + "0,\n" * 1000 + "]"
    assert refused(path, text) == ": a = [...]: expected a number"
