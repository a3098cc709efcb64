"""The command `inspect`: what a compact file holds, and the accuracy of its net."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console

from core.data.inputs import Inputs
from core.data.registry import DATASETS, FOLDER, PROTOCOLS
from core.errors import InputError
from core.events import Accuracy, Notice, StopFlag, Stream
from core.formats.recognition import COMPACT, recognize
from core.nets.zoo import ZOO
from core.settings.settings import Settings
from tui.cli import checks, read_options
from tui.cli.command import Command
from tui.cli.number_table import NumberTable
from tui.text.format import count, score

if TYPE_CHECKING:
    from core.formats.codec import CompactFile

CHECKED = ("model", "dataset", "data_dir", "device", *Inputs.__slots__)
"""Options that must be valid; if the file's own values are not, the net is not measured."""


def prepare(args: Namespace) -> Command[Accuracy | None]:
    """Check the options; raises InputError."""
    read_options.check_no_weights(args, str(args.file))
    if (kind := recognize(args.file).name) != COMPACT:
        made = "expected one written by featherweight export --to net.fw"
        raise InputError(f"{args.file} is {kind}, not a compact file: {made}")
    checks.check_output(args.json)
    from core.jobs.export import inspect_file, inspect_report, measure_file

    inspection = inspect_file(args.file)
    settings = settings_of_file(args, inspection.file)
    missing = missing_options(args, inspection.file)
    workbench = None
    if settings and not missing:
        try:
            workbench = checks.workbench_for(args, settings, args.file)
        except InputError as error:
            if any(name in args for name in CHECKED):
                raise
            missing = f"not measured: {error}"  # the file names them, not the user

    def work(stop: StopFlag) -> Stream[Accuracy | None]:
        try:
            if workbench:
                return (yield from measure_file(workbench, args.file, stop=stop)).accuracy
            yield Notice(missing)
        except InputError as error:
            yield Notice(f"not measured: {error}")
        return None

    def show(accuracy: Accuracy | None, console: Console) -> dict[str, Any]:
        report = inspect_report(inspection, accuracy)
        print_inspection(report, accuracy, console)
        return report

    return Command(work, show, args.json)


def missing_options(args: Namespace, file: CompactFile) -> str:
    """Which options are missing to run the net; empty if none is."""
    missing = dict[str, str]()
    if _model_of(args, file.model) is None:
        missing["your own"] = "--model path/to/net.py:Net"
    if file.facts.get("dataset") == FOLDER.removesuffix(":") and "dataset" not in args:
        missing["for a folder of images"] = f"--dataset {FOLDER}PATH"
    if not missing:
        return ""
    return f"this net is {' and '.join(missing)}; add {' '.join(missing.values())}"


def settings_of_file(args: Namespace, file: CompactFile) -> Settings | None:
    """The options for the model and images a compact file names; None if it names no model."""
    model = _model_of(args, file.model)
    if model is None:
        return None
    options = {**_facts(file.facts), **vars(args), "model": model}
    return read_options.settings_of(Namespace(**options))


def _model_of(args: Namespace, named: str) -> str | None:
    """The model of a file; a user's own must be named with --model."""
    model: str | None = getattr(args, "model", None)
    if model is not None and named and model != named:
        raise InputError(f"the file holds {named}, not {model}: remove --model")
    return model or (named if named in ZOO else None)


def _facts(facts: Any) -> dict[str, Any]:
    """The valid options that a file has for its images."""
    choices = {"dataset": DATASETS, "protocol": PROTOCOLS}
    valid = {name: facts[name] for name in choices if facts.get(name) in tuple(choices[name])}
    inputs = facts.get("images", facts.get("inputs", {}))
    return valid | (Inputs.of(inputs).explicit_values() if isinstance(inputs, dict) else {})


def print_inspection(
    report: Mapping[str, Any], accuracy: Accuracy | None, console: Console
) -> None:
    """Print where the bytes of a compact file go, and its accuracy if measured."""
    table = NumberTable("tensor", "shape", "nonzero", "bytes", "bits each")
    for layer in report["layers"]:
        shape = "x".join(map(str, layer["shape"]))
        nonzero, size = count(layer["nonzero"]), count(layer["bytes"])
        table.add_row(layer["name"], shape, nonzero, size, f"{layer['bits']:.2f}")
    table.print_to(console)
    parts = ", ".join(f"{name} {count(size)}" for name, size in report["parts"].items())
    console.print(f"{count(report['bytes'])} bytes: {parts}")
    if accuracy is not None:
        console.print(
            f"accuracy of the file: validation {score(accuracy, 'validation')} %, "
            f"test {score(accuracy)} %"
        )
