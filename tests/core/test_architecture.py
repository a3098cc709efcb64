"""Imports, layers and sizes: `core` knows no terminal, and light modules stay light."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

REPOSITORY = Path(__file__).parents[2]
COMMANDS = Path(sys.executable).parent
PACKAGES = ("core", "tui")
HEAVY = {"torch", "torchvision", "numpy", "numba", "textual"}


def packages_after(code: str) -> set[str]:
    """The packages that a fresh process has loaded after running `code`."""
    code += "\nimport sys; print('loaded', *{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_whole_core_loads_nothing_of_the_terminal() -> None:
    loaded = packages_after(
        "import core, importlib, pkgutil\n"
        "names = [module.name for module in pkgutil.walk_packages(core.__path__, 'core.')]\n"
        "assert {'core.jobs.workbench', 'core.jobs.report'} <= set(names)\n"
        "for name in names: importlib.import_module(name)"
    )
    assert {"core", "torch"} <= loaded
    assert not loaded & {"textual", "rich", "plotext", "tui"}


def test_core_alone_is_lazy() -> None:
    loaded = packages_after("import core")
    assert "core" in loaded
    assert not loaded & HEAVY


def test_the_modules_that_a_process_needs_first_are_light() -> None:
    loaded = packages_after(
        "import core.errors, core.events, core.system.files, core.nets.footprint\n"
        "import core.pruning.plans, core.training.recipes, core.settings.settings\n"
        "import core.nets.zoo, core.system.preload, core.settings.recipe_changes\n"
        "import core.settings.recipe_file, core.pruning.curves\n"
        "import core.experiments.experiment, core.pruning.goals\n"
        "import core.experiments.runs, core.lightest.trials, core.lightest.search\n"
        "import core.sweep.live.log, core.sweep.live.watching, core.sweep.live.process\n"
        "import core.executors.local_worker, core.executors.ray_cluster.stop_list\n"
        "import core.executors.ray_cluster.connection\n"
        "from core.data.registry import describe; describe('mnist')"
    )
    assert not loaded & HEAVY


def test_the_command_line_is_light() -> None:
    assert not packages_after("import tui.cli.main") & HEAVY


def test_help_is_light() -> None:
    done = subprocess.run(
        [COMMANDS / "featherweight", "--help"],
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    assert "usage: featherweight" in done.stdout
    assert "examples:" in done.stdout
    assert "tui.cli.main" in lines
    assert not {line.partition(".")[0] for line in lines} & HEAVY


def test_the_contracts_between_the_packages_hold() -> None:
    done = subprocess.run(
        [COMMANDS / "lint-imports", "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_no_file_imports_itself_through_others() -> None:
    graph = grimp.build_graph("core", "tui")
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the files


def test_no_folder_has_more_than_13_modules() -> None:
    files = _files(*PACKAGES, "tests", "screenshots")
    modules = Counter(path.parent for path in files if path.name != "__init__.py")
    assert {folder: count for folder, count in modules.items() if count > 13} == {}


def test_no_file_has_more_than_400_lines() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in _files()}
    kernels = REPOSITORY / "core/formats/codec/coder/kernels.py"  # numba compiles it as one
    assert [path for path, count in lines.items() if count > 400 and path != kernels] == []


def test_every_folder_has_a_map_that_names_its_modules() -> None:
    unnamed = []
    for init in _files():
        if init.name != "__init__.py" or init.parent == REPOSITORY / "tui/cli/commands":
            continue  # its map says how the names of commands and modules correspond
        text = init.read_text(encoding="utf-8")
        for path in init.parent.iterdir():
            is_module = path.suffix == ".py" or (path / "__init__.py").exists()
            if is_module and path != init and not re.search(rf"\b{path.stem}\b", text):
                unnamed.append(str(path.relative_to(REPOSITORY)))
    assert unnamed == []


def _files(*folders: str) -> list[Path]:
    """The Python files of these folders; of core and tui if none is named."""
    return [path for name in folders or PACKAGES for path in (REPOSITORY / name).rglob("*.py")]
