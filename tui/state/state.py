"""The state of the screen: immutable, with every way it can change."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from core.nets.footprint import DeadUnits, Footprint, Sizes, total
from core.pruning.plans import Plan
from core.settings.settings import DEFAULTS, Settings
from tui.state.layer_list import ListedLayers
from tui.state.measurement import FIRST_DIGITS, Comparison, Estimate, ImageSelection, LayerActivity
from tui.state.results import Keyed, Result, ResultKey, Speed
from tui.state.training_curve import TrainingCurve
from tui.state.undo import UndoPoint, within_limits

if TYPE_CHECKING:
    from core.events import Accuracy
    from core.experiments.exports import Export
    from core.jobs.workbench import Net
    from core.pruning.curves import Scan
    from core.pruning.what_if import Profile, WhatIf

TOLERANCES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0)
"""Points below dense that the line in the sensitivity plot may lie."""

STEP = 0.01


@dataclass(frozen=True)
class State:
    """Everything on the screen except the running job.

    Attributes:
        base: the net that a plan is applied to; None until the dense net is there.
        plan: the sparsity of each layer as it was chosen; see `planned` for what counts.
        past, future: what undo and redo go to.
        listing: which layers the table lists, and which of them the keys act on.
        locked: names of layers that are left alone where sparsities are given to several.
        pruned, finetuned: the last results; they may belong to another plan or base by now.
        last_estimate: the last accuracy measured in the background, likewise; see `estimate`.
        scans: by the digest of the weights that they were made on.
        scanned: the digest of those that the last one was made on.
        digits: the test images that are looked at.
        comparison: the last of them that were seen, with what both nets say they are.
        counts: what each layer does, of the net that was counted last.
        speed: how fast the net is that was timed last.
        tolerance: points below the base's accuracy where the sensitivity plot has its line.
        settings: how a net is fine-tuned, among what does not change.
        curve: of the training that runs or ran last.
        plot: the name of the first plot that is shown.
    """

    dense: Net | None = None
    base: Net | None = None
    plan: Plan | None = None
    past: tuple[UndoPoint, ...] = ()
    future: tuple[UndoPoint, ...] = ()
    listing: ListedLayers = field(default_factory=ListedLayers)
    locked: frozenset[str] = frozenset()
    pruned: Result | None = None
    finetuned: Result | None = None
    last_estimate: Estimate | None = None
    scans: Mapping[str, Scan] = field(default_factory=dict)
    scanned: str = ""
    tolerance: float = 1.0
    images: ImageSelection = FIRST_DIGITS
    comparison: Comparison | None = None
    activity: LayerActivity | None = None
    speed: Speed | None = None
    curve: TrainingCurve | None = None
    settings: Settings = DEFAULTS
    plot: str = "histogram"

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """One profile for each layer of the base; none before it is there."""
        return self.base.profiles if self.base else ()

    @cached_property
    def layer_names(self) -> tuple[str, ...]:
        """The layers that can be pruned."""
        return tuple(profile.layer.name for profile in self.profiles)

    @property
    def chosen(self) -> int:
        """Index of the layer that plots show."""
        return self.listing.chosen

    @cached_property
    def target_layers(self) -> tuple[int, ...]:
        """The layers that keys change: of a heading those that are not locked."""
        row = self.listing.row
        return self.unlocked(row.layers) if row.group else row.layers

    def unlocked(self, layers: Iterable[int]) -> tuple[int, ...]:
        """Those of some layers that are not locked."""
        names = self.layer_names
        return tuple(index for index in layers if names[index] not in self.locked)

    def sparsity_of(self, layers: Collection[int]) -> float:
        """The planned sparsity over all weights of some layers; rounded where they differ."""
        parts = [self.profiles[index].layer for index in layers]
        sparsities = [self.planned[layer.name] for layer in parts]
        if len(set(sparsities)) == 1:
            return sparsities[0]
        zeros = sum(s * layer.elements for s, layer in zip(sparsities, parts, strict=True))
        return round(zeros / sum(layer.elements for layer in parts), 4)

    @cached_property
    def planned(self) -> Plan:
        """The plan, held between each layer's floor and 1: what p and f apply to the base."""
        chosen = self.plan or {}
        return {
            p.layer.name: min(max(chosen.get(p.layer.name, 0.0), p.floor), 1.0)
            for p in self.profiles
        }

    @cached_property
    def what_ifs(self) -> tuple[WhatIf, ...]:
        """The plan applied to the base, layer by layer."""
        return tuple(profile.what_if(self.planned[profile.layer.name]) for profile in self.profiles)

    @property
    def chosen_what_if(self) -> WhatIf | None:
        """The plan applied to the layer that plots show."""
        return self.what_ifs[self.chosen] if self.what_ifs else None

    @cached_property
    def footprints(self) -> tuple[Footprint, ...]:
        """What each layer costs under the plan."""
        return tuple(p.footprint(c) for p, c in zip(self.profiles, self.what_ifs, strict=True))

    @cached_property
    def footprint(self) -> Footprint:
        """What the net costs under the plan."""
        return total(self.footprints, self.base.other_parameters if self.base else 0)

    @property
    def adopted(self) -> bool:
        """The base is not the dense net but one that was fine-tuned."""
        return self.base is not self.dense

    @property
    def current(self) -> Result | None:
        """What the plan came to last, where it was measured: fine-tuned, or pruned in one shot."""
        return next(filter(self.is_current, (self.finetuned, self.pruned)), None)

    @cached_property
    def key(self) -> ResultKey | None:
        """What a result must have been measured on to belong to this base and plan."""
        return ResultKey.of(self.base, self.planned) if self.base else None

    def is_current(self, result: Keyed | None) -> bool:
        """Whether a result belongs to this base and plan."""
        return result is not None and result.key == self.key

    @property
    def tuned(self) -> Net | None:
        """The fine-tuned net of this base and plan."""
        return self.finetuned.net if self.finetuned and self.is_current(self.finetuned) else None

    @property
    def speed_is_current(self) -> bool:
        """The net that was timed is the one that is shown: fine-tuned where there is such a net."""
        speed = self.speed
        return speed is not None and self.is_current(speed) and speed.tuned is self.tuned

    @property
    def estimate(self) -> Estimate | None:
        """The accuracy measured in the background, where it belongs to this base and plan."""
        return self.last_estimate if self.is_current(self.last_estimate) else None

    @property
    def scan(self) -> Scan | None:
        """The scan of the base, or the last one of other weights, which is stale."""
        own = self.scans.get(self.base.digest) if self.base else None
        return own or self.scans.get(self.scanned)

    @property
    def scan_is_stale(self) -> bool:
        """What there is of a scan was made on other weights than the base's."""
        return self.base is not None and self.base.digest not in self.scans

    @cached_property
    def forecast(self) -> float | None:
        """The accuracy that the scan of the base foretells for the plan, in percent."""
        if self.base is None or self.scan is None or self.scan_is_stale or self.untouched:
            return None
        from core.pruning.forecast import forecast  # NumPy comes in beside torch, not before it

        return forecast(self.scan, self.profiles, self.planned, self.base.accuracy.validation)

    @property
    def untouched(self) -> bool:
        """The plan prunes nothing that the base does not lack already."""
        return all(self.planned[p.layer.name] == p.floor for p in self.profiles)

    @property
    def undo_point(self) -> UndoPoint:
        """What undo would come back to."""
        return UndoPoint(
            dense=self.dense,
            base=self.base,
            plan=self.plan,
            pruned=self.pruned,
            finetuned=self.finetuned,
            curve=self.curve,
            settings=self.settings,
        )

    def with_dense(self, net: Net) -> State:
        """With a new dense net, which becomes the base; results of the old one are gone."""
        plan = self.plan or {profile.layer.name: 0.0 for profile in net.profiles}
        state = self if self.dense is None else self.after(self.undo_point)
        state = replace(state, dense=net, base=net, plan=plan, pruned=None, finetuned=None)
        layers = tuple(profile.layer for profile in net.profiles)
        return state if layers == self.listing.layers else state.listed(ListedLayers.of(layers))

    def with_pruned(self, result: Result, since: UndoPoint) -> State:
        """With a plan measured in one shot, which `since` had not been yet."""
        before = replace(self.undo_point, pruned=since.pruned)
        return replace(self.after(before), pruned=result)

    def with_finetuned(self, result: Result, since: UndoPoint) -> State:
        """With a net fine-tuned; undo goes to the results that there were in `since`."""
        was = since.pruned, since.finetuned, since.curve
        before = replace(self.undo_point, pruned=was[0], finetuned=was[1], curve=was[2])
        return replace(self.after(before), finetuned=result)

    def with_restored(
        self,
        base: Net,
        plan: Plan,
        net: Net,
        pruned: Accuracy | None,
        dead: DeadUnits | None,
        seconds: float = 0.0,
        sizes: Sizes | None = None,
        exports: tuple[Export, ...] = (),
    ) -> State:
        """With a net that was fine-tuned elsewhere, as if that had been here."""
        state = replace(self, base=base, plan=plan, pruned=None)
        tuned = Result(
            state.planned, base, net.accuracy, state.footprint, net, seconds, dead, sizes, exports
        )
        shot = pruned and Result(state.planned, base, pruned, state.footprint)
        return replace(state, finetuned=tuned, pruned=shot or None)

    def with_result_replaced(self, old: Result, new: Result) -> State:
        """With a result of which more is known, also where undo and redo go."""
        past = tuple(point.with_result_replaced(old, new) for point in self.past)
        future = tuple(point.with_result_replaced(old, new) for point in self.future)
        state = self._at(self.undo_point.with_result_replaced(old, new))
        return replace(state, past=past, future=future)

    def adopt(self) -> State:
        """With the fine-tuned net as the base; its zeros become the plan's floor."""
        if self.finetuned is None or self.finetuned.net is None:
            return self
        return replace(self.after(self.undo_point), base=self.finetuned.net)

    def revert(self) -> State:
        """With the dense net as the base."""
        if not self.adopted:
            return self
        return replace(self.after(self.undo_point), base=self.dense)

    def with_scan(self, digest: str, scan: Scan) -> State:
        """With a scan of the weights that have this digest."""
        return replace(self, scans={**self.scans, digest: scan}, scanned=digest)

    def tolerate(self, steps: int) -> State:
        """With the tolerance so many steps larger."""
        place = bisect_left(TOLERANCES, self.tolerance) + steps
        return replace(self, tolerance=TOLERANCES[min(max(place, 0), len(TOLERANCES) - 1)])

    @property
    def locks(self) -> Plan:
        """The sparsities of the layers that are locked."""
        return {name: self.planned[name] for name in self.layer_names if name in self.locked}

    def listed(self, listing: ListedLayers) -> State:
        """With the layers listed otherwise."""
        return replace(self, listing=listing)

    def choose(self, place: int) -> State:
        """With another row chosen; beyond either end it stays at the end."""
        return self.listed(self.listing.choose(place))

    def give(self, layers: Iterable[int], sparsity: float) -> State:
        """With one sparsity for some layers, held between each one's floor and 1."""
        return self._with_sparsities(dict.fromkeys(layers, sparsity))

    def nudge(self, steps: int) -> State:
        """With the sparsities of the chosen row moved by whole percents, each from where it is."""
        planned, names = self.planned, self.layer_names
        moved = {at: round(planned[names[at]] + steps * STEP, 12) for at in self.target_layers}
        return self._with_sparsities(moved)

    def spread(self) -> State:
        """With the chosen row's sparsity given to all that are listed and not locked."""
        layers = self.listing.row.layers
        return (
            self.give(self.unlocked(self.listing.listed), self.sparsity_of(layers))
            if layers
            else self
        )

    def toggle_lock(self) -> State:
        """With the layers of the chosen row locked; free again where all of them are locked."""
        names = {self.layer_names[index] for index in self.listing.row.layers}
        held = self.locked - names if names <= self.locked else self.locked | names
        return replace(self, locked=held)

    def _with_sparsities(self, sparsities: Mapping[int, float]) -> State:
        """With other sparsities, by the layers' indices, held between their floors and 1."""
        if self.plan is None:
            return self
        held = {
            self.layer_names[index]: min(max(sparsity, self.profiles[index].floor), 1.0)
            for index, sparsity in sparsities.items()
        }
        return self.set_plan({**self.planned, **held})

    def set_plan(self, plan: Plan) -> State:
        """With another plan; the old one can be had back by undo."""
        changed = replace(self, plan=plan)
        if self.plan is None or changed.planned == self.planned:
            return self
        return replace(self.after(self.undo_point), plan=plan)

    def set_recipe(self, settings: Settings, plan: Plan | None = None) -> State:
        """With another way to fine-tune, and perhaps another plan; undo takes back both."""
        changed = replace(self, settings=settings, plan=plan or self.plan)
        if settings == self.settings and changed.planned == self.planned:
            return self
        return replace(self.after(self.undo_point), settings=settings, plan=changed.plan)

    def after(self, point: UndoPoint) -> State:
        """With one more point undo can go back to; nothing to redo."""
        return replace(self, past=within_limits((*self.past, point)), future=())

    def undo(self) -> State:
        """As it was before the last change of sparsities, prune, fine-tuning or base."""
        if not self.past:
            return self
        future = (*self.future, self.undo_point)
        return replace(self._at(self.past[-1]), past=self.past[:-1], future=future)

    def redo(self) -> State:
        """As it was before undo."""
        if not self.future:
            return self
        past = (*self.past, self.undo_point)
        return replace(self._at(self.future[-1]), future=self.future[:-1], past=past)

    def _at(self, point: UndoPoint) -> State:
        return replace(
            self,
            dense=point.dense,
            base=point.base,
            plan=point.plan,
            pruned=point.pruned,
            finetuned=point.finetuned,
            curve=point.curve,
            settings=point.settings,
        )

    def with_curve(self, curve: TrainingCurve) -> State:
        """With another curve of a training."""
        return replace(self, curve=curve)

    def show_plot(self, name: str) -> State:
        """With the plot called `name` in front."""
        return replace(self, plot=name)
