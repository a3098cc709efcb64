"""What a dense net and a pruned one say of images: of ten at once, of a whole split soon after.

    Shown, Counted, Compared    plain arrays that nobody changes, for a screen
    of_each_class, newly_wrong  which ten images to look at
    look_at, all_answers        what one net says
    compare                     what two nets say, as a stream that tells the ten images first

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
"""Which ten images: of each class one, or those that only the pruned net gets wrong."""

PAGE = 10
"""Images that are looked at together."""

BATCH = 250
"""Images between two looks at the stop flag: some hundredths of a second."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What one net says of n images.

    Attributes:
        classes: its answers [n].
        shares: the softmax of its logits in percent, float32 [n, C]; each row sums to 100.
    """

    classes: Ints
    shares: NDArray[np.float32]

    @property
    def confidences(self) -> NDArray[np.float32]:
        """How sure it is of its answers, in percent, [n]; not a number where its logits are not."""
        chosen: NDArray[np.float32] = self.shares[np.arange(len(self.classes)), self.classes]
        return _still(chosen)


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Both nets' answers to all N images of a split.

    Attributes:
        dense_answers: the dense net's answers [N]; worth passing to the next `compare`.
        pruned_answers: the pruned net's.
        dense: the dense net's confusion matrix [C, C], a row for each class, a column for each
            answer.
        pruned: the pruned net's.
        newly_wrong: images that only the pruned net gets wrong.
        newly_right: images that only the dense net gets wrong.
    """

    dense_answers: Ints
    pruned_answers: Ints
    dense: Ints
    pruned: Ints
    newly_wrong: int
    newly_right: int

    @classmethod
    def of(cls, labels: Ints, dense: Ints, pruned: Ints, classes: int) -> Counted:
        """Count the answers [N] of both nets to images with `labels` [N]; see `confusion`."""
        return cls(
            _still(dense),
            _still(pruned),
            confusion(labels, dense, classes),
            confusion(labels, pruned, classes),
            len(_wrong_only(labels, dense, pruned)),
            len(_wrong_only(labels, pruned, dense)),
        )

    @property
    def images(self) -> int:
        """Images in the split."""
        return len(self.dense_answers)

    @property
    def right(self) -> tuple[int, int]:
        """Images that the dense net gets right, and the pruned one."""
        return int(self.dense.trace()), int(self.pruned.trace())


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Some n images of a split, and what two nets say of them.

    Attributes:
        indices: which of the split they are [n].
        pixels: grey values, uint8 [n, H, W]; of several channels their mean.
        labels: what they are [n].
        dense: what the dense net says.
        pruned: what the pruned net says.
        counted: the answers to the whole split; None where they are not known, or not yet.
    """

    indices: Ints
    pixels: NDArray[np.uint8]
    labels: Ints
    dense: Shown
    pruned: Shown
    counted: Counted | None = None

    @property
    def classes(self) -> int:
        """Classes that the nets tell apart."""
        return int(self.pruned.shares.shape[1])


@dataclass(frozen=True, slots=True)
class Looked(Event):
    """Two nets have been compared on images, as far as it goes."""

    compared: Compared


def of_each_class(labels: Ints, classes: int, start: int = 0) -> tuple[int, ...]:
    """Choose images by their labels [N]: the one numbered `start` of each class, in order.

    In each class the first image comes after the last one again; `start` may be negative. A class
    without images is left out. Of more than ten classes a page shows ten, the next page the
    next ten, and after the last of them come the classes' next images.
    """
    present = [which for which in range(classes) if (labels == which).any()]
    pages = max(1, -(-len(present) // PAGE))
    number, page = divmod(start, pages)
    # The last page is full too: it shows some classes of the one before again.
    first = max(0, min(page * PAGE, len(present) - PAGE))
    images = (np.flatnonzero(labels == which) for which in present[first : first + PAGE])
    return tuple(int(these[number % len(these)]) for these in images)


def newly_wrong(
    labels: Ints, dense_answers: Ints, pruned_answers: Ints, start: int = 0
) -> tuple[int, ...]:
    """Choose the images [N] that the pruned net gets wrong and the dense one does not.

    They come in pages of ten, in order, of which the last may be shorter; the page numbered
    `start`, which may be negative, is given, and after the last one comes the first one again.
    """
    found = _wrong_only(labels, dense_answers, pruned_answers)
    page = start % max(1, -(-len(found) // PAGE))
    return tuple(found[page * PAGE : (page + 1) * PAGE].tolist())


def confusion(labels: Ints, answers: Ints, classes: int) -> Ints:
    """Count the images of each class by the answers to them.

    Args:
        labels: what the images are [N].
        answers: what a net takes them for [N].
        classes: how many there are, C.

    Returns:
        Counts [C, C], a row for each class, a column for each answer.

    Raises:
        InputError: a label or an answer is none of the classes.
    """
    for name, given in (("label", labels), ("answer", answers)):
        strange = given[(given < 0) | (given >= classes)]
        if len(strange):
            raise InputError(
                f"{name} {strange[0]} cannot be counted: the net tells {classes} classes apart, "
                f"expected 0 to {classes - 1}"
            )
    counts = np.bincount(labels * classes + answers, minlength=classes * classes)
    return _still(counts.astype(np.int64, copy=False).reshape(classes, classes))


def look_at(model: nn.Module, data: Images, indices: Sequence[int]) -> Shown:
    """What `model` says of the images `indices` [n] of `data`, computed in float32."""
    import torch

    from core.measure.evaluation import at_once

    model.eval()
    # Of no images one is looked at all the same: it tells how many classes there are.
    index = torch.tensor(tuple(indices) or (0,))
    with torch.inference_mode():
        parts = [model(data.batch(some)[0]).float() for some in torch.split(index, at_once(data))]
        logits = torch.cat(parts)[: len(indices)]
        classes, shares = logits.argmax(1), logits.softmax(1) * 100
    return Shown(_still(classes.cpu().numpy()), _still(shares.cpu().numpy()))


def all_answers(
    model: nn.Module,
    data: Images,
    precision: str = "fp32",
    stop: StopFlag = never,
    step: str = "answer",
) -> Stream[Ints]:
    """The answers [N] of `model` to all images of `data`, those of float32 in any precision.

    In the precision `bf16` they are the same and come sooner, see `core.measure.bf16_filter`.

    Raises:
        StoppedError: `stop` was raised.
    """
    known = np.empty(0, np.int64)
    for known in _growing(model, data, precision, stop):
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
    dense_answers: Ints | None = None,
    pruned_answers: Ints | None = None,
    precision: str = "fp32",
    stop: StopFlag = never,
) -> Stream[Compared]:
    """Compare what two nets say of ten images, and of all of them.

    Tells `Looked` as soon as the ten images are known, and again when all images are counted:
    `chosen` ones are known at once, those that are newly `wrong` when enough of them are found.

    Args:
        dense_model: the dense net; it computes in this thread, as does `pruned_model`.
        pruned_model: the same net, pruned.
        data: a split of at least one image.
        mode: which images, see `of_each_class` and `newly_wrong`.
        start: which of them, counted from 0.
        matrix: count the answers to all images in the mode `chosen` too.
        dense_answers: to all images [N], where they are known; computed otherwise.
        pruned_answers: likewise.
        precision: `fp32` or `bf16`: the answers are those of float32 in both.
        stop: looked at every 250 images.

    Returns:
        What was told last.

    Raises:
        InputError: there is no such mode, the answers are to another number of images, or the data
            have more classes than the nets.
        StoppedError: `stop` was raised before all were counted.
    """
    if mode not in MODES:
        raise InputError(f"unknown mode '{mode}': expected one of {', '.join(MODES)}")
    for given in (dense_answers, pruned_answers):
        if given is not None and len(given) != len(data):
            raise InputError(
                f"{len(given)} answers were given for {len(data)} images: expected those of all"
            )
    nets = _Nets(dense_model, pruned_model, data)
    labels = _plain(data.labels)
    classes = look_at(pruned_model, data, ()).shares.shape[1]
    images = of_each_class(labels, classes, start)
    if mode == "chosen":
        compared = nets.look(images)
        yield Looked(compared)
        if not matrix:
            return compared
    if dense_answers is None:
        dense_answers = yield from all_answers(dense_model, data, precision, stop, "dense answers")
    if pruned_answers is None:
        page = start if mode == "wrong" else None
        pruned_answers = yield from _pruned_answers(nets, dense_answers, page, precision, stop)
    if mode == "wrong":
        images = newly_wrong(labels, dense_answers, pruned_answers, start)
    counted = Counted.of(labels, dense_answers, pruned_answers, classes)
    compared = replace(nets.look(images, dense_answers, pruned_answers), counted=counted)
    yield Looked(compared)
    return compared


def _pruned_answers(
    nets: _Nets, dense_answers: Ints, page: int | None, precision: str, stop: StopFlag
) -> Stream[Ints]:
    """The pruned net's answers; tells a page of newly wrong images as soon as it is full."""
    labels, known = _plain(nets.data.labels), np.empty(0, np.int64)
    for known in _growing(nets.pruned, nets.data, precision, stop):
        yield Progress("pruned answers", len(known), len(labels), "images")
        so_far = labels[: len(known)], dense_answers[: len(known)], known
        # A full page stays as it is however many follow, unless it is counted from the end.
        if page is not None and 0 <= page < len(_wrong_only(*so_far)) // PAGE:
            yield Looked(nets.look(newly_wrong(*so_far, page), dense_answers, known))
            page = None
    return known


class _Nets(NamedTuple):
    """Two nets, and the split that they are asked about."""

    dense: nn.Module
    pruned: nn.Module
    data: Images

    def look(
        self,
        images: Sequence[int],
        dense_answers: Ints | None = None,
        pruned_answers: Ints | None = None,
    ) -> Compared:
        """Look at some images; where a net's answers are known, these are what it says.

        Where two classes tie, a batch of another size may turn the answer: a picture says what has
        been counted.
        """
        index = np.array(images, np.int64)
        dense, pruned = (look_at(net, self.data, images) for net in (self.dense, self.pruned))
        if dense_answers is not None:
            dense = replace(dense, classes=_still(dense_answers[index]))
        if pruned_answers is not None:
            pruned = replace(pruned, classes=_still(pruned_answers[index]))
        pixels, labels = (
            _plain(both[list(images)]) for both in (self.data.images, self.data.labels)
        )
        grey = pixels.mean(1).round().astype(np.uint8)
        return Compared(_still(index), _still(grey), _still(labels), dense, pruned)


def _growing(model: nn.Module, data: Images, precision: str, stop: StopFlag) -> Iterator[Ints]:
    """Yield the answers [n] to the first images: to none, then to more and more, then to all.

    Should they prove wrong (see `core.measure.bf16_filter`), it begins again, in float32.
    """
    import torch

    from core.measure.bf16_filter import Predictor
    from core.measure.evaluation import answers, at_once

    model.eval()
    predictor, known = Predictor(), np.empty(len(data), np.int64)
    size = at_once(data, BATCH)
    for start in range(0, len(data), size):
        if stop():
            raise StoppedError("stopped: not all images were answered")
        yield _still(known[:start])
        images, _ = data.batch(slice(start, start + size))
        with torch.inference_mode():
            some = answers(model, images, predictor, precision)
        known[start : start + size] = some.cpu().numpy()
        if not predictor.sound:
            yield from _growing(model, data, "fp32", stop)
            return
    yield _still(known)


def _wrong_only(labels: Ints, right: Ints, wrong: Ints) -> Ints:
    """The images that one net gets right and the other one wrong, in order."""
    return np.flatnonzero((right == labels) & (wrong != labels))


def _plain(tensor: Tensor) -> NDArray[Any]:
    plain: NDArray[Any] = tensor.cpu().numpy()
    return plain


def _still(array: NDArray[Any]) -> NDArray[Any]:
    """An array that nobody changes: itself where nobody can, a copy otherwise."""
    if array.flags.writeable:
        array = array.copy()
        array.setflags(write=False)
    return array
