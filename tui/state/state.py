"""The state of the main screen: immutable, with every change to it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from core.nets.footprint import DeadUnits, Footprint, Sizes, total
from core.pruning.plans import Plan
from core.settings.settings import DEFAULTS, RECONSTRUCT, Settings
from tui.state.layer_list import ListedLayers
from tui.state.measurement import Comparison, Estimate, ImageSelection, LayerActivity
from tui.state.results import Keyed, Rankings, Result, ResultKey, Speed, belongs, order_of, shot_of
from tui.state.training_curve import TrainingCurve
from tui.state.undo import UndoPoint, within_limits

if TYPE_CHECKING:
    from core.events import Accuracy
    from core.experiments.exports import Export
    from core.jobs.net import Net
    from core.pruning.budgets.costs import NetCosts, Unit
    from core.pruning.curves import Scan
    from core.pruning.what_if import Profile, WhatIf
    from core.reconstruction.measured_net import ReconstructedNet
    from core.training.recipes import Recipe

TOLERANCES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0)
"""The tolerances of the sensitivity plot, in points below the base."""


@dataclass(frozen=True)
class State:
    """Everything on the screen except the running job.

    Attributes:
        base: the net the plan is applied to; None until the dense net is open.
        plan: the sparsities as chosen; `planned` is what applies.
        locked: names of layers excluded from bulk changes.
        pruned, reconstructed, finetuned: the last results, perhaps of another plan or base.
        last_estimate: the last accuracy measured in the background, likewise.
        scans: by `scan_key` of the scanned weights.
        scanned: the key of the last scan.
        images: the test images to show.
        measuring: the progress of the background measurement, or why it failed.
        costs: what the net costs by the weights it keeps, by unit, as far as that is known.
        rankings: the weights of nets in the order in which criteria prune them.
        tolerance: allowed drop below the base's accuracy in the sensitivity plot, in points.
        plot: the name of the first visible plot.
    """

    dense: Net | None = None
    base: Net | None = None
    plan: Plan | None = None
    past: tuple[UndoPoint, ...] = ()
    future: tuple[UndoPoint, ...] = ()
    listing: ListedLayers = field(default_factory=ListedLayers)
    locked: frozenset[str] = frozenset()
    pruned: Result | None = None
    reconstructed: Result | None = None
    finetuned: Result | None = None
    last_estimate: Estimate | None = None
    scans: Mapping[str, Scan] = field(default_factory=dict)
    scanned: str = ""
    costs: Mapping[Unit, NetCosts] = field(default_factory=dict)
    rankings: Rankings = field(default_factory=Rankings)
    tolerance: float = 1.0
    images: ImageSelection = field(default_factory=ImageSelection)
    comparison: Comparison | None = None
    measuring: str = ""
    layer_activity: LayerActivity | None = None
    speed: Speed | None = None
    curve: TrainingCurve | None = None
    settings: Settings = DEFAULTS
    plot: str = "histogram"

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """One profile per layer of the base, by the criterion; empty before it is open."""
        return self.rankings.of(self.base, self.order)

    @cached_property
    def order(self) -> str:
        """The order in which weights are pruned, see `order_of`."""
        return order_of(self.settings)

    @property
    def shot(self) -> str:
        """How a plan is applied in one shot, see `shot_of`."""
        return shot_of(self.settings)

    @cached_property
    def layer_names(self) -> tuple[str, ...]:
        """The names of the prunable layers."""
        return tuple(profile.layer.name for profile in self.profiles)

    @property
    def chosen(self) -> int:
        """Index of the layer shown in plots."""
        return self.listing.chosen

    @cached_property
    def target_layers(self) -> tuple[int, ...]:
        """The layers that keys change: the selected one, or the unlocked ones of a heading."""
        row = self.listing.row
        return self.unlocked(row.layers) if row.group else row.layers

    def unlocked(self, layers: Iterable[int]) -> tuple[int, ...]:
        """The layers that are not locked."""
        names = self.layer_names
        return tuple(index for index in layers if names[index] not in self.locked)

    def sparsity_of(self, layers: Collection[int]) -> float:
        """The planned sparsity over all weights of some layers; rounded if they differ."""
        parts = [self.profiles[index].layer for index in layers]
        sparsities = [self.planned[layer.name] for layer in parts]
        if len(set(sparsities)) == 1:
            return sparsities[0]
        zeros = sum(s * layer.elements for s, layer in zip(sparsities, parts, strict=True))
        return round(zeros / sum(layer.elements for layer in parts), 4)

    @cached_property
    def planned(self) -> Plan:
        """The plan clamped to each layer's floor and 1: what p and f apply to the base."""
        chosen = self.plan or {}
        return {
            p.layer.name: min(max(chosen.get(p.layer.name, 0.0), p.floor), 1.0)
            for p in self.profiles
        }

    @cached_property
    def what_ifs(self) -> tuple[WhatIf, ...]:
        """The plan applied to each layer of the base."""
        return tuple(profile.what_if(self.planned[profile.layer.name]) for profile in self.profiles)

    @property
    def chosen_what_if(self) -> WhatIf | None:
        """The plan applied to the layer shown in plots."""
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
    def recipe(self) -> Recipe:
        """The recipe of the next training, fitted to the images once they are loaded.

        From a reconstructed net, whatever the method, the full plan is in force from the start.
        """
        settings = self.settings
        if self.reconstruction is not None:
            settings = replace(settings, changes=settings.changes.from_reconstructed())
        return settings.finetuning(self.base.training_size if self.base else None)

    @property
    def adopted(self) -> bool:
        """Whether the base is a fine-tuned or reconstructed net."""
        return self.base is not self.dense

    @property
    def current(self) -> Result | None:
        """The plan's result: fine-tuned or, failing that, reconstructed, or pruned in one shot."""
        start = self.reconstructed if self.reconstruction else None
        return next(filter(self.is_current, (self.finetuned, start, self.pruned)), None)

    @cached_property
    def key(self) -> ResultKey | None:
        """The key of results of this base and plan."""
        return ResultKey.of(self.base, self.planned, self.shot) if self.base else None

    def is_current(self, result: Keyed | None) -> bool:
        """Whether a result belongs to this base and plan."""
        return belongs(result, self.key)

    @property
    def reconstruction(self) -> ReconstructedNet | None:
        """The reconstructed net of this base and plan, which fine-tuning would start from."""
        result = self.reconstructed
        return result.reconstruction if result and self.is_current(result) else None

    @property
    def net(self) -> Net | None:
        """The fine-tuned or reconstructed net of this base and plan."""
        return self.current.net if self.current else None

    @property
    def stage(self) -> str:
        """What was done to the base to get the net on the screen, see `Result.stage`."""
        return self.current.stage if self.current else "pruned"

    @property
    def speed_is_current(self) -> bool:
        """Whether the benchmarked net is the one on the screen."""
        return self.speed is not None and self.speed.is_of(self.net, self.key)

    @property
    def estimate(self) -> Estimate | None:
        """The accuracy measured in the background, if it is of this base and plan."""
        return self.last_estimate if self.is_current(self.last_estimate) else None

    @property
    def base_scan(self) -> Scan | None:
        """The scan of the base."""
        return self.scans.get(self.scan_key(self.base)) if self.base else None

    def scan_key(self, base: Net) -> str:
        """The key of the scan of a net by the criterion, with the repair in force."""
        repair = RECONSTRUCT if self.settings.reconstructs_scans else ""
        return " ".join(filter(None, (base.digest, self.shot, repair)))

    @property
    def scan(self) -> Scan | None:
        """The scan of the base or, failing that, the last scan, which is stale."""
        return self.base_scan or self.scans.get(self.scanned)

    @cached_property
    def forecast(self) -> float | None:
        """The accuracy that the base's scan predicts for the plan, in percent."""
        if self.base is None or self.base_scan is None or self.untouched:
            return None
        from core.pruning.forecast import forecast  # late: loads NumPy

        return forecast(self.base_scan, self.profiles, self.planned, self.base.accuracy.validation)

    @property
    def untouched(self) -> bool:
        """Whether the plan prunes nothing beyond the base's zeros."""
        return all(self.planned[p.layer.name] == p.floor for p in self.profiles)

    @property
    def undo_point(self) -> UndoPoint:
        """What undo restores."""
        return UndoPoint(**{field.name: getattr(self, field.name) for field in fields(UndoPoint)})

    def with_dense(self, net: Net) -> State:
        """With a new dense net, which becomes the base; its predecessor's results are dropped."""
        plan = self.plan or {profile.layer.name: 0.0 for profile in net.profiles}
        state = self if self.dense is None else self.after(self.undo_point)
        state = replace(state.without_results(), dense=net, base=net, plan=plan)
        layers = tuple(profile.layer for profile in net.profiles)
        known = layers == self.listing.layers
        return state if known else replace(state, listing=ListedLayers.of(layers))

    def with_pruned(self, result: Result, since: UndoPoint) -> State:
        """With the plan's one-shot result; undo restores the result of `since`."""
        before = replace(self.undo_point, pruned=since.pruned)
        return replace(self.after(before), pruned=result)

    def without_results(self) -> State:
        """With no result."""
        return replace(self, pruned=None, reconstructed=None, finetuned=None)

    def with_reconstructed(self, result: Result, since: UndoPoint) -> State:
        """With the plan's reconstructed net; undo restores the results of `since`."""
        before = replace(self.undo_point, pruned=since.pruned, reconstructed=since.reconstructed)
        return replace(self.after(before), reconstructed=result)

    def with_finetuned(self, result: Result, since: UndoPoint) -> State:
        """With a fine-tuned net; undo restores the results of `since`."""
        before = replace(
            since, base=self.base, dense=self.dense, plan=self.plan, settings=self.settings
        )
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
        *,
        reconstructed: Accuracy | None = None,
    ) -> State:
        """With a net that was fine-tuned elsewhere, such as in a recorded run."""
        state = replace(self.without_results(), base=base, plan=plan)
        measured = partial(Result, state.planned, base, footprint=state.footprint, shot=self.shot)
        made = partial(measured, net=net, seconds=seconds, dead=dead, sizes=sizes, exports=exports)
        others = (measured(one) if one else None for one in (pruned, reconstructed))
        tuned, (shot, start) = made(net.accuracy), others
        return replace(state, finetuned=tuned, pruned=shot, reconstructed=start)

    def with_result_replaced(self, old: Result, new: Result) -> State:
        """With a result replaced by a more complete one, also in undo and redo."""
        past = tuple(point.with_result_replaced(old, new) for point in self.past)
        future = tuple(point.with_result_replaced(old, new) for point in self.future)
        state = self._at(self.undo_point.with_result_replaced(old, new))
        return replace(state, past=past, future=future)

    @property
    def adoptable(self) -> Net | None:
        """The net that can become the base: the plan's, else the last fine-tuned one."""
        net = self.net or (self.finetuned.net if self.finetuned else None)
        return None if net is self.base else net

    def adopt(self) -> State:
        """With the fine-tuned or reconstructed net as the base; its zeros become the floor."""
        net = self.adoptable
        return self if net is None else replace(self.after(self.undo_point), base=net)

    def revert(self) -> State:
        """With the dense net as the base."""
        return replace(self.after(self.undo_point), base=self.dense) if self.adopted else self

    def with_scan(self, key: str, scan: Scan) -> State:
        """With a scan, see `scan_key`."""
        return replace(self, scans={**self.scans, key: scan}, scanned=key)

    def with_costs(self, costs: NetCosts) -> State:
        """With what the net costs in one more unit."""
        return replace(self, costs={**self.costs, costs.unit: costs})

    def move_tolerance(self, steps: int) -> State:
        """With the tolerance moved by `steps`."""
        place = bisect_left(TOLERANCES, self.tolerance) + steps
        return replace(self, tolerance=TOLERANCES[min(max(place, 0), len(TOLERANCES) - 1)])

    @property
    def locks(self) -> Plan:
        """The sparsities of the locked layers."""
        return {name: self.planned[name] for name in self.layer_names if name in self.locked}

    def choose(self, place: int) -> State:
        """With another row selected; stops at either end."""
        return replace(self, listing=self.listing.choose(place))

    def set_sparsity(self, layers: Iterable[int], sparsity: float) -> State:
        """With one sparsity for some layers, clamped to each one's floor and 1."""
        return self._with_sparsities(dict.fromkeys(layers, sparsity))

    def nudge(self, steps: int) -> State:
        """With the sparsities of the selected row moved by whole percents."""
        planned, names = self.planned, self.layer_names
        moved = {at: round(planned[names[at]] + steps / 100, 12) for at in self.target_layers}
        return self._with_sparsities(moved)

    def copy_to_listed(self) -> State:
        """With the selected row's sparsity copied to every listed, unlocked layer."""
        layers = self.listing.row.layers
        if not layers:
            return self
        return self.set_sparsity(self.unlocked(self.listing.listed), self.sparsity_of(layers))

    def toggle_lock(self) -> State:
        """With the layers of the selected row locked or, if all are, unlocked."""
        names = {self.layer_names[index] for index in self.listing.row.layers}
        locked = self.locked - names if names <= self.locked else self.locked | names
        return replace(self, locked=locked)

    def _with_sparsities(self, sparsities: Mapping[int, float]) -> State:
        """With other sparsities by layer index, clamped to floors and 1."""
        clamped = {
            self.layer_names[index]: min(max(sparsity, self.profiles[index].floor), 1.0)
            for index, sparsity in sparsities.items()
        }
        return self.set_plan({**self.planned, **clamped})

    def set_plan(self, plan: Plan) -> State:
        """With another plan; undo restores the old one."""
        return self if self.plan is None else self.set_recipe(self.settings, plan)

    def set_recipe(self, settings: Settings, plan: Plan | None = None) -> State:
        """With other settings, and perhaps another plan; undo restores both."""
        changed = replace(self, settings=settings, plan=self.plan if plan is None else plan)
        if settings == self.settings and changed.planned == self.planned:
            return self
        return changed.after(self.undo_point)

    def after(self, point: UndoPoint) -> State:
        """With one more undo point; clears redo."""
        return replace(self, past=within_limits((*self.past, point)), future=())

    def undo(self) -> State:
        """With the last change of plan, recipe, results or base undone."""
        if not self.past:
            return self
        future = (*self.future, self.undo_point)
        return replace(self._at(self.past[-1]), past=self.past[:-1], future=future)

    def redo(self) -> State:
        """With the last undone change redone."""
        if not self.future:
            return self
        past = (*self.past, self.undo_point)
        return replace(self._at(self.future[-1]), future=self.future[:-1], past=past)

    def _at(self, point: UndoPoint) -> State:
        return replace(self, **{field.name: getattr(point, field.name) for field in fields(point)})
