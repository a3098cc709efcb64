"""The command line: jobs with their tables and JSON, interruption, a full disk.

`test_refusals` has bad input, `tests/tui/cli/test_streams` the statuses of whole processes.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from core.nets.zoo import model_spec
from tests.terminal.conftest import Command
from tests.terminal.terminal import FEATHERWEIGHT, PATIENCE

pytestmark = pytest.mark.slow

SMALL = ("--model", "lenet-300-100")
"""The net that trains fastest."""

HAN2015 = "fc1=0.92,fc2=0.91,fc3=0.74"
"""The paper's sparsities for it."""


def featherweight(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FEATHERWEIGHT, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        **options,
    )


def test_a_folder_with_wrong_files_is_bad_input_and_left_alone(command: Command, tmp_path: Path):
    wrong = tmp_path / "t10k-labels-idx1-ubyte"
    wrong.write_bytes(b"not labels")
    process = command("run", "--data-dir", str(tmp_path))
    assert process.returncode == 2
    assert "t10k-labels-idx1-ubyte" in process.stderr
    assert "Traceback" not in process.stderr
    assert wrong.read_bytes() == b"not labels"


def test_the_version(command: Command):
    assert command("--version").stdout.startswith("featherweight ")


def test_without_a_terminal_the_default_job_runs(data_dir: Path):
    process = featherweight(*SMALL, "--epochs", "1", "--data-dir", str(data_dir))
    assert process.returncode == 0
    assert len(process.stderr.splitlines()) == 1
    assert "run --preset han2015 --recipe fast" in process.stderr
    assert "22,186 of 266,610 parameters" in process.stdout
    assert "12.02x smaller" in process.stdout
    assert "revived weights: 0" in process.stdout
    assert "\x1b" not in process.stdout


def test_a_run_follows_a_recipe_file_and_a_goal_and_records_itself(
    command: Command, data_dir: Path, tmp_path: Path
):
    recipe, target = tmp_path / "recipe.toml", tmp_path / "run.json"
    recipe.write_text("seed = 3\n[finetune]\nepochs = 4\nscale_dropout = false\n")
    options = ("--ratio", "20", "--lock", "fc3=0.25", "--epochs", "1", "--config", str(recipe))
    place = ("--experiment", str(tmp_path / "mine"), "--data-dir", str(data_dir))
    process = command("run", *SMALL, *options, *place, "--json", str(target))
    assert process.returncode == 0, process.stderr
    report = json.loads(target.read_text())
    assert report["nonzero"] == 266_610 // 20
    assert report["layers"][2]["sparsity"] == 0.25
    assert (report["seed"], len(report["epochs"])) == (3, 1)
    assert report["finetuning"]["scale_dropout"] is False
    assert (report["experiment"], report["run"]) == (str(tmp_path / "mine"), "0001")
    assert f"recorded as {tmp_path / 'mine'}:0001" in process.stdout
    record = json.loads((tmp_path / "mine" / "0001" / "run.json").read_text())
    assert record["accuracy"] == report["accuracy"]
    assert all((each["goal"], each["allocate"]) == ("20x", "lamp") for each in (record, report))

    recipe.write_text("seed = 3\n[finetune]\nepoch = 4\n")
    process = command("run", "--config", str(recipe))
    assert process.returncode == 2
    assert f"{recipe} line 3: unknown key 'epoch' in [finetune]" in process.stderr
    assert "did you mean 'epochs'?" in process.stderr


def test_the_lightest_net_is_a_table_json_runs_and_a_file(
    command: Command, data_dir: Path, tmp_path: Path
):
    target, file = tmp_path / "found.json", tmp_path / "light.fw"
    options = ("--max-drop", "90", "--lock", "fc1=0.9,fc2=0.9", "--epochs", "1")
    place = ("--experiment", str(tmp_path / "mine"), "--data-dir", str(data_dir), "--to", str(file))
    process = command("lightest", *SMALL, *options, *place, "--json", str(target))
    assert process.returncode == 0, process.stderr
    report = json.loads(target.read_text())
    (trial,) = report["trials"]
    assert report["best"] == trial
    assert (round(trial["asked"], 1), trial["good"], trial["run"]) == (9.9, True, "0001")
    assert trial["cost"] == trial["nonzero"] == 23_520 + 3_000 + 1 + 410
    assert report["least"] == [trial["accuracy"]["dense"]["validation"] - 90]
    assert (report["by"], report["seeds"], report["complete"]) == ("parameters", [0], True)
    assert "trial 1: 9.9x, 1 epoch" in process.stdout
    assert f"{file}: {file.stat().st_size:,} bytes" in process.stdout
    assert report["file"] == str(file)
    record = json.loads((tmp_path / "mine" / "0001" / "run.json").read_text())
    said = {"trial": 1, "least": report["least"][0], "by": "parameters"}
    assert record["lightest"] == said


def test_an_interrupted_run_measures_its_net_and_says_so(data_dir: Path):
    command = [FEATHERWEIGHT, "run", *SMALL, "--sparsity", HAN2015, "--data-dir", str(data_dir)]
    run = subprocess.Popen(
        [*command, "--json", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stderr is not None
    for line in run.stderr:
        if line.startswith("pruned:"):
            break
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    assert "Traceback" not in err
    report = json.loads(out)
    assert report["stopped"] is True
    assert report["nonzero"] == 22_186
    assert report["parameters"] == 266_610
    assert report["ratio"] == 12.02
    assert report["revived"] == 0
    assert report["accuracy"]["dense"]["test"] >= 98
    assert report["accuracy"]["pruned"]["test"] < 98
    assert [layer["kept"] for layer in report["layers"]] == [18_816, 2_700, 260]


def test_a_second_interrupt_leaves_at_once(data_dir: Path):
    run = subprocess.Popen(
        [FEATHERWEIGHT, "run", *SMALL, "--data-dir", str(data_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    for start in ("dense:", "stopping"):
        assert any(line.startswith(start) for line in run.stdout)
        run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    assert err.splitlines() == ["featherweight: interrupted"]


def test_a_download_without_space_fails_and_leaves_nothing_half_written(tmp_path: Path):
    """The file size limit of the process stands in for a full disk."""
    process = subprocess.run(
        [FEATHERWEIGHT, "data", "fetch", "mnist", "--data-dir", str(tmp_path / "new")],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode == 1
    assert "no space left" in process.stderr
    assert "Traceback" not in process.stderr
    files = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert all(path.stat().st_size == 0 for path in files)


def test_a_scan_is_a_table_and_json(command: Command, data_dir: Path, tmp_path: Path):
    target = tmp_path / "scan.json"
    options = ("--sparsities", "0.5,0.9", "--uniform", "--data-dir", str(data_dir))
    process = command("scan", "--model", "lenet-5", *options, "--json", str(target))
    assert process.returncode == 0, process.stderr
    lines = [line.split() for line in process.stdout.splitlines()]
    assert ["layer", "50", "%", "90", "%"] in lines
    report = json.loads(target.read_text())
    assert (report["split"], report["images"], report["exact"]) == ("validation", 5000, True)
    assert report["sparsities"] == report["uniform"]["sparsities"] == [0.5, 0.9]
    for name, row in {**report["layers"], "uniform": report["uniform"]["accuracy"]}.items():
        assert [name, *(f"{accuracy:.2f}" for accuracy in row)] in lines
    assert report["layers"]["conv1"][1] + 15 < report["layers"]["fc1"][1]
    assert {seen for row in report["seen"].values() for seen in row} == {5000}


def test_a_bench_is_a_table_and_json(command: Command, data_dir: Path, tmp_path: Path):
    target = tmp_path / "bench.json"
    dense = str(model_spec("lenet-300-100").shipped_weights)
    options = (*SMALL, "--threads", "1", "--seconds", "0.2", "--data-dir", str(data_dir))
    process = command("bench", dense, *options, "--json", str(target))
    assert process.returncode == 0, process.stderr
    report = json.loads(target.read_text())
    assert (report["model"], report["precision"], report["threads"]) == (SMALL[1], "fp32", 1)
    assert report["parameters"] == {"dense": 266_610, "pruned": 266_610, "compacted": 266_610}
    assert report["bytes"]["dense"] == 4 * 266_610
    assert report["macs"]["dense"] == 266_200
    for engine in ("torch", "torch channels_last", "sparse"):
        rows = [row for row in report["rows"] if row["engine"] == engine]
        assert [row["batch"] for row in rows] == [1, 64]
        assert all(0 < row["low"] <= row["median"] <= row["high"] for row in rows)
        assert process.stdout.count(f"{engine} ") >= 2
    for row in report["rows"]:
        if row["gain"] < 1:
            assert f"{1 / row['gain']:.1f}x slower" in process.stdout
    assert process.stdout.count(" best") >= 2


def test_a_quick_scan_shows_its_intervals(command: Command, data_dir: Path):
    options = ("--quick", "--within", "3", "--split", "test", "--sparsities", "0.9")
    process = command("scan", *options, "--data-dir", str(data_dir), "--json", "-")
    assert process.returncode == 0, process.stderr
    report = json.loads(process.stdout)
    assert (report["split"], report["images"], report["exact"]) == ("test", 10_000, False)
    for name, (accuracy,) in report["layers"].items():
        ((low, high),) = report["intervals"][name]
        assert low <= accuracy <= high <= low + 6
        assert f"{(low + high) / 2:.1f} ±{(high - low) / 2:.1f}" in process.stderr


def test_an_interrupted_scan_keeps_its_points(data_dir: Path):
    options = ("--precision", "fp32", "--sparsities", "0.5,0.9", "--data-dir", str(data_dir))
    command = [FEATHERWEIGHT, "scan", *options]
    scan = subprocess.Popen(
        [*command, "--split", "test", "--json", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert scan.stderr is not None
    assert any(line.startswith("scanned: up to 1,000 of 10,000") for line in scan.stderr)
    scan.send_signal(signal.SIGINT)
    out, err = scan.communicate(timeout=PATIENCE)
    assert scan.returncode == 130
    assert "stopped early" in err
    report = json.loads(out)
    assert report["stopped"]
    assert not report["exact"]
    seen = [images for row in report["seen"].values() for images in row]
    assert min(seen) >= 1_000
    assert max(seen) < 10_000
