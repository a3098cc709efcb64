"""Compares the predictions of a dense and a pruned net: on ten images, then on a whole split.

Importing this loads no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.events import Event, Progress, StopFlag, Stream, never
from core.nets.calls import EVALUATION, NetCall, evaluation_mode

if TYPE_CHECKING:
    from torch import Tensor, nn

    from core.data.batches import Images

Ints = NDArray[np.int64]
Mode = Literal["chosen", "wrong"]
"""Which images to show: one of each class, or those that only the pruned net gets wrong."""

PAGE = 10
"""Images shown together."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The predictions of one net for n images.

    Attributes:
        classes: the predicted classes [n].
        shares: the softmax of the logits in percent, float32 [n, C]; each row sums to 100.
    """

    classes: Ints
    shares: NDArray[np.float32]

    @property
    def confidences(self) -> NDArray[np.float32]:
        """The confidence of each prediction in percent, [n]; NaN where the logits are NaN."""
        return _read_only(self.shares[np.arange(len(self.classes)), self.classes])


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionCounts:
    """Both nets' predictions for all N images of a split.

    Attributes:
        dense_predictions: the dense net's predictions [N]; pass them to the next `compare`.
        pruned_predictions: the pruned net's predictions [N].
        dense: the dense net's confusion matrix [C, C]; rows are true classes, columns predictions.
        pruned: that of the pruned net.
        newly_wrong: images that only the pruned net gets wrong.
    """

    dense_predictions: Ints
    pruned_predictions: Ints
    dense: Ints
    pruned: Ints
    newly_wrong: int

    @classmethod
    def of(cls, labels: Ints, dense: Ints, pruned: Ints, classes: int) -> ConfusionCounts:
        """Count the predictions [N] of both nets for images with `labels` [N]; see `confusion`."""
        return cls(
            _read_only(dense),
            _read_only(pruned),
            confusion(labels, dense, classes),
            confusion(labels, pruned, classes),
            len(_all_newly_wrong(labels, dense, pruned)),
        )

    @property
    def images(self) -> int:
        """Images in the split."""
        return len(self.dense_predictions)


@dataclass(frozen=True, slots=True, eq=False)
class NetComparison:
    """Two nets' predictions for n images of a split.

    Attributes:
        indices: the images' positions in the split, [n].
        pixels: gray values, uint8 [n, H, W]; the mean over channels.
        labels: the true classes [n].
        counts: over the whole split; None if not known yet.
    """

    indices: Ints
    pixels: NDArray[np.uint8]
    labels: Ints
    dense: Predictions
    pruned: Predictions
    counts: ConfusionCounts | None = None

    @property
    def classes(self) -> int:
        """How many classes the nets distinguish."""
        return int(self.pruned.shares.shape[1])


@dataclass(frozen=True, slots=True)
class ComparisonUpdated(Event):
    """The comparison of two nets so far."""

    comparison: NetComparison


def one_per_class(labels: Ints, classes: int, start: int = 0) -> tuple[int, ...]:
    """Choose one image of each class by the labels [N]: the `start`-th of every class.

    `start` wraps around within each class and may be negative. Classes without images are skipped.
    With more than ten classes a page shows ten of them and the next page the next ten; after the
    last page come the next images of the first classes.
    """
    present = [which for which in range(classes) if (labels == which).any()]
    pages = max(1, -(-len(present) // PAGE))
    number, page = divmod(start, pages)
    # The last page is full too: it repeats some classes of the page before.
    first = max(0, min(page * PAGE, len(present) - PAGE))
    images = (np.flatnonzero(labels == which) for which in present[first : first + PAGE])
    return tuple(int(these[number % len(these)]) for these in images)


def newly_wrong(
    labels: Ints, dense_predictions: Ints, pruned_predictions: Ints, start: int = 0
) -> tuple[int, ...]:
    """Choose images that the pruned net gets wrong and the dense net gets right.

    Images come in pages of ten, in order; the last page may be shorter. Returns page `start`, which
    wraps around and may be negative.
    """
    images = _all_newly_wrong(labels, dense_predictions, pruned_predictions)
    page = start % max(1, -(-len(images) // PAGE))
    return tuple(images[page * PAGE : (page + 1) * PAGE].tolist())


def confusion(labels: Ints, predictions: Ints, classes: int) -> Ints:
    """The confusion matrix [C, C] of predictions [N]; rows are true classes, columns predictions.

    Raises InputError if a label or a prediction is not one of the C `classes`.
    """
    for name, values in (("label", labels), ("prediction", predictions)):
        invalid = values[(values < 0) | (values >= classes)]
        if len(invalid):
            raise InputError(
                f"{name} {invalid[0]} is out of range: the net has {classes} classes, "
                f"expected 0 to {classes - 1}"
            )
    counts = np.bincount(labels * classes + predictions, minlength=classes * classes)
    return _read_only(counts.astype(np.int64, copy=False).reshape(classes, classes))


def predictions_of(
    model: nn.Module, data: Images, indices: Sequence[int], known: Ints | None = None
) -> Predictions:
    """The predictions of `model` for the images `indices` [n] of `data`, in float32.

    If two classes tie, another batch size may change a prediction. Predictions `known` for the
    split take precedence, so that these images agree with the counts.
    """
    import torch

    from core.measure.evaluation import batch_size_for

    evaluation_mode(model)
    # Run one image even if `indices` is empty, to learn the number of classes.
    index = torch.tensor(tuple(indices) or (0,))
    with torch.inference_mode():
        batches = torch.split(index, batch_size_for(data))
        parts = [_logits(model, data.batch(batch)[0]) for batch in batches]
        logits = torch.cat(parts)[: len(indices)]
        shares = _read_only(logits.softmax(1) * 100)
    classes = logits.argmax(1) if known is None else known[np.array(indices, np.int64)]
    return Predictions(_read_only(classes), shares)


def all_predictions(
    model: nn.Module,
    data: Images,
    precision: str = "fp32",
    stop: StopFlag = never,
    step: str = "predicting",
) -> Stream[Ints]:
    """The predictions [N] of `model` for all images of `data`, those of float32 in any precision.

    See `core.measure.evaluation.growing_predictions`.
    """
    for known in _growing_predictions(model, data, precision, stop):
        yield Progress(step, len(known), len(data), "images")
    return known


def compare(
    dense_model: nn.Module,
    pruned_model: nn.Module,
    data: Images,
    *,
    mode: Mode = "chosen",
    start: int = 0,
    matrix: bool = False,
    dense_predictions: Ints | None = None,
    pruned_predictions: Ints | None = None,
    precision: str = "fp32",
    stop: StopFlag = never,
) -> Stream[NetComparison]:
    """Compare the predictions of two nets for ten images, then for all.

    Reports `ComparisonUpdated` as soon as the ten images are known and again once all images are
    counted. `chosen` images are known at once, newly `wrong` ones as soon as ten are found.

    Args:
        dense_model: the dense net.
        pruned_model: the same net, pruned; if it is `dense_model` itself, it runs once.
        data: a split of at least one image.
        mode: which images to show, see `one_per_class` and `newly_wrong`.
        start: which page of them, from 0.
        matrix: whether to count all images in mode `chosen` too.
        dense_predictions: for all images [N]; computed if None.
        pruned_predictions: the same for the pruned net.
        precision: `fp32` or `bf16`; predictions are those of float32 in both.
        stop: checked every 250 images.

    Returns:
        The last comparison reported.

    Raises:
        InputError: the mode is unknown, or the data have more classes than the nets.
        StoppedError: `stop` was raised.
    """
    if mode not in get_args(Mode):
        raise InputError(f"unknown mode '{mode}': expected one of {', '.join(get_args(Mode))}")
    nets, labels = _Nets(dense_model, pruned_model, data), _read_only(data.labels)
    classes = predictions_of(pruned_model, data, ()).shares.shape[1]
    images = one_per_class(labels, classes, start)
    if mode == "chosen":
        comparison = nets.compare_images(images)
        yield ComparisonUpdated(comparison)
        if not matrix:
            return comparison
    if dense_predictions is None:
        dense_predictions = yield from all_predictions(
            dense_model, data, precision, stop, "predicting (dense net)"
        )
    if pruned_model is dense_model:
        pruned_predictions = dense_predictions
    if pruned_predictions is None:
        page = start if mode == "wrong" else None
        pruned_predictions = yield from _pruned_predictions(
            nets, dense_predictions, page, precision, stop
        )
    if mode == "wrong":
        images = newly_wrong(labels, dense_predictions, pruned_predictions, start)
    counts = ConfusionCounts.of(labels, dense_predictions, pruned_predictions, classes)
    comparison = nets.compare_images(images, dense_predictions, pruned_predictions)
    comparison = replace(comparison, counts=counts)
    yield ComparisonUpdated(comparison)
    return comparison


def _pruned_predictions(
    nets: _Nets, dense_predictions: Ints, page: int | None, precision: str, stop: StopFlag
) -> Stream[Ints]:
    """The pruned net's predictions; reports a page of newly wrong images once it is full."""
    labels = _read_only(nets.data.labels)
    for known in _growing_predictions(nets.pruned, nets.data, precision, stop):
        yield Progress("predicting (pruned net)", len(known), len(labels), "images")
        so_far = labels[: len(known)], dense_predictions[: len(known)], known
        # A full page does not change as more images follow, unless pages count from the end.
        if page is not None and 0 <= page < len(_all_newly_wrong(*so_far)) // PAGE:
            images = newly_wrong(*so_far, page)
            yield ComparisonUpdated(nets.compare_images(images, dense_predictions, known))
            page = None
    return known


class _Nets(NamedTuple):
    """Two nets and a split."""

    dense: nn.Module
    pruned: nn.Module
    data: Images

    def compare_images(
        self, images: Sequence[int], dense: Ints | None = None, pruned: Ints | None = None
    ) -> NetComparison:
        """Compare both nets on some images; `dense` and `pruned` are known predictions."""
        rows = list(images)
        gray = self.data.images[rows].cpu().numpy().mean(1).round().astype(np.uint8)
        return NetComparison(
            indices=_read_only(np.array(rows, np.int64)),
            pixels=_read_only(gray),
            labels=_read_only(self.data.labels[rows]),
            dense=predictions_of(self.dense, self.data, rows, dense),
            pruned=predictions_of(self.pruned, self.data, rows, pruned),
        )


def _logits(model: nn.Module, images: Tensor) -> Tensor:
    with NetCall(EVALUATION, images):
        logits: Tensor = model(images).float()
        return logits


def _growing_predictions(
    model: nn.Module, data: Images, precision: str, stop: StopFlag
) -> Iterator[Ints]:
    from core.measure.evaluation import INTERACTIVE_BATCH, batches, growing_predictions

    slices = batches(data, INTERACTIVE_BATCH)
    return map(_read_only, growing_predictions(model, data, slices, precision, stop))


def _all_newly_wrong(labels: Ints, dense: Ints, pruned: Ints) -> Ints:
    """The images that the dense net gets right and the pruned net wrong, in order."""
    return np.flatnonzero((dense == labels) & (pruned != labels))


def _read_only(values: NDArray[Any] | Tensor) -> NDArray[Any]:
    """An array itself if it is read-only, else a read-only copy."""
    array: NDArray[Any] = values if isinstance(values, np.ndarray) else values.cpu().numpy()
    if array.flags.writeable:
        array = array.copy()
        array.setflags(write=False)
    return array
