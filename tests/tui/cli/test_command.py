"""What every command does after its checks: its exit status, whatever happens on the way."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.errors import InputError, StoppedError, WorkError, WriteError
from core.events import Notice, StopFlag, Stream
from core.executors.events import TrialLabel, TrialReported
from tests.tui.hostile import HOSTILE, assert_harmless
from tui.cli.command import Command
from tui.cli.main import main

Work = Callable[[StopFlag], Stream[dict[str, object]]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs a stream as the command `run` runs its own."""

    def perform(work: Work, report: str | None = None) -> int:
        def show(result: dict[str, object], console: object) -> dict[str, object]:
            console.print("the result")
            return result

        command = Command(work, show, report)

        def prepare(_: object) -> Command[dict[str, object]]:
            if report == "-":
                print("printed by a net that is built")
            return command

        commands = {"tui.cli.commands.run": SimpleNamespace(prepare=prepare)}
        monkeypatch.setattr("tui.cli.main.import_module", commands.__getitem__)
        return main(["run", *(("--json", report) if report else ())])

    return perform


def stopped_by(*numbers: int) -> Work:
    def work(stop: StopFlag) -> Stream[dict[str, object]]:
        for number in numbers:
            signal.raise_signal(number)
        yield Notice("working")
        return {"stopped": stop()}

    return work


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_stops_the_job_and_its_results_are_shown(
    number: int, status: int, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(stopped_by(number)) == status
    out, err = capsys.readouterr()
    assert out.startswith("stopping (")
    assert out.endswith("the result\n")
    assert err == ""


def test_only_the_report_is_on_standard_output_if_json_has_it(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    def work(stop: StopFlag) -> Stream[dict[str, object]]:
        print("printed by a net that runs")
        yield Notice("working")
        return {"nonzero": 5}

    assert run(work, "-") == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"nonzero": 5}
    assert err.splitlines() == [
        "printed by a net that is built", "printed by a net that runs", "working", "the result"
    ]  # fmt: skip


def test_a_second_signal_ends_at_once_with_the_status_of_the_first(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(stopped_by(signal.SIGTERM, signal.SIGINT)) == 143
    out, err = capsys.readouterr()
    assert "the result" not in out
    assert err == "featherweight: terminated\n"


@pytest.mark.parametrize(
    ("error", "status"), [(InputError, 2), (WriteError, 1), (WorkError, 1), (StoppedError, 143)]
)
def test_an_error_is_one_line(
    error: type[Exception], status: int, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_stop: StopFlag) -> Stream[dict[str, object]]:
        yield Notice("working")
        if error is StoppedError:
            signal.raise_signal(signal.SIGTERM)
        raise error("it is\nso")

    assert run(work) == status
    assert capsys.readouterr().err == "featherweight: it is so\n"


@pytest.mark.parametrize("of_trial", [False, True])
def test_what_could_not_be_stored_makes_the_status_1_and_the_result_is_shown(
    of_trial: bool, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    notice = Notice("the run could not be recorded: no space left", warning=True, lost=True)

    def work(_stop: StopFlag) -> Stream[dict[str, object]]:
        yield TrialReported(TrialLabel(1, "10x lamp", 0), notice) if of_trial else notice
        return {}

    assert run(work) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "the result"


def test_a_report_that_cannot_be_written_comes_after_the_result(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(stopped_by(), str(tmp_path / "gone" / "run.json")) == 1
    out, err = capsys.readouterr()
    assert out.endswith("the result\n")
    assert err.startswith("featherweight: cannot write")


@pytest.mark.logs_errors
def test_an_error_that_nobody_foresaw_is_one_line_and_in_the_log(
    run: Callable[..., int], error_log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_stop: StopFlag) -> Stream[dict[str, object]]:
        yield Notice("working")
        raise LookupError(HOSTILE)

    assert run(work) == 1
    err = capsys.readouterr().err
    assert err.startswith("featherweight: LookupError: [/red]")
    assert err.count("\n") == 1
    assert "in work" in error_log.read_text(encoding="utf-8")
    for text in (err, error_log.read_text(encoding="utf-8")):
        assert_harmless(text)
