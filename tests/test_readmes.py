"""The READMEs match the program: keys, options, links and Python examples."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.formats.weights_files import load_weights
from core.nets.user_model import build
from tests.core.user_nets import write
from tui.cli.main import main
from tui.keys import history_keys, main_keys

REPOSITORY = Path(__file__).parents[1]
PAGES = ("README.md", "tui/README.md", "core/README.md", "tests/benchmarks/README.md")
COMMANDS = ("run", "search", "scan", "table", "bench", "train", "export", "inspect", "data fetch")

SMALL_DATA = """
import core, numpy, torch
torch.set_num_threads(1)
images = numpy.random.default_rng(0).integers(0, 256, (240, 1, 28, 28), numpy.uint8)
core.load = lambda name: core.splits((images, numpy.arange(240) % 10))
"""


def page(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def keys_of(table: str) -> list[str]:
    """The keys in the first column of a table."""
    cells = re.findall(r"^\| (`.*?`) \|", table, re.M)
    return [key for cell in cells for key in re.findall(r"`(.+?)`(?: |$)", cell)]


def registered(registry: tuple[main_keys.Key, ...]) -> list[str]:
    names = (re.sub(r"Page (Up|Down)", r"Page_\1", key.shown).split() for key in registry)
    return [name.replace("_", " ") for shown in names for name in shown]


@pytest.mark.parametrize(
    ("mark", "registry"), [("keys", main_keys.KEYS), ("history keys", history_keys.KEYS)]
)
def test_the_key_table_lists_every_key_once(mark: str, registry: tuple[main_keys.Key, ...]) -> None:
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


@pytest.mark.slow
@pytest.mark.parametrize(("name", "max_lines"), [("README.md", 10), ("core/README.md", 15)])
def test_the_python_of_every_readme_runs(name: str, max_lines: int, tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", page(name), re.S)
    assert len([line for line in script.splitlines() if line]) <= max_lines
    net = f"{write(tmp_path)}:Net"
    save = "import torch, mine; torch.save(mine.Net().state_dict(), 'mine.pt')"
    process = subprocess.run(
        [sys.executable, "-c", f"{save}\n{SMALL_DATA}\n{script}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "Epoch(epoch=1" in process.stdout
    assert process.stdout.rstrip().endswith("revived: 0")
    assert list(tmp_path.glob("light.*"))
    if "light.pt" in script:
        weights = load_weights(tmp_path / "light.pt", build(net))
        nonzero = sum(int(w.count_nonzero()) for key, w in weights.items() if "norm" not in key)
        assert nonzero < 500
