"""The digest of a user's code: of every file of their own that the net is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.nets.user_code.sources import source_digest

FILES = {
    "net.py": "import torch\nimport parts.blocks\nfrom activation import squash\n",
    "activation.py": "def squash(x):\n    from late import scale\n    return scale * x\n",
    "late.py": "scale = 2\n",
    "parts/__init__.py": "",
    "parts/blocks.py": "from . import shapes\nfrom parts.sizes import WIDTH\n",
    "parts/shapes.py": "SIDE = 3\n",
    "parts/sizes.py": "WIDTH = 8\n",
    "unrelated.py": "import net\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("changed", FILES)
def test_the_digest_changes_with_every_file_that_the_net_imports(
    changed: str, folder: Path
) -> None:
    name = f"{folder / 'net.py'}:Net"
    before = source_digest(name)
    assert source_digest(name) == before
    (folder / changed).write_text(f"{FILES[changed]}# changed\n")
    assert (source_digest(name) == before) == (changed == "unrelated.py")


def test_a_module_of_a_package_counts_what_it_imports_relatively(folder: Path) -> None:
    name = f"{folder / 'parts' / 'blocks.py'}:Net"
    before = source_digest(name)
    (folder / "parts" / "sizes.py").write_text("WIDTH = 9\n")
    assert source_digest(name) != before


def test_a_neighbor_that_is_no_python_is_left_out(folder: Path) -> None:
    (folder / "late.py").write_text("scale = = 2\n")
    assert source_digest(f"{folder / 'net.py'}:Net")


def test_an_installed_net_is_its_own_file() -> None:
    assert len(source_digest("torchvision.models:resnet18")) == 64
