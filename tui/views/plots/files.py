"""The known sizes of the net on the screen."""

from core.experiments.exports import Export, newest_compact
from core.nets.footprint import Footprint, Sizes
from tui.plots.files import FilesData, FilesRow
from tui.state.results import Result
from tui.state.state import State
from tui.text.format import percent

TUNE, WRITE = "press f or e to measure", "press e to write"
UNMEASURED = "not measured: too large"


def data(state: State, width: int) -> FilesData:
    """The sizes of the plan's result or, failing that, of the previous plan's."""
    result, footprint = shown(state), state.footprint
    if result is None:
        return FilesData(_counted(footprint), footprint.dense_bytes, "the plan")
    current = state.is_current(result)
    net = "fine-tuned" if result.net else "pruned"
    test = f"test {percent(result.accuracy.test)} %"
    caption = f"{net}, {test}" if current else f"{net} (previous plan)"
    rows = _measured(result.sizes, result.exports) if result.sizes else _counted(result.footprint)
    return FilesData(rows, footprint.dense_bytes, caption, before=not current)


def shown(state: State) -> Result | None:
    """The plan's result or, failing that, the last one with known sizes."""
    results = (state.finetuned, state.pruned)
    return state.current or next((one for one in results if one and one.sizes), None)


def _counted(footprint: Footprint) -> tuple[FilesRow, ...]:
    """The sizes that follow from the plan alone."""
    return (
        FilesRow("dense file", None, TUNE),
        FilesRow("dense file, zipped", None, TUNE),
        FilesRow("5/8-bit index", None, TUNE, file=False),
        FilesRow("values only", footprint.pruned_bytes, file=False),
        FilesRow("compact, lossless", None, TUNE),
        FilesRow("compact, quantized", None, WRITE),
    )


def _measured(sizes: Sizes, exports: tuple[Export, ...]) -> tuple[FilesRow, ...]:
    lossless = newest_compact(exports, exact=True)
    return (
        _file("dense file", sizes.dense),
        _file("dense file, zipped", sizes.zip),
        FilesRow("5/8-bit index", sizes.han2015, file=False),
        FilesRow("values only", sizes.values, file=False),
        _file("compact, lossless", lossless.bytes if lossless else sizes.compact, WRITE),
        _quantized(newest_compact(exports, exact=False)),
    )


def _file(name: str, size: int | None, otherwise: str = UNMEASURED) -> FilesRow:
    return FilesRow(name, size, "" if size else otherwise)


def _quantized(export: Export | None) -> FilesRow:
    """The size with the accuracy measured after reading the file back."""
    if export is None:
        return FilesRow("compact, quantized", None, WRITE)
    how = export.values if export.levels is None else f"{export.levels} values"
    return FilesRow(f"compact, {how}", export.bytes, f"{percent(export.accuracy.test)} %")
