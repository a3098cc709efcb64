"""The example in the docstring of each API function runs and prints what it shows."""

from __future__ import annotations

import doctest
import inspect

import pytest

import core

VERBS = [
    name
    for name in core.__all__
    if inspect.isfunction(getattr(core, name)) and getattr(core, name).__module__ != "core.events"
]

pytestmark = pytest.mark.usefixtures("one_thread")


def test_every_function_of_the_api_has_an_example() -> None:
    assert {"splits", "load", "plan", "prune", "finetune", "evaluate", "scan"} < set(VERBS)
    assert {"remove_dead", "compact", "accelerate", "save", "load_weights"} < set(VERBS)
    assert {"reconstruct", "to_torch_prune", "from_torch_prune"} < set(VERBS)


@pytest.mark.parametrize("name", VERBS)
def test_the_example_runs_on_its_own(name: str, request: pytest.FixtureRequest) -> None:
    if name == "load":  # it keeps what it decodes; the kernels of others are compiled only once
        request.getfixturevalue("empty_cache")
    verb = getattr(core, name)
    (example,) = doctest.DocTestFinder(recurse=False).find(verb, name, globs={})
    said: list[str] = []
    results = doctest.DocTestRunner().run(example, out=said.append)
    assert results.attempted > 0
    assert not results.failed, "".join(said)
