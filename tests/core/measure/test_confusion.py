"""Confusion counts of two nets, and the pages of images chosen from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import InputError
from core.measure.comparison import PAGE, ConfusionCounts, confusion, newly_wrong, one_per_class

Ints = NDArray[np.int64]


def numbers(*values: int) -> Ints:
    return np.array(values, np.int64)


counts = st.integers(1, 12).flatmap(
    lambda classes: st.tuples(
        st.just(classes), st.lists(st.tuples(*(2 * [st.integers(0, classes - 1)])), max_size=60)
    )
)


@given(counts)
def test_confusion_is_a_plain_count(case: tuple[int, list[tuple[int, int]]]) -> None:
    classes, pairs = case
    labels, predictions = (numbers(*(pair[side] for pair in pairs)) for side in (0, 1))
    counts = confusion(labels, predictions, classes)
    assert counts.dtype == np.int64
    assert not counts.flags.writeable
    expected = [
        [pairs.count((true, predicted)) for predicted in range(classes)] for true in range(classes)
    ]
    assert counts.tolist() == expected


def test_labels_and_predictions_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match=r"label 3 .* 3 classes, expected 0 to 2"):
        confusion(numbers(0, 3), numbers(0, 0), 3)
    with pytest.raises(InputError, match="prediction -1"):
        confusion(numbers(0, 2), numbers(-1, 0), 3)


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(-30, 30))
def test_one_image_per_class_is_chosen_cyclically(classes: list[int], start: int) -> None:
    expected = []
    for which in range(10):
        images = [index for index, label in enumerate(classes) if label == which]
        expected += [images[start % len(images)]] if images else []
    assert one_per_class(numbers(*classes), 10, start) == tuple(expected)


@pytest.mark.parametrize("classes", [1, 3, 10, 11, 12, 25])
def test_pages_of_ten_classes_cover_every_image(classes: int) -> None:
    labels = np.arange(4 * classes, dtype=np.int64) % classes
    pages = -(-classes // PAGE)
    seen = [one_per_class(labels, classes, start) for start in range(4 * pages)]
    assert {len(page) for page in seen} == {min(PAGE, classes)}
    assert sorted({image for page in seen for image in page}) == list(range(4 * classes))
    for page in seen:
        assert sorted(labels[list(page)].tolist()) == labels[list(page)].tolist()
    assert {image // classes for page in seen[:pages] for image in page} == {0}
    assert one_per_class(labels, classes, 4 * pages) == seen[0]
    assert one_per_class(labels, classes, -1) == seen[-1]


triples = st.lists(st.tuples(*(3 * [st.integers(0, 2)])), max_size=150)


@given(triples)
def test_newly_wrong_images_are_right_dense_and_wrong_pruned(
    triples: list[tuple[int, int, int]],
) -> None:
    labels, dense, pruned = (numbers(*(triple[side] for triple in triples)) for side in range(3))
    expected = [
        index
        for index, (label, before, after) in enumerate(triples)
        if before == label and after != label
    ]
    pages = max(1, -(-len(expected) // PAGE))
    seen = [newly_wrong(labels, dense, pruned, start) for start in range(pages)]
    assert [image for page in seen for image in page] == expected
    assert all(len(page) == PAGE for page in seen[:-1])
    assert newly_wrong(labels, dense, pruned, pages) == seen[0]
    assert newly_wrong(labels, dense, pruned, -1) == seen[-1]
    counts = ConfusionCounts.of(labels, dense, pruned, 3)
    assert counts.newly_wrong == len(expected)
    before, after = counts.dense.trace(), counts.pruned.trace()
    newly_right = sum(before != label and after == label for label, before, after in triples)
    assert after == before - counts.newly_wrong + newly_right
    assert counts.images == len(triples)
