"""The words of the command that runs a sweep of the net on the screen."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from core.experiments.experiment import Experiment
from core.settings.settings import SETTINGS, Settings
from tui.state.state import State
from tui.state.sweep.form import METHODS, PLACES, SweepForm

ALWAYS = ("precision", "device")
"""Settings that are given even if they have their defaults: a settings file may have others."""


def sweep_words(form: SweepForm, state: State, experiment: Experiment) -> list[str]:
    """The words after `featherweight`.

    A base that a run produced is what the trials start from; raises InputError if that is gone.
    """
    seeds = [str(form.settings.seed + place) for place in range(form.seeds)]
    ratios = [text.strip().removesuffix("x") for text in form.ratios.split(",")]
    words = ["sweep", "--ratio", ",".join(ratios), "--seeds", ",".join(seeds)]
    words += ["--allocate", ",".join(METHODS[form.methods])]
    words += PLACES[form.place].words
    if form.workers > 1 and not form.place:
        words += ["--workers", str(form.workers)]
    if state.locks:
        locks = (f"{name}={sparsity!r}" for name, sparsity in state.locks.items())
        words += ["--lock", ",".join(locks)]
    settings = form.settings
    run = state.base.run if state.base else None
    skipped = {"seed"} | ({"weights"} if run else set())
    words += [word for name, word in _options(settings) if name not in skipped]
    if run:
        words += ["--weights", str(experiment.find(run).weights_path)]
    return [*words, "--experiment", str(experiment.folder)]


def _options(settings: Settings) -> Iterator[tuple[str, str]]:
    """The settings that differ from the defaults, by name, as words."""
    owners = (settings, settings.inputs, settings.changes)
    for name, declared in SETTINGS.items():
        value = next(getattr(owner, name) for owner in owners if hasattr(owner, name))
        if value is not None and (value != declared.default or name in ALWAYS):
            for word in shlex.split(declared.given(value)):
                yield name, word
