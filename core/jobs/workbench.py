"""The workbench: one model, one data set and the settings; and the jobs that train a net.

A job is a stream. It changes only its own memory, leaves its inputs unchanged and holds no model
after it ends. The weights in its result are never modified. `core.jobs.measurement` has the jobs
that only measure.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from core.criteria.names import MAGNITUDE
from core.criteria.ranking import Ranking
from core.data.batches import Splits
from core.data.counts import Counts
from core.data.image_shape import image_shape
from core.data.inputs import DEFAULT_INPUTS, Inputs
from core.data.loading import load as load_dataset
from core.data.registry import short_data_name
from core.events import Accuracy, Notice, Progress, StopFlag, Stream, never, portions, within
from core.formats.codebooks import QuantizedTensor
from core.formats.codec.compact import CompactFile
from core.formats.sizes import SIZES_COST, measure_sizes
from core.jobs.models import Models
from core.jobs.net import Net
from core.measure.comparison import Ints
from core.measure.evaluation import batch_size_for
from core.measure.recalibration import Recalibration, Statistics, recalibration_of, running_norms
from core.measure.undertraining import guessing, is_guessing, is_unclear, lead_notice, rising_notice
from core.nets.footprint import Sizes
from core.nets.layers import Layer
from core.nets.weights import Weights, check_initial, weights_digest
from core.nets.zoo import model_spec
from core.pruning.curves import RepairName
from core.pruning.masks import Masks
from core.pruning.what_if import Profile
from core.reconstruction.activations import sample_size
from core.reconstruction.measured_net import ReconstructedNet
from core.settings.settings import Settings
from core.system.allocator import keep_freed_memory
from core.system.devices import resolve_device
from core.system.precision import resolve_precision
from core.training import notices
from core.training.byte_dropout import use_byte_dropout
from core.training.dense import TrainingResult, train
from core.training.finetuning import FineTuningResult, finetune
from core.training.first_step import try_step
from core.training.losses import Teacher
from core.training.recipes import Phase, Recipe, TrainingSize


class Workbench:
    """What jobs on one model, one data set and fixed settings share; one job runs at a time.

    Creating one sets the process's threads and makes it keep freed memory, see
    `core.system.allocator`.

    Attributes:
        predictions: of the last two nets compared, on all test images, by weights digest.
        statistics: running statistics of the last nets pruned beside a job, see `measurement`.

    Raises InputError if the settings name an unknown model or a missing device.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        spec = model_spec(settings.model, settings.model_args, settings.fresh_head)
        self.spec = spec.for_data(settings.dataset, settings.inputs)
        self._splits: Splits | None = None
        self._precision: str | None = None
        self._said: set[str] = set()  # shared by copies with other settings
        self.predictions: Mapping[str, Ints] = {}
        self.statistics: Mapping[object, Statistics] = {}
        inputs = settings.inputs.over(self.spec.inputs)
        shape, counts = (
            partial(image_shape, settings.dataset, inputs),
            Counts(settings.dataset, inputs),
        )
        self.models = Models(self.spec, resolve_device(settings.device), shape, counts)
        keep_freed_memory()
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The prunable layers."""
        return self.models.layers

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The names of the prunable layers."""
        return tuple(layer.name for layer in self.layers)

    @property
    def parameters(self) -> int:
        """The number of parameters of the model."""
        return self.models.parameters

    def fresh_model(self) -> nn.Module:
        """A model with initial weights drawn from the seed."""
        return self.models.fresh(self.settings.seed)

    @property
    def finetuning(self) -> Recipe:
        """The settings' recipe, fitted to the training images once they are loaded."""
        return self.settings.finetuning(self.training_size)

    @property
    def training(self) -> Phase:
        """The hyperparameters of dense training, likewise."""
        return self.settings.training(self.training_size)

    @property
    def training_size(self) -> TrainingSize | None:
        """The size of the training set, once it is loaded."""
        splits = self._splits
        return None if splits is None else TrainingSize(len(splits.train), splits.train.values)

    @property
    def split_sizes(self) -> tuple[int, int] | None:
        """The images in validation and test, once they are loaded."""
        splits = self._splits
        return None if splits is None else (len(splits.validation), len(splits.test))

    def with_settings(self, settings: Settings) -> Workbench:
        """A workbench with another recipe, seed or precision that shares the data."""
        other = copy(self)
        other.settings = settings
        if settings.precision != self.settings.precision:
            other._precision = None
        return other

    def train(
        self,
        stop: StopFlag = never,
        checkpoints: bool = False,
        resume: Mapping[str, Any] | None = None,
    ) -> Stream[TrainingResult]:
        """Train a dense net from fresh weights by the recipe; see `core.training.dense.train`."""
        data, precision = yield from self.prepared_to_train(stop)
        yield from self._note_phase("training", self.settings.training(), self.training)
        net = self.models.fresh_net(self.settings.seed)
        check_initial(net.model)
        result = yield from train(
            net.model,
            data,
            self.training,
            masks=Masks(net.pruned),
            seed=self.settings.seed,
            precision=precision,
            stop=stop,
            checkpoints=checkpoints,
            resume=resume,
            remake=self.models.uninitialized,
        )
        if text := rising_notice(result.epochs, len(data.validation)):
            yield Notice(text, warning=True)
        return result

    def finetune(
        self,
        base: Net,
        plan: Mapping[str, float],
        stop: StopFlag = never,
        checkpoints: bool = False,
        resume: Mapping[str, Any] | None = None,
        pruned: Accuracy | None = None,
        reconstructed: ReconstructedNet | None = None,
    ) -> Stream[FineTuningResult]:
        """Fine-tune `base` to `plan` with the recipe; see `core.training.finetuning.finetune`."""
        data, precision = yield from self.prepared_to_train(stop)
        before, phase = self.settings.finetuning().finetune, self.finetuning.finetune
        yield from self._note_phase("fine-tuning", before, phase)
        yield from self.note_statistics()
        ranking = yield from self.ranking(base.weights, base.digest, stop)
        training, sizes = portions(1 - SIZES_COST, SIZES_COST)
        stream = finetune(
            self.models.uninitialized(),
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
            remake=self.models.uninitialized,
            pruned=pruned,
            recalibrates=self.settings.recalibrates,
            ranking=ranking,
            reconstructed=reconstructed,
            teacher=self.teacher(base.dense_weights or base.weights, precision),
        )
        result = yield from within(training, stream)
        if text := lead_notice(result.accuracy, base.dense or base.accuracy):
            yield Notice(text, warning=True)
        yield sizes
        yield Progress("measuring file sizes")
        return replace(result, sizes=self.sizes(result.weights))

    def teacher(self, weights: Weights, precision: str) -> Teacher | None:
        """The net with these weights, if the recipe distills."""
        share = self.finetuning.distill
        return Teacher(self.models.for_inference(weights), share, precision) if share else None

    def ranking(self, base: Weights, digest: str, stop: StopFlag = never) -> Stream[Ranking]:
        """What the recipe's criterion says of the weights with this digest; beside a job, too."""
        criterion, seed = self.finetuning.criterion, self.settings.seed
        data = (yield from self.splits(stop)).train
        ranking = yield from self.models.ranking(base, digest, criterion, data, seed, stop)
        yield from self._say_once(ranking.notice, warning=True)
        return ranking

    def profiles(self, base: Net, stop: StopFlag = never) -> Stream[tuple[Profile, ...]]:
        """The profiles of a net; of its importances, if the criterion is not magnitude."""
        if self.finetuning.criterion == MAGNITUDE:
            return base.profiles
        return (yield from self.ranking(base.weights, base.digest, stop)).profiles

    def _note_phase(self, what: str, before: Phase, phase: Phase) -> Stream[None]:
        """Say once how the images changed a phase; warn of what its augmentation does to them."""
        size = self.training_size
        text = notices.fitted_notice(what, before, phase, size.images) if size else ""
        yield from self._say_once(text)
        text = notices.mirrored_notice(self.settings.dataset, phase)
        yield from self._say_once(text, warning=True)

    def note_statistics(self) -> Stream[None]:
        """Say once which running statistics stay stale in a pruned net, if any do."""
        for text in notices.stale_notices(self.models.outline, self.settings.recalibrates):
            yield from self._say_once(text, warning=True)

    def _say_once(self, text: str, warning: bool = False) -> Stream[None]:
        if text and text not in self._said:
            self._said.add(text)
            yield Notice(text, warning)

    def compact_file(
        self,
        weights: Weights,
        values: str = "float32",
        quantized: Mapping[str, QuantizedTensor] = MappingProxyType({}),
    ) -> CompactFile:
        """The contents of a compact file of a net of this model; see `packing.pack`."""
        from core.formats.packing import image_facts, pack  # slow to import

        facts = image_facts(self.settings, self.images)
        model, buffers = self.settings.model, self.models.buffers
        return pack(weights, self.layers, values, quantized, model, facts, buffers)

    def sizes(self, weights: Weights) -> Sizes:
        """The sizes of a net of this model in bytes."""
        return measure_sizes(weights, self.layers, self.parameters, self.compact_file)

    def net(self, result: TrainingResult | FineTuningResult, base: Net | None = None) -> Net:
        """The result of training as a net to prune from; `base` is the net that was fine-tuned."""
        early = result.early if isinstance(result, TrainingResult) else None
        net = self.net_of(result.weights, result.accuracy, early=early, run=result.run)
        return net if base is None else net.pruned_from(base)

    def prepared(self, stop: StopFlag = never) -> Stream[tuple[Splits, str]]:
        """The images and the training precision, see `splits` and `precision`."""
        data = yield from self.splits(stop)
        return data, (yield from self.precision(data))

    def prepared_to_train(self, stop: StopFlag = never) -> Stream[tuple[Splits, str]]:
        """The same, after a first step of fine-tuning that tries a user's own net.

        Raises InputError if the net cannot be trained.
        """
        data, precision = yield from self.prepared(stop)
        if self.spec.is_user_model and not self.models.step_tried:
            model, phase = self.models.uninitialized(), self.finetuning.finetune
            yield from try_step(model, data.train, phase, precision)
            self.models.step_tried = True
        return data, precision

    def precision(self, data: Splits) -> Stream[str]:
        """The training precision on this machine, resolved once per session."""
        if self._precision is not None:
            return self._precision
        size = batch_size_for(data.train, self.finetuning.finetune.batch_size)
        images, labels = data.train.batch(slice(0, size))

        def build() -> nn.Module:
            model = self.fresh_model().to(memory_format=data.train.layout)
            use_byte_dropout(model, torch.Generator(images.device))  # as training does
            return model

        name = self.settings.precision
        self._precision = yield from resolve_precision(name, build, images, labels)
        return self._precision

    def net_of(
        self,
        weights: Weights,
        accuracy: Accuracy,
        *,
        early: Weights | None = None,
        run: str | None = None,
    ) -> Net:
        """Weights as a net to prune from; its layers are profiled in the calling thread."""
        accuracy = replace(accuracy, images=self.split_sizes or accuracy.images)
        profiles = tuple(Profile.of(layer, weights[layer.key].numpy()) for layer in self.layers)
        other = self.parameters - sum(layer.parameters for layer in self.layers)
        net = Net(weights, accuracy, profiles, other, weights_digest(weights), early, run)
        if self._splits is None:
            return net
        guess = guessing(self._splits)
        return replace(
            net,
            training_size=self.training_size,
            split_sizes=self.split_sizes,
            class_names=self._splits.class_names,
            has_statistics=bool(running_norms(self.models.outline)),
            at_chance=is_guessing(accuracy, guess),
            unclear=is_unclear(accuracy, guess),
        )

    def splits(self, stop: StopFlag = never) -> Stream[Splits]:
        """The images, loaded once; a net not known to fit them is tried on a few.

        Raises InputError if the data are unavailable or do not fit the net, see `trial.fit`.
        """
        settings = self.settings
        if self._splits is None:
            source = settings.dataset, settings.data_dir, settings.protocol
            inputs = settings.inputs.over(self.models.inputs)
            dataset = yield from load_dataset(*source, stop, inputs, settings.cache_budget)
            data = Splits.of(dataset, self.models.device)
            if self.spec.is_user_model:
                yield from map(Notice, self.models.notes(settings.seed))
            if self.spec.is_user_model or settings.dataset != self.spec.dataset or data.fingerprint:
                data = yield from self.models.tried(data, settings.dataset)
            self._splits = data
        return self._splits

    @property
    def images(self) -> Inputs:
        """The net's image settings, once the images are loaded."""
        return self._splits.train.inputs if self._splits else DEFAULT_INPUTS

    @property
    def recalibration(self) -> Recalibration | None:
        """What the statistics of a pruned net are computed from; None if they are not, or yet."""
        if self._splits is None or not self.settings.recalibrates:
            return None
        return recalibration_of(self.models.outline, self._splits.train)

    @property
    def repair(self) -> RepairName:
        """What a scan does to a pruned layer, once the images are loaded."""
        if self.settings.reconstructs_scans:
            return "reconstruct"
        return "none" if self.recalibration is None else "recalibrate"

    @property
    def scan_sample(self) -> int | None:
        """How many loaded images a scan reconstructs layers on; None if it does not."""
        if self._splits is None or not self.settings.reconstructs_scans:
            return None
        return sample_size(self._splits.train)

    @property
    def data_name(self) -> str:
        """Identifies the loaded images, their split, and what repairs and ranks a net."""
        name, protocol = short_data_name(self.settings.dataset), self.settings.protocol
        images = self._splits.fingerprint if self._splits else ""
        sample = f"recalibrated on {what.images}" if (what := self.recalibration) else ""
        layers = self.scan_sample
        other = f"reconstructed on {layers}" if layers else ""
        by = self.finetuning.criterion
        ranked = "" if by == MAGNITUDE else f"{by}, seed {self.settings.seed}"
        return ", ".join(filter(None, (name, protocol, images, sample, other, ranked)))
