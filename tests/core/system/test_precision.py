"""`auto` is resolved once on a machine and remembered."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest
import torch
from torch import nn

from core.data.batches import Splits
from core.events import Event, Notice, Progress, drain
from core.system.precision import resolve_precision


def build() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def resolve(name: str, data: Splits) -> tuple[str, list[Event]]:
    images, labels = data.train.batch(slice(0, 50))
    events: list[Event] = []
    return drain(resolve_precision(name, build, images, labels), events.append), events


@pytest.mark.parametrize("name", ["fp32", "bf16"])
def test_a_name_passes_through(name: str, tiny: Splits, empty_cache: Path) -> None:
    assert resolve(name, tiny) == (name, [])
    assert not empty_cache.exists()


def test_auto_is_resolved_once_and_cached(tiny: Splits, empty_cache: Path) -> None:
    first, events = resolve("auto", tiny)
    assert first in ("fp32", "bf16")
    assert [type(event) for event in events] == [Progress, Notice]
    assert resolve("auto", tiny) == (first, [])
    assert list(json.loads((empty_cache / "precision.json").read_text()).values()) == [first]


@pytest.mark.parametrize("answer", ["fp32", "bf16"])
def test_the_cached_precision_is_used(answer: str, tiny: Splits, empty_cache: Path) -> None:
    resolve("auto", tiny)
    memory = empty_cache / "precision.json"
    (machine,) = json.loads(memory.read_text())
    memory.write_text(json.dumps({machine: answer}))
    assert resolve("auto", tiny) == (answer, [])


def test_another_number_of_threads_is_another_machine(tiny: Splits, empty_cache: Path) -> None:
    resolve("auto", tiny)
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        _, events = resolve("auto", tiny)
    finally:
        torch.set_num_threads(threads)
    assert events
    assert len(json.loads((empty_cache / "precision.json").read_text())) == 2
    assert resolve("auto", tiny)[1] == []


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b'"fp32"', b"\xff\xfe"])
def test_a_damaged_cache_is_replaced(content: bytes, tiny: Splits, empty_cache: Path) -> None:
    empty_cache.mkdir(parents=True)
    memory = empty_cache / "precision.json"
    memory.write_bytes(content)
    answer, events = resolve("auto", tiny)
    assert events
    assert list(json.loads(memory.read_text()).values()) == [answer]


@pytest.mark.parametrize("wrong", ["fp16", None, 7, ["fp32"]])
def test_an_invalid_entry_is_replaced_and_the_others_are_kept(
    wrong: object, tiny: Splits, empty_cache: Path
) -> None:
    resolve("auto", tiny)
    memory = empty_cache / "precision.json"
    (machine,) = json.loads(memory.read_text())
    memory.write_text(json.dumps({machine: wrong, "another": "bf16"}))
    answer, _ = resolve("auto", tiny)
    assert json.loads(memory.read_text()) == {machine: answer, "another": "bf16"}


def test_an_unwritable_cache_is_only_a_warning(tiny: Splits, empty_cache: Path) -> None:
    empty_cache.parent.mkdir(parents=True)
    empty_cache.touch()
    answer, events = resolve("auto", tiny)
    assert answer in ("fp32", "bf16")
    assert isinstance(events[-1], Notice)
    assert events[-1].warning
    assert str(empty_cache) in events[-1].text


def test_short_steps_that_other_programs_slow_down_are_timed_more_often(
    tiny: Splits, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but a few rounds of fp32 take long; bf16 takes twice as long as the others."""
    calls, steps = count(), count()

    def clock() -> float:
        if next(calls) % 2 == 0:
            return 0.0
        round_, is_bf16 = divmod(next(steps), 2)
        return 0.002 if is_bf16 else 0.001 if round_ % 20 == 7 else 0.1

    monkeypatch.setattr("core.system.precision.perf_counter", clock)
    answer, events = resolve("auto", tiny)
    assert answer == "fp32"
    assert isinstance(events[-1], Notice)
    assert events[-1].text.startswith("bf16 trains 0.5x as fast as fp32 here")
    assert next(steps) == 2 * 51


def test_the_callers_random_numbers_are_left_alone(tiny: Splits, empty_cache: Path) -> None:
    before = torch.get_rng_state()
    _, events = resolve("auto", tiny)
    assert events
    assert torch.equal(torch.get_rng_state(), before)
