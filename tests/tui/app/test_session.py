"""The session: what it shows, asks and starts, without an app."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError, StoppedError
from tests.tui.features.sessions import session
from tests.tui.scripted_nets import MODERATE
from tui.jobs.job import JobEnded
from tui.state.training_curve import TrainingCurve
from tui.views.activity import JobProgress, Outcome


class Endless:
    """A job that never ends."""

    stopping = False


def test_an_outcome_takes_the_line_unless_a_job_needs_it():
    opened, app = session()
    opened.show(opened.state, Outcome("done"))
    assert (opened.activity.text, opened.activity.said) == ("done", None)
    opened.job, opened.activity = Endless(), JobProgress("pruning", 0.0)
    opened.show(opened.state, Outcome("also done"))
    assert (opened.activity.title, opened.activity.said.text) == ("pruning", "also done")
    assert (opened.messages.texts, app.notices) == (["done", "also done"], [])


def test_a_passing_outcome_disappears_with_the_plan_it_is_about():
    opened, _ = session()
    opened.show(opened.state, Outcome("set", transient=True))
    opened.show(opened.state)
    assert opened.activity.text == "set"
    opened.show(opened.state.set_plan(MODERATE))
    assert opened.activity.text == ""


def test_a_second_job_is_refused_and_changes_nothing():
    opened, _ = session()
    opened.job, state = Endless(), opened.state
    opened.start_job("training", lambda _: iter(()), print, curve=TrainingCurve(3, True))
    assert (opened.state, len(opened.messages.texts)) == (state, 1)


@pytest.mark.parametrize("error", [InputError("no such file"), StoppedError("stopped")])
def test_a_job_that_ends_gives_its_result_or_its_error(error: Exception):
    opened, _ = session()
    results: list[int] = []
    opened._take_end(results.append, JobEnded(None, 3))
    assert (results, opened.job) == ([3], None)
    opened._take_end(results.append, JobEnded(None, error=error))
    assert (results, opened.activity.text) == ([3], str(error))


def test_a_file_is_replaced_only_after_a_yes(tmp_path: Path):
    opened, app = session()
    written: list[Path] = []
    path = tmp_path / "recipe.toml"
    opened.write_to(str(path), written.append)
    assert written == [path]
    path.touch()
    opened.write_to(str(path), written.append)
    _, take = app.dialogs.pop()
    take(False)
    assert written == [path]
    take(True)
    assert written == [path, path]
