"""The command `inspect`: what a compact file holds, and how accurate its net is."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.data.inputs import Inputs
from core.data.registry import DATASETS, FOLDER
from core.errors import InputError
from core.events import Accuracy, Notice
from core.formats.export_formats import COMPACT
from core.nets.zoo import ZOO
from core.settings.settings import PROTOCOLS, Settings
from core.system.files import check_readable
from tui.cli import checks, options
from tui.cli.command import Command
from tui.text.format import count, percent
from tui.text.lines import clean

if TYPE_CHECKING:
    from core.events import StopFlag, Stream
    from core.formats.codec import CompactFile

TYPED = ("model", "dataset", "data_dir", "device", *Inputs.__slots__)
"""Options that have to be right; what the file says in their place need not be."""


def prepare(given: Namespace) -> Command[Accuracy | None]:
    """Check the options; raises InputError."""
    if given.file.suffix != COMPACT:
        raise InputError(f"'{given.file}' is not a compact file: expected a name ending in .fw")
    check_readable(given.file, "compact file")
    options.check_no_weights(given, str(given.file))
    checks.check_output(given.json)
    from core.jobs.export import inspect_file, inspect_report, measure_file

    inspection = inspect_file(given.file)
    settings = settings_of_file(given, inspection.file)
    missing = _missing(given, inspection.file)
    workbench = None
    if settings and not missing:
        try:
            workbench = checks.workbench_for(given, settings, given.file)
        except InputError as error:
            if any(name in given for name in TYPED):
                raise
            missing = f"not measured: {error}"  # what the file says, not what a person typed

    def work(stop: StopFlag) -> Stream[Accuracy | None]:
        try:
            if workbench:
                return (yield from measure_file(workbench, given.file, stop=stop)).accuracy
            yield Notice(missing)
        except InputError as error:
            yield Notice(f"not measured: {error}")
        return None

    def show(accuracy: Accuracy | None, console: Console) -> dict[str, Any]:
        report = inspect_report(inspection, accuracy)
        print_inspected(report, console)
        return report

    return Command(work, show, given.json)


def _missing(given: Namespace, file: CompactFile) -> str:
    """What has to be given before the net can be measured; empty where nothing has."""
    if _model_of(given, file.model) is None:
        return "a net of your own: add --model path/to/net.py:Net to measure it"
    if file.facts.get("dataset") == FOLDER.removesuffix(":") and "dataset" not in given:
        return f"a net for a folder of images: add --dataset {FOLDER}PATH to measure it"
    return ""


def settings_of_file(given: Namespace, file: CompactFile) -> Settings | None:
    """The options for the model and images a compact file names; None if it names no model."""
    model = _model_of(given, file.model)
    if model is None:
        return None
    return options.settings_of(Namespace(**{**_facts(file.facts), **vars(given), "model": model}))


def _model_of(given: Namespace, named: str) -> str | None:
    """The model of a file; a user's own must be named with --model."""
    said: str | None = getattr(given, "model", None)
    if said is not None and named and said != named:
        raise InputError(f"the file holds {named}, not {said}: remove --model")
    return said or (named if named in ZOO else None)


def _facts(facts: Any) -> dict[str, Any]:
    """What a file says about its images, checked, as options."""
    known = {"dataset": DATASETS, "protocol": PROTOCOLS}
    said = {name: facts[name] for name in known if facts.get(name) in tuple(known[name])}
    inputs = facts.get("images", facts.get("inputs", {}))
    return said | (Inputs.of(inputs).given() if isinstance(inputs, dict) else {})


def print_inspected(report: Mapping[str, Any], console: Console) -> None:
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
            f"accuracy of the file: validation {percent(accuracy['validation'])} %, "
            f"test {percent(accuracy['test'])} %"
        )
