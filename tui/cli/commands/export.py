"""The command `export`: write the net of a run, or the dense net, to a file and measure it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console

from core.events import StopFlag, Stream
from core.experiments.experiment import Experiment, open_run
from core.formats.export_formats import ONNX, Packing, check_target
from core.nets.footprint import BYTES_PER_VALUE
from tui.cli import checks, read_options
from tui.cli.command import Command
from tui.cli.commands.inspect import print_inspection
from tui.text.format import count, score, size_change

if TYPE_CHECKING:
    from core.jobs.export import ExportResult
    from core.jobs.net import Net


def prepare(args: Namespace) -> Command[tuple[Net, ExportResult]]:
    """Check the options; raises InputError."""
    run = None if args.run is None else open_run(args.run)
    settings = read_options.settings_of_net(args, run) if run else read_options.settings_of(args)
    shares_values = args.levels is not None or args.max_drop is not None
    values = args.values or ("codebook" if shares_values else "float32")
    packing = Packing(values, args.levels, args.max_drop, args.tune)
    check_target(args.to, packing)
    checks.check_target(args.to, args.json)
    workbench = checks.workbench_for(args, settings, run)
    from core.formats.onnx import check_onnx
    from core.jobs.dense_net import measured_net, open_dense_net
    from core.jobs.export import export, export_report, record_export

    if args.to.suffix == ONNX:
        check_onnx()

    def work(stop: StopFlag) -> Stream[tuple[Net, ExportResult]]:
        if run is None:
            net = yield from open_dense_net(workbench, stop)
        else:
            yield from workbench.splits(stop)
            dense = run.dense_weights(workbench.models.uninitialized())
            net = yield from measured_net(workbench, dense, stop, run.record.stage)
        file = yield from export(workbench, net.weights, args.to, packing, stop)
        if run is not None:
            yield from record_export(file, packing, Experiment(run.folder.parent), run.id)
        return net, file

    def show(result: tuple[Net, ExportResult], console: Console) -> Mapping[str, Any]:
        net, file = result
        report = export_report(file, packing, net.accuracy)
        if file.inspection is not None:
            print_inspection(report, file.accuracy, console)
        size = BYTES_PER_VALUE * workbench.parameters
        console.print(
            f"{file.path}: {count(file.bytes)} bytes, {size_change(file.bytes, size)} "
            f"than {count(size)} in float32; test accuracy {score(net.accuracy)} % before, "
            f"{score(file.accuracy)} % as read back"
        )
        return report

    return Command(work, show, args.json)
