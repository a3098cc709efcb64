"""The command `export`: write the net of a run, or the dense net, to a file and measure it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console

from core.errors import InputError
from core.events import Notice
from core.experiments.experiment import Experiment, open_run
from core.formats.export_formats import ONNX, Packing, check_target
from core.nets.footprint import BYTES_PER_VALUE
from tui.cli import checks, options
from tui.cli.command import Command
from tui.cli.commands.inspect import print_inspected
from tui.text.format import count, percent

if TYPE_CHECKING:
    from core.events import StopFlag, Stream
    from core.jobs.export import ExportResult
    from core.jobs.workbench import Net


def prepare(given: Namespace) -> Command[tuple[Net, ExportResult]]:
    """Check the options; raises InputError."""
    found = None if given.run is None else open_run(given.run)
    settings = options.settings_of_net(given, found) if found else options.settings_of(given)
    packing = _packing_of(given)
    check_target(given.to, packing)
    checks.check_output(given.to)
    workbench = checks.workbench_for(given, settings, found.weights_path if found else None)
    from core.formats.onnx import check_onnx
    from core.formats.weights_files import load_dense
    from core.jobs.dense_net import measured_net, open_dense_net
    from core.jobs.export import export, export_record, export_report

    if given.to.suffix == ONNX:
        check_onnx()

    def work(stop: StopFlag) -> Stream[tuple[Net, ExportResult]]:
        if found is None:
            net = yield from open_dense_net(workbench, stop)
        else:
            yield from workbench.splits(stop)
            dense = load_dense(found.weights_path, workbench.models.uninitialized())
            net = yield from measured_net(workbench, dense, stop)
        exported = yield from export(workbench, net.weights, given.to, packing, stop)
        if found is not None:
            try:
                Experiment(found.folder.parent).add_export(found, export_record(exported, packing))
            except InputError as error:
                yield Notice(f"the file is not recorded with run {found.id}: {error}", warning=True)
        return net, exported

    def show(result: tuple[Net, ExportResult], console: Console) -> Mapping[str, Any]:
        net, exported = result
        report = export_report(exported, packing, net.accuracy)
        if exported.inspection is not None:
            print_inspected(report, console)
        size = BYTES_PER_VALUE * workbench.parameters
        console.print(
            f"{exported.path}: {count(exported.bytes)} bytes, {size / exported.bytes:.1f}x smaller "
            f"than {count(size)} in float32; test accuracy {percent(net.accuracy.test)} %, "
            f"read back {percent(exported.accuracy.test)} %",
            markup=False,
        )
        return report

    return Command(work, show, given.json)


def _packing_of(given: Namespace) -> Packing:
    shared = given.levels is not None or given.max_drop is not None
    values = given.values or ("codebook" if shared else "float32")
    return Packing(values, given.levels, given.max_drop, given.tune)
