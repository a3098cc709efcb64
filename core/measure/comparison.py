"""Predictions of a dense and a pruned net: for ten images at once, soon after for a whole split.

Importing this loads no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, StoppedError
from core.events import Event, Progress, StopFlag, Stream, never

if TYPE_CHECKING:
    from torch import Tensor, nn

    from core.data.batches import Images

Ints = NDArray[np.int64]
Mode = Literal["chosen", "wrong"]

MODES: tuple[str, ...] = ("chosen", "wrong")
"""Which images to show: one of each class, or those that only the pruned net gets wrong."""

PAGE = 10
"""Images shown together."""

BATCH = 250
"""Images between two checks of the stop flag: some hundredths of a second."""


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
        chosen: NDArray[np.float32] = self.shares[np.arange(len(self.classes)), self.classes]
        return _read_only(chosen)


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionCounts:
    """Both nets' predictions for all N images of a split.

    Attributes:
        dense_predictions: the dense net's predictions [N]; pass them to the next `compare`.
        pruned_predictions: the pruned net's predictions [N].
        dense: the dense net's confusion matrix [C, C]; rows are true classes, columns predictions.
        pruned: that of the pruned net.
        newly_wrong: images that only the pruned net gets wrong.
        newly_right: images that only the dense net gets wrong.
    """

    dense_predictions: Ints
    pruned_predictions: Ints
    dense: Ints
    pruned: Ints
    newly_wrong: int
    newly_right: int

    @classmethod
    def of(cls, labels: Ints, dense: Ints, pruned: Ints, classes: int) -> ConfusionCounts:
        """Count the predictions [N] of both nets for images with `labels` [N]; see `confusion`."""
        return cls(
            _read_only(dense),
            _read_only(pruned),
            confusion(labels, dense, classes),
            confusion(labels, pruned, classes),
            len(_only_second_wrong(labels, dense, pruned)),
            len(_only_second_wrong(labels, pruned, dense)),
        )

    @property
    def images(self) -> int:
        """Images in the split."""
        return len(self.dense_predictions)

    @property
    def right(self) -> tuple[int, int]:
        """How many images the dense net and the pruned net get right."""
        return int(self.dense.trace()), int(self.pruned.trace())


@dataclass(frozen=True, slots=True, eq=False)
class NetComparison:
    """Two nets' predictions for n images of a split.

    Attributes:
        indices: the images' positions in the split, [n].
        pixels: gray values, uint8 [n, H, W]; the mean over channels.
        labels: the true classes [n].
        counted: counts over the whole split; None if not known yet.
    """

    indices: Ints
    pixels: NDArray[np.uint8]
    labels: Ints
    dense: Predictions
    pruned: Predictions
    counted: ConfusionCounts | None = None

    @property
    def classes(self) -> int:
        """How many classes the nets distinguish."""
        return int(self.pruned.shares.shape[1])


@dataclass(frozen=True, slots=True)
class ComparisonUpdated(Event):
    """The comparison of two nets so far."""

    compared: NetComparison


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
    images = _only_second_wrong(labels, dense_predictions, pruned_predictions)
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


def predictions_of(model: nn.Module, data: Images, indices: Sequence[int]) -> Predictions:
    """The predictions of `model` for the images `indices` [n] of `data`, in float32."""
    import torch

    from core.measure.evaluation import batch_size_for

    model.eval()
    # Run one image even if `indices` is empty, to learn the number of classes.
    index = torch.tensor(tuple(indices) or (0,))
    with torch.inference_mode():
        batches = torch.split(index, batch_size_for(data))
        parts = [model(data.batch(batch)[0]).float() for batch in batches]
        logits = torch.cat(parts)[: len(indices)]
        classes, shares = logits.argmax(1), logits.softmax(1) * 100
    return Predictions(_read_only(classes.cpu().numpy()), _read_only(shares.cpu().numpy()))


def all_predictions(
    model: nn.Module,
    data: Images,
    precision: str = "fp32",
    stop: StopFlag = never,
    step: str = "predictions",
) -> Stream[Ints]:
    """The predictions [N] of `model` for all images of `data`, those of float32 in any precision.

    Precision `bf16` computes them faster, see `core.measure.bf16_filter`. Raises StoppedError if
    `stop` is raised.
    """
    known = np.empty(0, np.int64)
    for known in _prefixes(model, data, precision, stop):
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
        dense_model: the dense net; it runs in this thread, as does `pruned_model`.
        pruned_model: the same net, pruned; if it is `dense_model` itself, it runs once.
        data: a split of at least one image.
        mode: which images to show, see `one_per_class` and `newly_wrong`.
        start: which page of them, from 0.
        matrix: whether to count all images in mode `chosen` too.
        dense_predictions: for all images [N]; computed if None.
        pruned_predictions: for all images [N]; computed if None.
        precision: `fp32` or `bf16`; predictions are those of float32 in both.
        stop: checked every 250 images.

    Returns:
        The last comparison reported.

    Raises:
        InputError: the mode is unknown, predictions are given for another number of images, or the
            data have more classes than the nets.
        StoppedError: `stop` was raised before all images were counted.
    """
    if mode not in MODES:
        raise InputError(f"unknown mode '{mode}': expected one of {', '.join(MODES)}")
    for predictions in (dense_predictions, pruned_predictions):
        if predictions is not None and len(predictions) != len(data):
            raise InputError(
                f"{len(predictions)} predictions for {len(data)} images: expected one for each"
            )
    nets, labels = _Nets(dense_model, pruned_model, data), _to_numpy(data.labels)
    classes = predictions_of(pruned_model, data, ()).shares.shape[1]
    images = one_per_class(labels, classes, start)
    if mode == "chosen":
        compared = nets.look(images)
        yield ComparisonUpdated(compared)
        if not matrix:
            return compared
    if dense_predictions is None:
        dense_predictions = yield from all_predictions(
            dense_model, data, precision, stop, "dense predictions"
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
    counted = ConfusionCounts.of(labels, dense_predictions, pruned_predictions, classes)
    compared = replace(nets.look(images, dense_predictions, pruned_predictions), counted=counted)
    yield ComparisonUpdated(compared)
    return compared


def _pruned_predictions(
    nets: _Nets, dense_predictions: Ints, page: int | None, precision: str, stop: StopFlag
) -> Stream[Ints]:
    """The pruned net's predictions; reports a page of newly wrong images once it is full."""
    labels, known = _to_numpy(nets.data.labels), np.empty(0, np.int64)
    for known in _prefixes(nets.pruned, nets.data, precision, stop):
        yield Progress("pruned predictions", len(known), len(labels), "images")
        so_far = labels[: len(known)], dense_predictions[: len(known)], known
        # A full page does not change as more images follow, unless pages count from the end.
        if page is not None and 0 <= page < len(_only_second_wrong(*so_far)) // PAGE:
            yield ComparisonUpdated(nets.look(newly_wrong(*so_far, page), dense_predictions, known))
            page = None
    return known


class _Nets(NamedTuple):
    """Two nets and a split."""

    dense: nn.Module
    pruned: nn.Module
    data: Images

    def look(
        self,
        images: Sequence[int],
        dense_predictions: Ints | None = None,
        pruned_predictions: Ints | None = None,
    ) -> NetComparison:
        """Compare both nets on some images, using predictions that are already known.

        If two classes tie, another batch size may change a prediction; known ones win, so that the
        images agree with the counts.
        """
        index = np.array(images, np.int64)
        dense = predictions_of(self.dense, self.data, images)
        pruned = predictions_of(self.pruned, self.data, images)
        if dense_predictions is not None:
            dense = replace(dense, classes=_read_only(dense_predictions[index]))
        if pruned_predictions is not None:
            pruned = replace(pruned, classes=_read_only(pruned_predictions[index]))
        rows = list(images)
        pixels, labels = _to_numpy(self.data.images[rows]), _to_numpy(self.data.labels[rows])
        gray = pixels.mean(1).round().astype(np.uint8)
        return NetComparison(_read_only(index), _read_only(gray), _read_only(labels), dense, pruned)


def _prefixes(model: nn.Module, data: Images, precision: str, stop: StopFlag) -> Iterator[Ints]:
    """Yield the predictions [n] for the first n images; n grows from 0 to all.

    Starts over in float32 if bf16 proves unsound, see `core.measure.bf16_filter`.
    """
    from core.measure.bf16_filter import Bf16Filter
    from core.measure.evaluation import batches, predict

    model.eval()
    bf16_filter, known = Bf16Filter(), np.empty(len(data), np.int64)
    for batch in batches(data, BATCH):
        if stop():
            raise StoppedError("stopped before all images were counted")
        yield _read_only(known[: batch.start])
        known[batch] = predict(model, data, batch, bf16_filter, precision)[0].cpu().numpy()
        if not bf16_filter.sound:
            yield from _prefixes(model, data, "fp32", stop)
            return
    yield _read_only(known)


def _only_second_wrong(labels: Ints, right: Ints, wrong: Ints) -> Ints:
    """The images that the first net gets right and the second wrong, in order."""
    return np.flatnonzero((right == labels) & (wrong != labels))


def _to_numpy(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.cpu().numpy()
    return array


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """The array itself if it is read-only, else a read-only copy."""
    if array.flags.writeable:
        array = array.copy()
        array.setflags(write=False)
    return array
