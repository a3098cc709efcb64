"""A sweep followed by the files it writes: what is told, who stops it, and how it ends."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from core.errors import InputError, StoppedError, WorkError
from core.events import Accuracy, Batch, Epoch, Event, Notice, Progress, Stream, drain
from core.executors.events import TrialBegan, TrialLabel, TrialLost, TrialReported
from core.experiments.run_record import FINETUNE, RunRecord, StageAccuracies
from core.sweep.live.event_json import event_from, event_json
from core.sweep.live.events import (
    CaughtUp,
    SweepPlanned,
    SweepProgress,
    SweepResult,
    TrialEnded,
    TrialOutcome,
    TrialProgress,
    TrialStopped,
    TrialStopping,
)
from core.sweep.live.folder import (
    KEPT,
    LOG,
    PROGRESS,
    SweepFolder,
    check_alone,
    newest_sweep,
    sweeps_of,
)
from core.sweep.live.log import StopRequests, logged
from core.sweep.live.watching import watch

FIRST, SECOND = TrialLabel(1, "10x lamp", 0), TrialLabel(2, "20x lamp", 0)
RECORD = RunRecord(
    kind=FINETUNE, ratio=10.0, accuracy=StageAccuracies(finetuned=Accuracy(99.2, 99.3))
)
DONE = TrialOutcome(FIRST, RECORD, "0001", is_new=True, seconds=2.5)
LASTING: tuple[Event, ...] = (
    Notice("few images", warning=True),
    SweepPlanned((FIRST, SECOND), recorded=1),
    TrialBegan(FIRST, "0001", 10.0, resumed=True),
    TrialReported(FIRST, Epoch(1, 0.1, 98.5, 1.0, 0.9, True, 0, 5000)),
    TrialReported(FIRST, Notice("a notice")),
    TrialLost(FIRST, "killed"),
    TrialStopping(FIRST),
    TrialEnded(DONE),
    TrialStopped(SECOND),
)
RESULT = SweepResult((DONE,), (SECOND,), stopped=False)


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    return SweepFolder.claim(tmp_path)


def sweep(*events: Event, result: SweepResult = RESULT) -> Stream[SweepResult]:
    yield from events
    return result


def run(folder: SweepFolder, stream: Stream[SweepResult]) -> SweepResult:
    return drain(logged(stream, folder, ["sweep", "--ratio", "10,20"]))


def seen_in(folder: SweepFolder) -> tuple[SweepResult | None, list[Event]]:
    events: list[Event] = []
    return drain(watch(folder), events.append), events


@pytest.mark.parametrize("event", [*LASTING, SweepProgress((TrialProgress(FIRST, 0.5, 1, 2),))])
def test_an_event_read_back_is_the_same(event: Event) -> None:
    data = event_json(event)
    assert data is not None
    assert event_from(json.loads(json.dumps(data, allow_nan=False))) == event


def test_a_loss_that_is_not_finite_is_read_back_as_such() -> None:
    data = event_json(Epoch(1, math.inf, 98.5, 1.0, 0.9, True, 0))
    event = event_from(json.loads(json.dumps(data, allow_nan=False)))
    assert isinstance(event, Epoch)
    assert math.isnan(event.loss)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"event": "x"},
        {"event": ["trial lost"]},
        {"event": "trial lost", "trial": 3},
        {"event": "reported", "trial": {}, "said": {"event": "notice"}},
        {"event": "epoch"},
    ],
)
def test_what_is_damaged_is_no_event(data: dict[str, object]) -> None:
    assert event_from(data) is None


def test_whoever_comes_later_sees_all_that_lasts_and_how_it_ended(folder: SweepFolder) -> None:
    assert run(folder, sweep(Progress("planning"), *LASTING)) == RESULT
    result, events = seen_in(folder)
    assert result == RESULT
    assert events[1:-1] == [*LASTING]
    assert not folder.is_running
    assert newest_sweep(folder.experiment) == folder


def test_what_happens_now_comes_as_it_happens(
    folder: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.sweep.live.log.PACE", 0.0)
    batch = TrialReported(FIRST, Batch(1, 2, 50, 100, 0.1, 90.0, 1.0))
    driver = logged(sweep(*LASTING[1:3], batch, *LASTING[3:]), folder, ["sweep"])
    events: list[Event] = []
    drain(watch(folder, pause=lambda _: _step(driver)), events.append) if next(driver) else None
    assert events.index(CaughtUp()) < events.index(LASTING[2])
    assert SweepProgress((TrialProgress(FIRST, 0.25, 1, 2),)) in events
    assert "Batch" not in (folder.path / LOG).read_text()


def _step(driver: Stream[SweepResult]) -> bool:
    next(driver, None)
    return False


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (InputError("bad"), InputError),
        (WorkError("broken"), WorkError),
        (StoppedError("stopped"), StoppedError),
        (ZeroDivisionError("by 0"), WorkError),
    ],
)
def test_an_error_of_the_sweep_is_one_of_those_who_watch(
    folder: SweepFolder, error: Exception, expected: type[Exception]
) -> None:
    def broken() -> Stream[SweepResult]:
        yield Progress("planning")
        raise error

    with pytest.raises(type(error)):
        run(folder, broken())
    with pytest.raises(expected, match=str(error)):
        seen_in(folder)


def test_a_driver_that_is_killed_is_noticed(folder: SweepFolder) -> None:
    driver = logged(sweep(*LASTING), folder, ["sweep", "--ratio", "10,20"])
    next(driver)
    (folder.path / LOG).write_bytes((folder.path / LOG).read_bytes() + b'{"event": "trial beg')
    saved = (folder.path / LOG).read_bytes()
    driver.close()
    (folder.path / LOG).write_bytes(saved)  # without a last word, as after kill -9
    with pytest.raises(WorkError, match="to continue: featherweight sweep --ratio 10,20"):
        seen_in(folder)


def test_requests_to_stop_reach_the_driver(
    folder: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.sweep.live.log.LOOK", 0.0)
    asked = StopRequests(folder, lambda: False)
    assert (asked.sweep(), asked.trials()) == (False, set())
    folder.stop(2)
    (folder.path / "stop" / "x").touch()
    assert (asked.sweep(), asked.trials()) == (False, {2})
    folder.stop()
    assert asked.sweep()
    assert StopRequests(folder, lambda: True).sweep()


def test_a_stop_flag_of_those_who_watch_asks_and_a_key_leaves(folder: SweepFolder) -> None:
    driver = logged(sweep(*LASTING), folder, ["sweep"])
    next(driver)
    stopped = drain(watch(folder, lambda: True, lambda _: True))
    assert stopped is None
    assert folder.stops() == (True, set())
    driver.close()
    assert seen_in_or(folder, StoppedError)


def seen_in_or(folder: SweepFolder, error: type[Exception]) -> bool:
    with pytest.raises(error):
        seen_in(folder)
    return True


def test_files_that_cannot_be_written_end_the_watching_not_the_sweep(
    folder: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.sweep.live.log.PACE", 0.0)
    (folder.path / PROGRESS).mkdir()
    events: list[Event] = []
    assert drain(logged(sweep(*LASTING), folder, ["sweep"]), events.append) == RESULT
    texts = [event.text for event in events if isinstance(event, Notice)]
    assert sum("can no longer be watched" in text for text in texts) == 1


def test_old_sweeps_make_way_and_the_one_that_runs_is_found_first(
    tmp_path: Path, folder: SweepFolder
) -> None:
    driver = logged(sweep(*LASTING), folder, ["sweep"])
    next(driver)
    later = [SweepFolder.claim(tmp_path) for _ in range(KEPT + 3)]
    for other in later[-2:]:
        run(other, sweep(*LASTING))
    assert folder in sweeps_of(tmp_path)
    assert len(sweeps_of(tmp_path)) <= KEPT + 2
    assert newest_sweep(tmp_path) == folder
    with pytest.raises(InputError, match="featherweight sweep --attach"):
        check_alone(tmp_path)
    driver.close()
    check_alone(tmp_path)
    assert newest_sweep(tmp_path) == later[-1]
    assert newest_sweep(tmp_path / "none") is None
