"""Exports recorded with a run, and damaged records of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.events import Accuracy
from core.experiments.experiment import Experiment
from core.experiments.exports import EXPORTS, MAX_EXPORTS, Export, newest_compact, read_exports
from core.experiments.run_record import read_record
from core.experiments.runs import Run
from core.nets.footprint import Sizes
from tests.core.experiments.recorded_runs import finished

LOSSLESS = Export("/nets/net.fw", 24_100, "float32", None, Accuracy(99.26, 99.31))
SMALL = Export("/nets/small.fw", 5_512, "codebook", 12, Accuracy(99.2, 99.29))
ROW = {
    "file": "/nets/small.fw",
    "bytes": 5_512,
    "values": "codebook",
    "levels": 12,
    "accuracy": {"validation": 99.2, "test": 99.29},
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return finished(Experiment(tmp_path / "runs"))


def test_recorded_exports_are_read_with_the_run(run: Run) -> None:
    experiment = Experiment(run.folder.parent)
    experiment.add_export(run, LOSSLESS)
    experiment.add_export(run, SMALL)
    exports = experiment.find(run.id).exports
    assert exports == (LOSSLESS, SMALL)
    assert newest_compact(exports, exact=True) == LOSSLESS
    assert newest_compact(exports, exact=False) == SMALL


def test_a_file_exported_again_is_listed_once_and_last(run: Run) -> None:
    experiment = Experiment(run.folder.parent)
    again = Export(LOSSLESS.file, 4_000, "steps", 8, Accuracy(98.9, 99.0))
    for export in (LOSSLESS, SMALL, again):
        experiment.add_export(run, export)
    assert experiment.find(run.id).exports == (SMALL, again)
    assert newest_compact(experiment.find(run.id).exports, exact=True) is None


def test_only_the_newest_exports_are_recorded(tmp_path: Path) -> None:
    rows = [{**ROW, "file": f"{number}.fw"} for number in range(MAX_EXPORTS + 5)]
    (tmp_path / EXPORTS).write_text(json.dumps({"files": rows}))
    assert len(read_exports(tmp_path)) == MAX_EXPORTS
    assert read_exports(tmp_path)[-1].file == f"{MAX_EXPORTS + 4}.fw"


def test_a_deleted_run_records_nothing(run: Run) -> None:
    experiment = Experiment(run.folder.parent)
    experiment.delete(run)
    with pytest.raises(InputError, match="no run"):
        experiment.add_export(run, SMALL)
    assert not run.folder.exists()


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
damaged = st.recursive(
    plain,
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children)
    ),
    max_leaves=5,
)


@given(name=st.sampled_from([*ROW, "validation", "test"]), value=damaged)
def test_a_damaged_row_is_dropped_and_the_others_stay(
    tmp_path_factory: pytest.TempPathFactory, name: str, value: object
) -> None:
    folder = tmp_path_factory.mktemp("run", numbered=True)
    odd = {**ROW, "accuracy": dict(ROW["accuracy"])}
    (odd["accuracy"] if name in odd["accuracy"] else odd)[name] = value
    (folder / EXPORTS).write_text(json.dumps({"files": [odd, ROW]}))
    result = read_exports(folder)
    try:
        json.dumps(odd, allow_nan=False)
    except ValueError:
        assert result == (), "no JSON at all"
        return
    assert result[-1] == SMALL
    for export in result:
        assert export.bytes > 0
        assert 0 <= export.accuracy.validation <= 100
        assert isinstance(export.file, str)


@pytest.mark.parametrize("text", ["", "[]", '{"files": 3}', '{"files": [[]]}', "\0", "{" * 10_000])
def test_a_damaged_record_is_no_record(run: Run, text: str) -> None:
    (run.folder / EXPORTS).write_text(text)
    experiment = Experiment(run.folder.parent)
    assert experiment.find(run.id).exports == ()
    experiment.add_export(run, SMALL)
    assert experiment.find(run.id).exports == (SMALL,)


@given(data=damaged | st.dictionaries(st.sampled_from(["values", "han2015", "zip"]), plain))
def test_recorded_sizes_are_checked(data: object) -> None:
    result = _sizes(data)
    assert result is None or result.values > 0
    whole = {
        "values": 24_732,
        "han2015": 45_209,
        "dense": 912_792,
        "zip": 34_642,
        "compact": 22_565,
    }
    assert _sizes({**whole, "quantised": None}) == Sizes(**whole)
    assert _sizes({**whole, "zip": data}).zip in (None, data)


def _sizes(data: object) -> Sizes | None:
    return read_record({"sizes": data}, "run.json")[0].sizes
