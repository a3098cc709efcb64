"""The READMEs match the program: keys, options, links and Python examples."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import core
from core.formats.weights_files import load_weights
from core.nets.user_model import build
from tests.core.user_nets import write
from tui.cli.main import main
from tui.keys import history_keys, main_keys, plot_keys, sweep_keys
from tui.keys.key import Key

REPOSITORY = Path(__file__).parents[1]
PAGES = ("README.md", "tui/README.md", "core/README.md", "tests/benchmarks/README.md")
COMMANDS = (
    *(
        "run",
        "lightest",
        "sweep",
        "scan",
        "table",
        "bench",
        "train",
        "export",
        "inspect",
        "data fetch",
    ),
    *("data fetch", "demo", "serve"),
)


def page(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def keys_of(table: str) -> list[str]:
    """The keys in the first column of a table."""
    cells = re.findall(r"^\| (`.*?`) \|", table, re.M)
    return [key for cell in cells for key in re.findall(r"`(.+?)`(?: |$)", cell)]


def registered(registry: tuple[Key, ...]) -> list[str]:
    names = (re.sub(r"Page (Up|Down)", r"Page_\1", key.shown).split() for key in registry)
    return [name.replace("_", " ") for shown in names for name in shown]


@pytest.mark.parametrize(
    ("mark", "registry"),
    [
        ("keys", main_keys.KEYS),
        ("history keys", history_keys.KEYS),
        ("plot keys", plot_keys.KEYS),
        ("sweep keys", sweep_keys.KEYS),
    ],
)
def test_the_key_table_lists_every_key_once(mark: str, registry: tuple[Key, ...]) -> None:
    table = page("tui/README.md").split(f"<!-- {mark} -->")[1].split(f"<!-- /{mark} -->")[0]
    assert sorted(keys_of(table)) == sorted(registered(registry))


def test_the_readme_shows_six_rows_of_registered_keys() -> None:
    table = page("README.md").split("## Six keys")[1].split("##")[0]
    assert len(re.findall(r"^\| `", table, re.M)) == 6
    assert set(keys_of(table)) <= set(registered(main_keys.KEYS))


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_option_is_documented(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    options = set(re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)", capsys.readouterr().out, re.M))
    documented = set(re.findall(r"`(--[a-z0-9-]+)", page("tui/README.md")))
    assert options - documented - {"--help", "--version"} == set()


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]+))?\)", page(name))
    assert links
    for path, anchor in links:
        target = (REPOSITORY / name).parent / path if path else REPOSITORY / name
        assert target.exists(), path
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.M)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


@pytest.fixture
def of_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which a script runs that imports the net `mine.Net` and loads few images."""
    write(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (240, 1, 28, 28), np.uint8)
    data = core.splits((images, np.arange(240) % 10))
    monkeypatch.setattr(core, "load", lambda name: data)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for module in ("mine", "helper"):  # of this folder only
        sys.modules.pop(module, None)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "max_lines"), [("README.md", 10), ("core/README.md", 15)])
def test_the_python_of_every_readme_runs(
    name: str, max_lines: int, of_a_user: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", page(name), re.S)
    assert len([line for line in script.splitlines() if line]) <= max_lines
    net = f"{of_a_user / 'mine.py'}:Net"
    torch.save(build(net).state_dict(), "mine.pt")
    path = of_a_user / "script.py"
    path.write_text(script, encoding="utf-8")
    runpy.run_path(str(path), run_name="__main__")
    output = capsys.readouterr().out
    assert "Epoch(epoch=1" in output
    assert output.rstrip().endswith("revived: 0")
    assert list(of_a_user.glob("light.*"))
    if "light.pt" in script:
        weights = load_weights(of_a_user / "light.pt", build(net))
        nonzero = sum(int(w.count_nonzero()) for key, w in weights.items() if "norm" not in key)
        assert nonzero < 500
