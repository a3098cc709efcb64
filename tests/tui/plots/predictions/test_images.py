"""Images with the predictions of both nets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.class_names import CLASS_NAMES
from tests.tui.plots.checks import assert_exact, inked, names, sizes, text
from tui.plots.predictions import images as drawing
from tui.plots.predictions.images import ImagePredictions, PredictionsData


def ring(size: int = 28) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.where(np.abs(np.hypot(x, y) - size / 4) < 1.5, 255, 0).astype(np.uint8)


def ten(pruned: bool = True) -> PredictionsData:
    return PredictionsData(
        tuple(
            ImagePredictions(
                ring(), k, (str(k), 99.7), (str(k if k < 6 else 1), 54.0) if pruned else None
            )
            for k in range(10)
        ),
        "test images",
    )


def test_all_ten_images_show_with_both_predictions():
    lines = drawing.draw(ten(), 80, 9)
    shown = text(lines)
    assert shown[0].startswith("Predictions · 10 images · pruned 6 correct · dense 10 correct")
    assert shown[6].split() == ["true", *"0123456789"]
    assert shown[7].split() == ["dense", *" ".join(f"{k} 100" for k in range(10)).split()]
    assert shown[8].split()[-8:] == ["✗1", "54"] * 4
    assert inked(lines, "wrong").count("✗") == 4


def test_a_picture_looks_like_its_pixels():
    lines = text(
        drawing.draw(PredictionsData((ImagePredictions(ring(), 0, ("0", 100.0)),)), 60, 20)
    )
    pixels = [line[7:] for line in lines[2:] if any("⠀" < char <= "⣿" for char in line)]
    assert len(pixels) >= 5
    middle = pixels[len(pixels) // 2].strip()
    # A ring is hollow and the same from both sides.
    assert "  " in middle
    assert pixels[0].strip()
    assert len(pixels[0].strip()) < len(middle)


@pytest.mark.parametrize("area", [(80, 9), (60, 6), (58, 12), (120, 14), (200, 40)])
def test_every_picture_is_visible(area):
    lines = text(drawing.draw(ten(), *area))
    below = "".join(line for line in lines if line.startswith("pruned"))
    assert below.count("✗") == 4
    assert sum("⠀" < char <= "⣿" for line in lines for char in line) >= 60


def test_if_not_all_fit_the_first_ones_show():
    lines = text(drawing.draw(ten(), 44, 4))
    assert lines[0].startswith("Predictions · 10 images (9 shown)")
    assert lines[-1].split() == ["pruned", *"012345", *["✗1"] * 3]


@pytest.mark.parametrize(
    ("width", "shown"), [(60, "Ank"), (80, "Ankle"), (115, "Ankle b…"), (200, "Ankle boot  100")]
)
def test_names_of_classes_are_cut_before_their_confidences_go(width, shown):
    names = CLASS_NAMES["fashion-mnist"]
    named = (ImagePredictions(ring(), name, (name, 99.7), ("Coat", 9.0)) for name in names)
    lines = text(drawing.draw(PredictionsData(tuple(named)), width, 9))
    (dense,) = (line for line in lines if line.startswith("dense"))
    assert dense.rstrip().endswith(shown)
    assert "number" in lines[1] if shown.endswith("100") else "number" not in lines[1]


def test_a_missing_prediction_takes_no_line():
    lines = text(drawing.draw(ten(pruned=False), 80, 9))
    assert not any(line.startswith("pruned") for line in lines)
    assert "no images to show" in "".join(text(drawing.draw(PredictionsData(()), 80, 9)))


predictions = st.one_of(st.none(), st.tuples(names, st.floats()))
shapes = st.lists(st.integers(0, 9), min_size=1, max_size=3)
images = st.builds(
    lambda shape, value: np.full(shape, value), shapes, st.floats() | st.floats(0, 255)
)
digit = st.builds(
    ImagePredictions, images | st.just(ring()), names | st.integers(0, 9), predictions, predictions
)


@settings(max_examples=50)
@given(area=sizes, shown=st.lists(digit, max_size=12).map(tuple), caption=names)
def test_no_images_fail(area, shown, caption):
    assert_exact(drawing.draw(PredictionsData(shown, caption), *area), *area)
