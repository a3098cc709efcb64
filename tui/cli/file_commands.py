"""What the commands about files of nets do: `export` and `inspect`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.data.inputs import Inputs
from core.data.registry import DATASETS, FOLDER
from core.errors import InputError
from core.events import StopFlag, Stream
from core.experiments.experiment import Experiment, open_run
from core.formats.export_formats import COMPACT, Packing, check_target
from core.nets.footprint import BYTES_PER_VALUE
from core.nets.zoo import ZOO
from core.settings.settings import PROTOCOLS, Settings
from tui.cli import options
from tui.text.format import count, percent
from tui.text.lines import clean

if TYPE_CHECKING:
    from core.formats.codec import CompactFile
    from core.jobs.export import Exported
    from core.jobs.workbench import Net


def export(given: Namespace) -> int:
    """Write the net of a run, or the dense net, to a file, and measure what the file gives."""
    found = None if given.run is None else open_run(given.run)
    settings = options.settings_of(given) if not found else options.settings_of_net(given, found)
    from tui.cli import headless

    headless.check_writable(given.json)
    headless.check_writable(str(given.to))
    from core.formats.weights_files import load_dense
    from core.jobs.dense_net import measured_net, open_dense_net
    from core.jobs.export import export as export_net
    from core.jobs.export import export_record, export_report
    from core.jobs.workbench import Workbench

    packing = _packing_of(given)
    check_target(given.to, packing)
    bench = Workbench(settings)
    console = headless.console_for(given.json)

    def stream(stop: StopFlag) -> Stream[tuple[Net, Exported]]:
        if found:
            yield from bench.splits(stop)
            dense = load_dense(found.weights_path, bench.models.vehicle())
            net = yield from measured_net(bench, dense, stop)
        else:
            net = yield from open_dense_net(bench, stop)
        return net, (yield from export_net(bench, net.weights, given.to, packing, stop))

    with headless.stop_on_interrupt(console) as stop:
        net, exported = headless.drive(stream(stop), console)
    if found:
        try:
            Experiment(found.folder.parent).add_export(found, export_record(exported, packing))
        except InputError as error:
            console.print(f"not recorded with run {found.id}: {error}", markup=False)
    report = export_report(exported, packing, net.accuracy)
    if exported.inspection is not None:
        _print_inspected(report, console)
    dense, read = net.accuracy.test, exported.accuracy.test
    size = BYTES_PER_VALUE * bench.parameters
    console.print(
        f"{exported.path}: {count(exported.bytes)} bytes, {size / exported.bytes:.1f}x smaller "
        f"than {count(size)} in float32; test accuracy {percent(dense)} %, "
        f"read back {percent(read)} %",
        markup=False,
    )
    headless.write_json(report, given.json)
    return 0


def _packing_of(given: Namespace) -> Packing:
    shared = given.levels is not None or given.max_drop is not None
    values = given.values or ("codebook" if shared else "float32")
    return Packing(values, given.levels, given.max_drop, given.tune)


def inspect(given: Namespace) -> int:
    """Say what a compact file holds, and measure it where its net and its images are there."""
    from tui.cli import headless

    headless.check_writable(given.json)
    from core.jobs.export import examine, inspect_report, inspected
    from core.jobs.workbench import Workbench

    if given.file.suffix != COMPACT:
        raise InputError(f"'{given.file}' is no compact file: expected a name that ends with .fw")
    options.check_no_weights(given, str(given.file))
    inspection = inspected(given.file)
    console = headless.console_for(given.json)
    accuracy = None
    settings = settings_of_file(given, inspection.file)
    if settings is None:
        console.print("a net of one's own: --model path/to/net.py:Net measures it")
    elif _is_for_a_folder(inspection.file) and "dataset" not in given:
        said = f"a net for a folder of images: --dataset {FOLDER}PATH measures it"
        console.print(said, markup=False)
    else:
        bench = Workbench(settings)
        try:
            with headless.stop_on_interrupt(console) as stop:
                accuracy = headless.drive(examine(bench, given.file, stop=stop), console).accuracy
        except InputError as error:
            console.print(f"not measured: {error}", markup=False)
    report = inspect_report(inspection, accuracy)
    _print_inspected(report, console)
    headless.write_json(report, given.json)
    return 0


def settings_of_file(given: Namespace, file: CompactFile) -> Settings | None:
    """The options, for the net and the images that a compact file names; None without a net."""
    model = _model_of(given, file.model)
    if model is None:
        return None
    return options.settings_of(Namespace(**{**_facts(file.facts), **vars(given), "model": model}))


def _model_of(given: Namespace, named: str) -> str | None:
    """The net of a file; one's own has to be named."""
    said: str | None = getattr(given, "model", None)
    if said is not None and named and said != named:
        raise InputError(f"the file is of {named}, not of {said}: leave --model out")
    return said or (named if named in ZOO else None)


def _facts(facts: Any) -> dict[str, Any]:
    """What a file says of its images, as the options do; nothing is trusted."""
    known = {"dataset": DATASETS, "protocol": PROTOCOLS}
    said = {name: facts[name] for name in known if facts.get(name) in tuple(known[name])}
    inputs = facts.get("images", facts.get("inputs", {}))
    return said | (Inputs.of(inputs).given() if isinstance(inputs, dict) else {})


def _is_for_a_folder(file: CompactFile) -> bool:
    """Its images are of somebody's own, and not named in it."""
    return bool(file.facts.get("dataset") == FOLDER.removesuffix(":"))


def _print_inspected(report: Any, console: Console) -> None:
    """Where the bytes of a compact file go."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("tensor")
    for name in ("shape", "nonzero", "bytes", "bits each"):
        table.add_column(name, justify="right")
    for layer in report["layers"]:
        shape = "x".join(map(str, layer["shape"]))
        nonzero, size = count(layer["nonzero"]), count(layer["bytes"])
        table.add_row(Text(clean(layer["name"])), shape, nonzero, size, f"{layer['bits']:.2f}")
    console.print(table)
    parts = ", ".join(f"{name} {count(size)}" for name, size in report["parts"].items())
    console.print(f"{count(report['bytes'])} bytes: {parts}")
    if report["accuracy"] is not None:
        accuracy = report["accuracy"]
        console.print(
            f"accuracy from the file: validation {percent(accuracy['validation'])} %, "
            f"test {percent(accuracy['test'])} %"
        )
