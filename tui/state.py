"""What the screen shows: immutable, and every way in which it can change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from core.footprint import Footprint, total
from core.plans import Plan

if TYPE_CHECKING:
    from core.events import Accuracy, Batch, Epoch
    from core.whatif import Cut, Profile
    from core.workbench import Net

PLOTS = ("histogram", "accuracy", "parameters", "size")
STEP = 0.01
UNDO_LIMIT = 500


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a plan came to: an accuracy that was measured, with what it was measured on.

    Attributes:
        base: the net that was pruned.
        net: what came of it, where it can be adopted.
        seconds: that it took.
    """

    plan: Plan
    base: Net
    accuracy: Accuracy
    footprint: Footprint
    net: Net | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Course:
    """How a training goes or went: what the accuracy plot draws.

    Attributes:
        live: after each batch: epochs done (fractional), accuracy in percent and mean loss.
        finetuning: it works towards a plan, and a dense accuracy is there to compare with.
    """

    planned: int
    finetuning: bool
    epochs: tuple[Epoch, ...] = ()
    live: tuple[tuple[float, float, float], ...] = ()
    batch: Batch | None = None

    @property
    def best(self) -> Epoch | None:
        """The epoch that is kept: the first of the best ones that count."""
        counting = [epoch for epoch in self.epochs if epoch.final]
        return max(counting, key=lambda epoch: epoch.validation, default=None)

    def after_batch(self, batch: Batch) -> Course:
        """With one more batch; its accuracy is smoothed over about the last ten shown."""
        at = batch.epoch - 1 + batch.seen / batch.images
        before = self.live[-1][1] if self.live else batch.accuracy
        smoothed = before + 0.1 * (batch.accuracy - before)
        return replace(self, live=(*self.live, (at, smoothed, batch.loss)), batch=batch)

    def after_epoch(self, epoch: Epoch) -> Course:
        """With one more epoch."""
        return replace(self, epochs=(*self.epochs, epoch))


@dataclass(frozen=True)
class State:
    """All that is on the screen, but for the job that runs.

    Attributes:
        base: the net that a plan is applied to; None until the dense net is there.
        plan: the sparsity of each layer as it was chosen; see `planned` for what counts.
        past, future: plans that undo and redo go to.
        chosen: index of the layer that the keys act on.
        pruned, finetuned: the last results; they may belong to another plan or base by now.
        epochs: that fine-tuning will take.
        plot: index in PLOTS of the first plot that is shown.
    """

    dense: Net | None = None
    base: Net | None = None
    plan: Plan | None = None
    past: tuple[Plan, ...] = ()
    future: tuple[Plan, ...] = ()
    chosen: int = 0
    pruned: Result | None = None
    finetuned: Result | None = None
    course: Course | None = None
    epochs: int = 5
    plot: int = 0

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """One profile for each layer of the base; none before it is there."""
        return self.base.profiles if self.base else ()

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The layers that can be pruned."""
        return tuple(profile.layer.name for profile in self.profiles)

    @cached_property
    def planned(self) -> Plan:
        """The plan, held between each layer's floor and 1: what p and f apply to the base."""
        chosen = self.plan or {}
        return {
            p.layer.name: min(max(chosen.get(p.layer.name, 0.0), p.floor), 1.0)
            for p in self.profiles
        }

    @cached_property
    def cuts(self) -> tuple[Cut, ...]:
        """The plan applied to the base, layer by layer."""
        return tuple(profile.cut(self.planned[profile.layer.name]) for profile in self.profiles)

    @cached_property
    def footprints(self) -> tuple[Footprint, ...]:
        """What each layer costs under the plan."""
        return tuple(p.footprint(c) for p, c in zip(self.profiles, self.cuts, strict=True))

    @cached_property
    def footprint(self) -> Footprint:
        """What the net costs under the plan."""
        return total(self.footprints, self.base.other_parameters if self.base else 0)

    @property
    def adopted(self) -> bool:
        """The base is not the dense net but one that was fine-tuned."""
        return self.base is not self.dense

    def is_current(self, result: Result | None) -> bool:
        """The result was made from this base with this plan."""
        return result is not None and result.base is self.base and result.plan == self.planned

    def with_dense(self, net: Net) -> State:
        """With a new dense net, which becomes the base; results of the old one are gone."""
        plan = self.plan or {profile.layer.name: 0.0 for profile in net.profiles}
        return replace(self, dense=net, base=net, plan=plan, pruned=None, finetuned=None)

    def adopt(self) -> State:
        """With the fine-tuned net as the base; its zeros become the plan's floor."""
        if self.finetuned is None or self.finetuned.net is None:
            return self
        return replace(self, base=self.finetuned.net)

    def revert(self) -> State:
        """With the dense net as the base."""
        return replace(self, base=self.dense)

    def choose(self, index: int) -> State:
        """With another layer chosen; beyond either end it stays at the end."""
        last = max(0, len(self.profiles) - 1)
        return replace(self, chosen=min(max(index, 0), last))

    def set_sparsity(self, index: int, sparsity: float) -> State:
        """With one layer's sparsity changed, held between its floor and 1."""
        if self.plan is None:
            return self
        profile = self.profiles[index]
        held = min(max(sparsity, profile.floor), 1.0)
        return self.set_plan({**self.planned, profile.layer.name: held})

    def nudge(self, steps: int) -> State:
        """With the chosen layer's sparsity moved by whole percents."""
        if self.plan is None:
            return self
        name = self.profiles[self.chosen].layer.name
        return self.set_sparsity(self.chosen, round(self.planned[name] + steps * STEP, 4))

    def spread(self) -> State:
        """With the chosen layer's sparsity given to all."""
        if self.plan is None:
            return self
        sparsity = self.planned[self.profiles[self.chosen].layer.name]
        return self.set_plan(dict.fromkeys(self.layer_names, sparsity))

    def set_plan(self, plan: Plan) -> State:
        """With another plan; the old one can be had back by undo."""
        changed = replace(self, plan=plan)
        if self.plan is None or changed.planned == self.planned:
            return self
        return replace(changed, past=(*self.past, self.plan)[-UNDO_LIMIT:], future=())

    def undo(self) -> State:
        """With the plan before the last change."""
        if not self.past or self.plan is None:
            return self
        future = (*self.future, self.plan)
        return replace(self, plan=self.past[-1], past=self.past[:-1], future=future)

    def redo(self) -> State:
        """With the plan that undo left."""
        if not self.future or self.plan is None:
            return self
        past = (*self.past, self.plan)
        return replace(self, plan=self.future[-1], future=self.future[:-1], past=past)

    def next_plot(self, steps: int) -> State:
        """With another plot in front."""
        return replace(self, plot=(self.plot + steps) % len(PLOTS))

    def show_plot(self, name: str) -> State:
        """With the plot called `name` in front."""
        return replace(self, plot=PLOTS.index(name))
