"""The table that `scan` prints: a row a layer, a column a sparsity."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from core.pruning.curves import SPARSITIES, UNIFORM_SPARSITIES, Point, Scan
from tests.tui.state.test_layer_rows import TRANSFORMER, resnet
from tui.cli.commands.scan import print_scan, scan_lines

RESNET18 = resnet((2, 2, 2, 2), 2)
DEEP = tuple(f"stages.{stage}.blocks.{at}.conv" for stage in range(4) for at in range(50))


def scanned(names: tuple[str, ...], images: int = 5_000, uniform: bool = True) -> Scan:
    def row(sparsities: tuple[float, ...], place: int) -> tuple[Point, ...]:
        shares = (1 - sparsity * (place % 7) / 10 for sparsity in sparsities)
        return tuple(
            Point(s, round(share * images), images)
            for s, share in zip(sparsities, shares, strict=True)
        )

    layers = {name: row(SPARSITIES, place) for place, name in enumerate(names)}
    together = row(UNIFORM_SPARSITIES, 9) if uniform else ()
    return Scan("validation", 5_000, layers, together, "fp32", True, False)


def printed(scan: Scan, room: int | None) -> list[str]:
    return [line.plain for line in scan_lines(scan, room)]


def test_a_scan_of_21_layers_fits_80_columns_with_every_sparsity_and_layer():
    head, *rows = printed(scanned(RESNET18), 80)
    percents = [f"{round(100 * sparsity)}" for sparsity in UNIFORM_SPARSITIES]
    assert head.replace("%", "").split() == ["layer", *percents]
    assert [line.split()[0] for line in rows] == [
        *(name if len(name) < 15 else f"{name[:8]}…ple.0" for name in RESNET18),
        "uniform",
    ]
    assert rows[1].split()[1:] == [f"{100 - percent / 10:.1f}" for percent in range(40, 100, 5)]
    assert len(rows[-1].split()) == 1 + len(UNIFORM_SPARSITIES)
    assert max(map(len, rows)) <= 80


@pytest.mark.parametrize("images", [5_000, 1_000])
@pytest.mark.parametrize("names", [DEEP, TRANSFORMER], ids=["200", "transformer"])
def test_a_scan_of_many_layers_tells_them_apart_in_80_columns(names, images):
    *rows, last = printed(scanned(names, images), 80)[1:]
    rows = [line for line in rows if not line.startswith(("layer ", "not shown"))]
    layers = [line for line in (*rows, last) if not line.startswith(("layer ", "not", "uniform"))]
    assert len({line.split()[0] for line in layers}) == len(names)
    assert max(map(len, layers)) <= 80
    assert all(("±" in line) == (images < 5_000) for line in layers)
    assert min(len(line.split()) for line in layers) >= 9


def test_a_piped_scan_has_every_interval_and_is_as_wide_as_it_needs():
    lines = printed(scanned(DEEP, 1_000), None)
    assert len(lines) == 1 + len(DEEP) + 1
    assert all(line.count("±") == len(SPARSITIES) for line in lines[1:-1])
    assert len(set(map(len, lines))) == 1


def test_the_row_of_all_layers_is_only_there_when_asked_for():
    assert not any("uniform" in line for line in printed(scanned(RESNET18, uniform=False), 80))


def test_a_layer_that_was_not_measured_has_no_numbers():
    scan = scanned(("a", "b"), uniform=False)
    scan.layers["b"] = tuple(Point(sparsity) for sparsity in SPARSITIES)
    for room in (40, 80, None):
        assert printed(scan, room)[2].strip() == "b"


def test_all_of_few_images_have_their_intervals_in_every_width():
    points = tuple(Point(sparsity, 119, 120) for sparsity in SPARSITIES[:-1])
    scan = Scan("validation", 120, {"a": (*points, Point(0.95, 60, 120))}, (), "fp32", True, False)
    wide, narrow = printed(scan, None), printed(scan, 80)
    assert wide[1].split() == ["a", *["99", "±2"] * 11, "50", "±9"]
    assert narrow[1].split() == ["a", *["99.2"] * 11, "50.0", "±8.8"]
    console = Console(file=StringIO(), soft_wrap=True)
    print_scan(scan, "default", console)
    summary = console.file.getvalue().splitlines()[-1]
    assert summary.endswith("120 images at every point, 95 % confidence intervals")


def test_the_summary_says_what_the_numbers_are():
    console = Console(file=StringIO(), soft_wrap=True)
    print_scan(scanned(RESNET18), "default", console)
    last = console.file.getvalue().splitlines()[-1]
    assert last == "accuracy % on validation by sparsity, 5,000 images at every point"
