"""No key, text, click or size ends the program or costs more than a panel."""

from __future__ import annotations

import os
from inspect import signature
from operator import itemgetter
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from core.experiments.experiment import Experiment
from tests.tui.conftest import ready
from tests.tui.random_keys.monkey import (
    JOBS,
    SIZES,
    Endless,
    Monkey,
    ScriptError,
    Unsteady,
    unforeseen,
)
from tests.tui.scripted_nets import net, residual
from tui.system.error_log import log_file

pytestmark = [pytest.mark.slow, pytest.mark.logs_errors]  # the errors of the script

STARTS = (SIZES[0], SIZES[1], SIZES[4])
"""Sizes at the start; the monkey goes to all of them."""

LEAST = int(os.environ.get("MONKEY_KEYS", "250"))
SEED = int(os.environ.get("MONKEY_SEED", "0"))


def test_every_job_of_the_backend_may_fail():
    backend = Unsteady(random=SimpleNamespace(choice=itemgetter(-1), random=lambda: 0.0))
    for job in JOBS:
        parameters = signature(getattr(Unsteady, job)).parameters
        with pytest.raises(ScriptError):
            next(getattr(backend, job)(*[None] * (len(parameters) - 1)))
    assert {"benchmark", "measure"} < backend.failed == JOBS


@pytest.mark.parametrize("size", STARTS, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_any_keys_leave_it_running(size, mine: Experiment, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DOWNLOAD_DIR", str(tmp_path))  # where the palette puts screenshots
    random = Random(f"{SEED} {size}")
    opened = residual() if size[0] > 100 else net()
    app = Endless(Unsteady(experiment=mine, net=opened, random=Random(f"{SEED} script")))
    async with app.run_test(size=size, tooltips=True, notifications=True) as pilot:
        await ready(pilot)
        assert app.boundary.fatal == ""
        monkey = Monkey(app, pilot, random, (size, size, *SIZES, (3, 2)))
        try:
            await monkey.play(LEAST, 10 * LEAST)
            await monkey.come_back()
            assert monkey.missing == []
            assert unforeseen(log_file()).strip() == ""
            assert app.boundary.fatal == ""
        except BaseException:
            print(f"MONKEY_SEED={SEED} at {size}: {' '.join(monkey.pressed)}")
            raise
        finally:
            app.session.backend.rested.set()
