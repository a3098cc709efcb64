"""The story: steps, each with a caption, what it does and what it waits for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.settings.recipe_changes import RecipeChanges
from tui.screens.overlay import Overlay
from tui.views.activity import JobProgress

if TYPE_CHECKING:
    from tui.app import FeatherweightApp

Condition = Callable[["FeatherweightApp"], bool]

READING = 3.5
"""Seconds in which a room reads a caption and finds what it speaks of."""

RECIPE = RecipeChanges(epochs=2)
"""Fine-tuning recovers most of the accuracy in two epochs, while a room still watches."""


@dataclass(frozen=True)
class Step:
    """One caption and what happens under it.

    Attributes:
        caption: with names of `tui.demo.facts` and of actions, for their keys, in braces; empty to
            keep the last one.
        does: actions of the main screen, such as `training.prune`, or the keys of a dialog.
        until: what to wait for afterwards.
        before: seconds to read the caption before anything happens.
        between: seconds between two actions.
        after: seconds to watch the result.
    """

    caption: str
    does: tuple[str, ...] = ()
    until: Condition = lambda _: True
    before: float = 0.0
    between: float = 0.5
    after: float = READING


def opened(app: FeatherweightApp) -> bool:
    """The dense net is on the screen."""
    return app.state.base is not None and app.job is None


def idle(app: FeatherweightApp) -> bool:
    """No job is running."""
    return app.job is None


def measured(app: FeatherweightApp) -> bool:
    """Nothing is running, in the background either."""
    return app.job is None and not app.measuring


def trained(share: float) -> Condition:
    """This share of the training's batches has passed."""

    def reached(app: FeatherweightApp) -> bool:
        batch = app.activity.batch if isinstance(app.activity, JobProgress) else None
        if batch is None:
            return app.job is None
        return (batch.epoch - 1 + batch.seen / batch.images) / batch.epochs >= share

    return reached


def exported(app: FeatherweightApp) -> bool:
    """The fine-tuned net is in a file."""
    tuned = app.state.finetuned
    return app.job is None and tuned is not None and bool(tuned.exports)


def asked(app: FeatherweightApp) -> bool:
    """A dialog, or another screen over the main one, is open."""
    return isinstance(app.screen, Overlay) and app.screen.is_mounted


def answered(app: FeatherweightApp) -> bool:
    """It is closed again."""
    return app.screen is app.main_screen


SCRIPT = (
    Step("How light can a neural net be?", until=opened, after=1.0),
    Step("This net reads {dense} % of handwritten digits correctly"),
    Step("It has {parameters} parameters in {layers} layers", after=3.0),
    Step("Most weights are close to zero. Are they needed?", ("planning.choose(1)",)),
    Step(
        "The higher a layer's sparsity, the fewer weights it keeps",
        ("planning.nudge(5)",) * 12,
        measured,
        before=1.5,
        between=0.4,
        after=3.0,
    ),
    Step(
        "{presets}: a preset sets every layer at once",
        ("planning.presets",),
        asked,
        before=1.5,
        after=2.0,
    ),
    Step("This one keeps one parameter in 37", ("down",), after=2.0),
    Step("The plan: {ratio} lighter, {kept} parameters remain", ("enter",), answered),
    Step(
        "{prune}: prune. The other {removed} are gone",
        ("training.prune",),
        idle,
        before=2.0,
        after=0.5,
    ),
    Step("Pruned, it gets {pruned} % right: no better than guessing", after=4.0),
    Step(
        "{fine-tune}: fine-tune. What remains learns again",
        ("training.finetune",),
        trained(0.2),
        before=2.0,
        after=0,
    ),
    Step("Weights go little by little, and the others take over", (), trained(0.6), after=0),
    Step("The level line is the dense net: can it get back there?", (), idle, after=0.5),
    Step("Back to {finetuned} % right, with {share} % of the parameters", after=4.5),
    Step(
        "{predictions}: both nets read the same test images",
        ("plots.images",),
        measured,
        before=1.0,
        after=3.0,
    ),
    Step("These digits only the light net gets wrong", ("plots.images",), measured),
    Step(
        "{open-history}: every run is kept, to compare and restore",
        ("history.show",),
        asked,
        before=1.0,
    ),
    Step("", ("escape",), answered, after=0.5),
    Step("{export}: export it to a compact file", ("exporting.ask",), asked, before=1.0, after=1.5),
    Step("It is written, read back and measured", ("enter",), exported, after=1.0),
    Step("The file takes {file}; the dense net took {before}", after=4.5),
    Step("It is {path}"),
    Step("Now it is your turn: {help} explains every key", after=4.0),
)
