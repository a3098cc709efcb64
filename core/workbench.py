"""One model, one data set and the settings: the jobs that every program of ours runs.

A job is a stream. What it changes is in memory of its own, what it only asks it reads where it is:
it leaves what it is given as it was, and keeps no model when it has ended. Its result holds weights
that nobody changes afterwards, and the plain numbers a screen shows.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from core import datasets
from core.activity import bring_in, measure_activity
from core.allocator import keep_freed_memory
from core.answers import Compared, Ints, Mode, compare
from core.batches import CPU, Images, Splits
from core.bench import SECONDS, Bench
from core.costs import Activity
from core.curves import SPARSITIES, SPLITS, Sample, Scan
from core.dead import count_dead
from core.devices import resolve_device
from core.errors import InputError
from core.evaluation import at_once, measure
from core.events import Accuracy, Counted, Notice, Progress, StopFlag, Stream, never
from core.finetuning import FineTuned, Pruned, finetune, prune_and_measure
from core.footprint import DeadUnits
from core.identity import weights_digest
from core.layers import Layer, left_out
from core.models import Models
from core.opening import dense_weights
from core.own import fitted, surplus
from core.precision import resolve_precision
from core.race import race
from core.recipes import Phase, Recipe
from core.sampling import sample_accuracy
from core.sensitivity import scan
from core.settings import Settings
from core.sizes import sizes_of
from core.training import Trained, train
from core.weights import DenseWeights, Weights
from core.whatif import Profile
from core.zoo import model_spec


@dataclass(frozen=True, eq=False)
class Net:
    """A net to prune from: its weights, and what a screen needs to know of them.

    Attributes:
        accuracy: in percent, measured.
        profiles: one for each prunable layer, in order.
        other_parameters: those outside the prunable layers.
        digest: which weights these are.
        early: the net's weights early in its dense training, where they were kept.
        run: that it came of; None where it did not come of one.
        dense: the accuracy of the dense net that it was made from; None where it is that itself.
        trained: it is not as its code initialised it.
        image_values: numbers in an image that it is for; 0 where that is not known.
    """

    weights: Weights
    accuracy: Accuracy
    profiles: tuple[Profile, ...]
    other_parameters: int
    digest: str = ""
    early: Weights | None = None
    run: str | None = None
    dense: Accuracy | None = None
    trained: bool = True
    image_values: int = 0


class Workbench:
    """The jobs, for one model, one data set and fixed settings; one runs at a time.

    The process computes with the settings' threads from then on, and keeps memory that it frees,
    see `core.allocator`.

    Raises:
        InputError: the settings name a model or a device that is not there.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.spec = model_spec(settings.model)
        self._splits: Splits | None = None
        self._precision: str | None = None
        # Of the last two nets to all test images, by the digests of their weights.
        self._answers: Mapping[str, Ints] = {}
        self.models = Models(self.spec, resolve_device(settings.device))
        keep_freed_memory()
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that can be pruned."""
        return self.models.layers

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The names of the layers that can be pruned."""
        return tuple(layer.name for layer in self.layers)

    @property
    def parameters(self) -> int:
        """All parameters of the model."""
        return self.models.parameters

    def fresh_model(self) -> nn.Module:
        """A model with initial weights drawn from the seed."""
        return self.models.fresh(self.settings.seed)

    @property
    def finetuning(self) -> Recipe:
        """The settings' recipe, its batches fitted to the images where these are there."""
        recipe = self.settings.finetuning
        return replace(recipe, finetune=self._fitted(recipe.finetune))

    @property
    def training(self) -> Phase:
        """How a dense net is trained, likewise."""
        return self._fitted(self.settings.training)

    def _fitted(self, phase: Phase) -> Phase:
        """Batches of large images are small, unless their size was chosen."""
        if self._splits is None or self.settings.choices.batch_size is not None:
            return phase
        return phase.within(self._splits.train.values)

    def open(self, stop: StopFlag = never) -> Stream[Net]:
        """Bring in the data and the dense net, and measure it.

        A net of the user's own is tried on a few images first; what of it cannot be pruned is told.

        Raises:
            InputError: its code does not work, see `core.own`; or its weights cannot be taken.
        """
        # First of all, since finding it out takes a net that is trained.
        yield from self.resolved_precision(stop)
        dense = yield from self.dense(stop)
        return (yield from self.measured(dense, stop))

    def measured(self, dense: DenseWeights, stop: StopFlag = never) -> Stream[Net]:
        """A dense net with its accuracy, as one to prune from."""
        data = yield from self.splits(stop)
        precision = yield from self.precision(data)
        model = self.models.reading(dense.weights)
        accuracy = yield from measure(model, data, "dense", stop, precision)
        net = self.net_of(dense.weights, accuracy, early=dense.early)
        return replace(net, trained=dense.trained)

    def by(self, settings: Settings) -> Workbench:
        """The same workbench, data and all, with another recipe, choices, seed or precision."""
        other = copy(self)
        other.settings = settings
        if settings.precision != self.settings.precision:
            other._precision = None
        return other

    def dense(self, stop: StopFlag = never) -> Stream[DenseWeights]:
        """Bring in the data and the weights of the dense net."""
        yield from self.splits(stop)
        yield Progress("open the dense net")
        return (yield from dense_weights(self, stop))

    def train(
        self,
        stop: StopFlag = never,
        checkpoints: bool = False,
        resume: Mapping[str, Any] | None = None,
    ) -> Stream[Trained]:
        """Train a dense net from fresh weights by the recipe; see `training.train`."""
        data = yield from self.splits(stop)
        precision = yield from self.precision(data)
        return (
            yield from train(
                self.fresh_model(),
                data,
                self.training,
                seed=self.settings.seed,
                precision=precision,
                stop=stop,
                checkpoints=checkpoints,
                resume=resume,
            )
        )

    def prune(self, base: Net, plan: Mapping[str, float], stop: StopFlag = never) -> Stream[Pruned]:
        """Apply `plan` to `base` in one shot, measure it, and count its dead units."""
        data = yield from self.splits(stop)
        precision = yield from self.precision(data)
        model = self.models.vehicle()
        accuracy = yield from prune_and_measure(model, base.weights, plan, data, stop, precision)
        return Pruned(accuracy, (yield from count_dead(model, data.validation)))

    def finetune(
        self,
        base: Net,
        plan: Mapping[str, float],
        stop: StopFlag = never,
        checkpoints: bool = False,
        resume: Mapping[str, Any] | None = None,
    ) -> Stream[FineTuned]:
        """Fine-tune `base` towards `plan` by the recipe; see `finetuning.finetune`."""
        data = yield from self.splits(stop)
        precision = yield from self.precision(data)
        tuned = yield from finetune(
            self.models.vehicle(),
            base.weights,
            plan,
            data,
            self.finetuning,
            early=base.early,
            seed=self.settings.seed,
            precision=precision,
            stop=stop,
            checkpoints=checkpoints,
            resume=resume,
        )
        yield Progress("measure the files")
        return replace(tuned, sizes=sizes_of(self, tuned.weights))

    def scan(
        self,
        weights: Weights,
        split: str = SPLITS[0],
        sparsities: Sequence[float] = SPARSITIES,
        uniform: Sequence[float] = (),
        within: float | None = None,
        stop: StopFlag = never,
    ) -> Stream[Scan]:
        """How sensitive a net is to pruning each layer; see `sensitivity.scan`.

        Raises:
            InputError: there is no such split, or `sensitivity.scan` raises it.
        """
        images = yield from self._split(split, stop)
        precision = yield from self.resolved_precision(stop)
        return (
            yield from scan(
                self.models.reading(weights),
                images,
                split=split,
                sparsities=sparsities,
                uniform=uniform,
                within=within,
                seed=self.settings.seed,
                precision=precision,
                stop=stop,
            )
        )

    def look(self, base: Net, plan: Mapping[str, float], stop: StopFlag = never) -> Stream[Sample]:
        """Apply `plan` to `base` in one shot and measure it on a growing sample of validation.

        It may run beside a job: it has a model of its own. The order of the images depends on the
        plan, so that plans err independently of each other.
        """
        data = yield from self.splits(stop)
        precision = yield from self.precision(data)
        order = zlib.crc32(repr(sorted(plan.items())).encode()) + self.settings.seed
        return (
            yield from sample_accuracy(
                self.models.pruned(base.weights, plan),
                data.validation,
                seed=order,
                precision=precision,
                stop=stop,
            )
        )

    def compare(
        self,
        dense: Net,
        base: Net,
        plan: Mapping[str, float],
        mode: Mode,
        start: int,
        matrix: bool = False,
        stop: StopFlag = never,
    ) -> Stream[Compared]:
        """What `dense` and `plan` applied to `base` say of test images; see `answers.compare`.

        It may run beside a job, as `look` does.
        """
        data = yield from self.splits(stop)
        precision = yield from self.precision(data)
        pruned = self.models.pruned(base.weights, plan)
        digest = weights_digest(pruned.state_dict())
        compared = yield from compare(
            self.models.reading(dense.weights),
            pruned,
            data.test,
            mode=mode,
            start=start,
            matrix=matrix,
            dense_answers=self._answers.get(dense.digest),
            pruned_answers=self._answers.get(digest),
            precision=precision,
            stop=stop,
        )
        if (counted := compared.counted) is not None:
            self._answers = {dense.digest: counted.dense_answers, digest: counted.pruned_answers}
        return compared

    def activity(
        self, weights: Weights, split: str = SPLITS[1], stop: StopFlag = never
    ) -> Stream[dict[str, Activity]]:
        """What each layer of a net does, on the images of a split; see `core.activity`.

        Raises:
            InputError: there is no such split.
        """
        data = yield from self._split(split, stop)
        bring_in()
        return (yield from measure_activity(self.models.reading(weights), data, stop))

    def dead(self, weights: Weights, stop: StopFlag = never) -> Stream[DeadUnits | None]:
        """The dead units of a net; None where it cannot be followed, see `core.dead`."""
        images = yield from self._split(SPLITS[0], stop)
        model = self.models.vehicle()
        model.load_state_dict(weights)
        return (yield from count_dead(model, images))

    def count(
        self, base: Net, plan: Mapping[str, float], stop: StopFlag = never
    ) -> Stream[Counted]:
        """Count what the layers of `plan` applied to `base` do, on validation, and tell it.

        It may run beside a job, as `look` does.
        """
        split = SPLITS[0]
        images = yield from self._split(split, stop)
        bring_in()
        activities = yield from measure_activity(
            self.models.pruned(base.weights, plan), images, stop
        )
        counted = Counted(activities, split, len(images))
        yield counted
        return counted

    def time(
        self, weights: Weights, seconds: float = SECONDS, stop: StopFlag = never
    ) -> Stream[Bench]:
        """How fast a net is on test images, in every engine that is there; see `core.race`."""
        data = yield from self._split(SPLITS[1], stop)
        model = self.models.reading(weights).to(CPU).to(memory_format=torch.contiguous_format)
        return (yield from race(model, data.on(CPU), seconds=seconds, stop=stop))

    def net(self, result: Trained | FineTuned, base: Net | None = None) -> Net:
        """What a training made, as a net to prune from; `base` is what was fine-tuned."""
        if isinstance(result, Trained) or base is None:
            early = result.early if isinstance(result, Trained) else None
            return self.net_of(result.weights, result.accuracy, early=early, run=result.run)
        return self.net_of(
            result.weights,
            result.accuracy,
            early=base.early,
            run=result.run,
            dense=base.dense or base.accuracy,
        )

    def resolved_precision(self, stop: StopFlag = never) -> Stream[str]:
        """The precision that training uses, when the data are there."""
        data = yield from self.splits(stop)
        return (yield from self.precision(data))

    def precision(self, data: Splits) -> Stream[str]:
        """The precision that training uses on this machine, the same for all of a session."""
        if self._precision is not None:
            return self._precision
        name, most = self.settings.precision, self.finetuning.finetune.batch_size
        images, labels = data.train.batch(slice(0, at_once(data.train, most)))

        def build() -> nn.Module:
            return self.fresh_model().to(memory_format=data.train.layout)

        self._precision = yield from resolve_precision(name, build, images, labels)
        return self._precision

    def net_of(
        self,
        weights: Weights,
        accuracy: Accuracy,
        *,
        early: Weights | None = None,
        run: str | None = None,
        dense: Accuracy | None = None,
    ) -> Net:
        """Weights as a net to prune from; its layers are profiled in the thread that calls."""
        profiles = tuple(Profile.of(la, weights[la.key].numpy()) for la in self.layers)
        other = self.parameters - sum(layer.parameters for layer in self.layers)
        digest = weights_digest(weights)
        return Net(
            weights,
            accuracy,
            profiles,
            other,
            digest,
            early,
            run,
            dense,
            image_values=self._splits.train.values if self._splits else 0,
        )

    def splits(self, stop: StopFlag = never) -> Stream[Splits]:
        """The images, brought in once; a net that they are not known to fit is tried on a few.

        Raises:
            InputError: the data cannot be had, or the net cannot take them, see `own.fitted`.
        """
        if self._splits is None:
            settings = self.settings
            dataset = yield from datasets.load(
                settings.dataset,
                settings.data_dir,
                settings.protocol,
                stop,
                settings.inputs.over(self.spec.inputs),
                settings.cache_budget,
            )
            data = Splits.of(dataset, self.models.device)
            if self.spec.is_own:
                yield Notice(f"this runs the code of {settings.model}")
            other = settings.dataset != self.spec.dataset or data.fingerprint
            if self.spec.is_own or other:
                model = self.models.vehicle()
                data = fitted(model, data)
                if said := surplus(model, data):
                    yield Notice(said, warning=True)
                for name, why in left_out(model).items():
                    yield Notice(f"{name} is left out: {why}", warning=True)
            self._splits = data
            if (size := self.training.batch_size) < self.settings.training.batch_size:
                yield Notice(f"training takes {size} of these images at once; --batch-size says")
        return self._splits

    @property
    def data_name(self) -> str:
        """Which images these are and how they are split, when they are there."""
        images = self._splits.fingerprint if self._splits else ""
        return ", ".join(filter(None, (self.settings.dataset, self.settings.protocol, images)))

    def _split(self, name: str, stop: StopFlag) -> Stream[Images]:
        if name not in SPLITS:
            raise InputError(f"unknown split '{name}': expected one of {', '.join(SPLITS)}")
        data = yield from self.splits(stop)
        return data.validation if name == SPLITS[0] else data.test
