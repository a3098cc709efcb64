"""A sweep as a TOML file: a recipe file with lists in place of values.

Above the tables, `ratio`, `goal`, `uniform` and `preset` choose plans, `allocate` the methods that
turn goals into sparsities. In [sparsity], every combination of the layers' lists is a plan. The
settings of a session (model, data set, protocol, images) have one value each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.fields.declaration import Setting
from core.fields.kinds import number, one_of
from core.fields.kinds import text as words
from core.pruning.goals import ALLOCATIONS, Goal, parse_goal
from core.settings.recipe_file import (
    CHANGES,
    FINETUNE,
    FRACTION,
    SPARSITY,
    TOP,
    Config,
    Source,
    check_table,
    flattened,
    not_a_fraction,
    read_value,
    unknown_change,
    unknown_key,
)
from core.settings.toml import parse_toml, read_text
from core.sweep.choices import PlanAxes
from core.sweep.grid import FIXED, Grid, distinct

RATIO = number(1, 1_000_000_000)

PLANS = {
    declared.name: declared
    for declared in (
        Setting("ratio", None, RATIO, "how many times smaller"),
        Setting("goal", None, words(""), "60x, 6000 kept or 28 KiB"),
        Setting("allocate", None, one_of(tuple(ALLOCATIONS)), "how to turn a goal into sparsities"),
        Setting("uniform", None, FRACTION, "the same sparsity for every layer"),
        Setting("preset", None, words(""), "a preset plan"),
    )
}
"""Keys above the tables that choose plans."""


@dataclass(frozen=True, slots=True)
class SweepFile:
    """What a file sets: settings that all trials share, and lists."""

    config: Config
    grid: Grid


def read_sweep(path: Path, named: Collection[str] = ()) -> SweepFile:
    """Read and check a file; of the settings `named` elsewhere, not whether their paths exist.

    Raises:
        InputError: it cannot be read, is not TOML, or has an unknown key, an invalid value, or a
            list where a sweep has one value; the message names the file and, if known, the line.
    """
    content = read_text(path)
    source = Source(path, content)
    try:
        return _Reader(source, named).read(parse_toml(path, content))
    except RecursionError as error:
        raise InputError(f"{path}: nested too deeply") from error


class _Reader:
    """Reads one file."""

    def __init__(self, source: Source, named: Collection[str]) -> None:
        self._source, self._named = source, named

    def read(self, table: Mapping[str, Any]) -> SweepFile:
        """Read the whole file."""
        shared: dict[str, Any] = {}
        axes: dict[str, tuple[Any, ...]] = {}
        plans: dict[str, tuple[Any, ...]] = {}
        sparsities: dict[str, tuple[float, ...]] = {}
        for name, value in table.items():
            if name in FIXED:
                shared[name] = self._one(name, value)
            elif name in TOP:
                axes[name] = self._list((name,), value, TOP[name])
            elif name in PLANS:
                plans[name] = self._list((name,), value, PLANS[name])
            elif name == FINETUNE:
                axes |= self._changes(value)
            elif name == SPARSITY:
                sparsities = self._sparsities(value)
            else:
                raise self._source.error_at((name,), unknown_key(name, value))
        grid = Grid(self._plan_axes(plans, sparsities), axes)
        return SweepFile(Config(shared, None, self._source), grid)

    def _one(self, name: str, value: Any) -> Any:
        declared = TOP[name]
        if isinstance(value, list) and not declared.kind.accepts(value):
            why = f"a sweep has one {declared.label}: start another sweep for each"
            raise self._source.error_at((name,), f"{name} is a list: {why}")
        known = replace(declared, check=None) if name in self._named else declared
        return read_value(self._source, (name,), value, known)

    def _list(self, place: tuple[str, ...], value: Any, declared: Setting) -> tuple[Any, ...]:
        """The values of a list; a value that is a list itself is one value."""
        is_list = isinstance(value, list) and not (value and declared.kind.accepts(value))
        items = value if is_list else [value]
        values = [read_value(self._source, place, item, declared) for item in items]
        return self._distinct(place, values)

    def _distinct(self, place: tuple[str, ...], values: list[Any]) -> tuple[Any, ...]:
        try:
            return distinct(values, place[-1])
        except InputError as error:
            raise self._source.error_at(place, str(error)) from error

    def _changes(self, table: Any) -> dict[str, tuple[Any, ...]]:
        check_table(self._source, FINETUNE, table)
        for name in table:
            if name not in CHANGES:
                raise self._source.error_at((FINETUNE, name), unknown_change(name))
        return {
            name: self._list((FINETUNE, name), value, CHANGES[name])
            for name, value in table.items()
        }

    def _sparsities(self, table: Any) -> dict[str, tuple[float, ...]]:
        check_table(self._source, SPARSITY, table)
        result: dict[str, tuple[float, ...]] = {}
        for path, value in flattened(table):
            name, place = ".".join(path), (SPARSITY, *path)
            if name in result:
                raise self._source.error_at(place, f"layer '{name}' is given twice: name it once")
            items = value if isinstance(value, list) else [value]
            result[name] = self._distinct(place, [self._fraction(name, place, v) for v in items])
        return result

    def _fraction(self, name: str, place: tuple[str, ...], value: Any) -> float:
        try:
            return float(FRACTION.read(value))
        except InputError as error:
            raise self._source.error_at(place, not_a_fraction(name, value, error)) from error

    def _plan_axes(
        self, plans: Mapping[str, tuple[Any, ...]], sparsities: Mapping[str, tuple[float, ...]]
    ) -> PlanAxes:
        goals = [Goal("ratio", ratio) for ratio in plans.get("ratio", ())]
        for text in plans.get("goal", ()):
            try:
                goals.append(parse_goal(text))
            except InputError as error:
                raise self._source.error_at(("goal",), str(error)) from error
        return PlanAxes(
            tuple(goals),
            plans.get("allocate", ()),
            plans.get("uniform", ()),
            plans.get("preset", ()),
            sparsities,
        )
