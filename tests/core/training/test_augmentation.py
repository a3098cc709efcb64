"""Augmentation: what each change does, its random numbers, and that only training images change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core.data.batches import Images, Splits
from core.errors import InputError
from core.events import Batch, Notice, drain
from core.fields.declaration import settings_in
from core.jobs.workbench import Workbench
from core.nets.weights import Weights
from core.pruning.plans import Plan
from core.settings.recipe_changes import NO_CHANGES, RecipeChanges
from core.settings.settings import Settings
from core.training import augmentation, dense, loop
from core.training.augmentation import Augmenter
from core.training.checkpoints import Checkpoint
from core.training.finetuning import finetune
from core.training.recipes import AUGMENTATIONS, RECIPES, Augmentation
from tests.core.training_loops import STEPS, fresh, of_type, recorded, same, short

pytestmark = pytest.mark.usefixtures("one_thread")

SHAPES = st.tuples(*[st.integers(1, 6), st.sampled_from((1, 3)), *[st.integers(1, 40)] * 2])


def pixels(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, 256, shape, generator=generator, dtype=torch.uint8)


def changed(images: Tensor, *chosen: Augmentation, seed: int = 0, epoch: int = 0) -> Tensor:
    return Augmenter(chosen, seed, epoch)(images)


def shifted(image: Tensor, down: int, right: int) -> Tensor:
    """An image [C, H, W] moved by whole pixels, with black where there was none."""
    result = torch.zeros_like(image)
    height, width = image.shape[1:]
    rows = slice(max(down, 0), min(height, height + down))
    columns = slice(max(right, 0), min(width, width + right))
    from_rows = slice(max(-down, 0), min(height, height - down))
    from_columns = slice(max(-right, 0), min(width, width - right))
    result[:, rows, columns] = image[:, from_rows, from_columns]
    return result


@settings(max_examples=40)
@given(shape=SHAPES, seed=st.integers(0, 2**63 - 1))
def test_a_shift_moves_an_image_by_whole_pixels(shape: tuple[int, ...], seed: int) -> None:
    images = pixels(shape)
    most = [max(1, side // 8) for side in shape[2:]]
    moves = [(y, x) for y in range(-most[0], most[0] + 1) for x in range(-most[1], most[1] + 1)]
    for before, after in zip(images.float(), changed(images, "shift", seed=seed), strict=True):
        assert any(torch.equal(after, shifted(before, *move)) for move in moves)


@settings(max_examples=40)
@given(shape=SHAPES, seed=st.integers(0, 2**63 - 1))
def test_a_flip_mirrors_an_image_or_leaves_it(shape: tuple[int, ...], seed: int) -> None:
    images = pixels(shape)
    for before, after in zip(images.float(), changed(images, "flip", seed=seed), strict=True):
        assert torch.equal(after, before) or torch.equal(after, before.flip(2))


@settings(max_examples=40)
@given(shape=SHAPES, seed=st.integers(0, 2**63 - 1))
def test_a_crop_enlarges_a_part_evenly(shape: tuple[int, ...], seed: int) -> None:
    ramp = (torch.arange(shape[2])[:, None] + torch.arange(shape[3])).expand(*shape)
    after = changed(ramp, "crop", seed=seed)
    assert after.shape == shape
    assert after.min() >= 0
    assert after.max() <= ramp.max() + 1e-3
    middle = after[:, :, 1:-1, 1:-1]
    for steps in (middle.diff(dim=2), middle.diff(dim=3)):
        assert bool(((steps > 0.8 - 1e-3) & (steps < 1 + 1e-3)).all())
    even = torch.full(shape, 77, dtype=torch.uint8)
    torch.testing.assert_close(changed(even, "crop", seed=seed), even.float())


def test_about_half_of_the_images_are_mirrored_and_shifts_are_spread_evenly() -> None:
    images = torch.zeros(4_000, 1, 17, 16)
    images[:, :, 8, 6] = 1
    mirrored = changed(images, "flip")[:, 0, 8, 9].mean()
    assert 0.46 < mirrored < 0.54
    where = changed(images, "shift").mean(0)[0]
    around = where[6:11, 4:9]
    assert where.sum() == pytest.approx(around.sum())
    assert bool(((around - 1 / 25).abs() < 0.015).all())


@settings(max_examples=40)
@given(chosen=st.sets(st.sampled_from(list(AUGMENTATIONS))), seed=st.integers(0, 2**63 - 1))
def test_the_same_seed_and_epoch_change_images_the_same_way(
    chosen: set[Augmentation], seed: int
) -> None:
    images, state = pixels((8, 1, 16, 16)), torch.get_rng_state()
    first = changed(images, *chosen, seed=seed, epoch=3)
    assert torch.equal(changed(images, *chosen, seed=seed, epoch=3), first)
    assert torch.equal(torch.get_rng_state(), state), "torch's own generator is left alone"
    others = [changed(images, *chosen, seed=s, epoch=e) for s, e in ((seed, 4), (seed + 1, 3))]
    assert all(torch.equal(other, first) for other in others) == (not chosen)


def test_every_image_of_a_batch_is_changed_differently() -> None:
    images = pixels((1, 3, 32, 32)).expand(64, -1, -1, -1)
    after = changed(images, *AUGMENTATIONS)
    assert len({image.numpy().tobytes() for image in after}) == 64


def test_a_batch_is_changed_before_it_is_normalized_and_keeps_its_layout() -> None:
    mean = torch.tensor([0.2, 0.3, 0.4])[None, :, None, None].expand(1, 3, 8, 8).contiguous()
    data = Images(pixels((6, 3, 8, 8)), torch.arange(6), mean, mean)
    plain, _ = data.batch(slice(0, 6))
    black, labels = data.batch(slice(0, 6), lambda images: torch.zeros_like(images))
    torch.testing.assert_close(black, torch.full_like(black, -1.0))
    assert black.is_contiguous(memory_format=torch.channels_last)
    same_pixels, _ = data.batch(slice(0, 6), Augmenter((), 0, 0))
    assert torch.equal(same_pixels, plain)
    assert torch.equal(labels, data.labels)


@pytest.fixture
def augmented(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Tensor]]:
    """The batches that are augmented, with their epoch."""
    seen: list[tuple[int, Tensor]] = []

    class Noting(Augmenter):
        def __init__(self, chosen: tuple[Augmentation, ...], seed: int, epoch: int) -> None:
            super().__init__(chosen, seed, epoch)
            self.epoch = epoch

        def __call__(self, images: Tensor) -> Tensor:
            seen.append((self.epoch, images))
            return super().__call__(images)

    monkeypatch.setattr(loop, "Augmenter", Noting)
    return seen


def test_only_training_batches_are_augmented_and_only_when_asked(
    tiny: Splits, dense: Weights, aggressive: Plan, augmented: list[tuple[int, Tensor]]
) -> None:
    choices: dict[tuple[Augmentation, ...], int] = {(): 1, ("shift", "crop"): 2}
    for chosen, epochs in choices.items():
        recipe = short("fast", epochs=epochs, augment=chosen)
        _, events = recorded(finetune(fresh(), dense, aggressive, tiny, recipe))
        assert len(of_type(Batch, events)) == epochs * STEPS
        assert len(augmented) == (epochs * STEPS if chosen else 0)
    assert [epoch for epoch, _ in augmented] == [0] * STEPS + [1] * STEPS
    trained = {image.numpy().tobytes() for _, batch in augmented for image in batch}
    assert trained == {image.numpy().tobytes() for image in tiny.train.images}


def test_a_resumed_training_draws_the_same_changes(tiny: Splits) -> None:
    phase = short("fast", epochs=2, augment=("shift", "flip", "crop")).finetune
    whole, events = recorded(dense.train(fresh(), tiny, phase, seed=5, checkpoints=True))
    checkpoint = of_type(Checkpoint, events)[0]
    resumed = drain(dense.train(fresh(9), tiny, phase, seed=5, resume=checkpoint.state()))
    assert same(resumed.weights, whole.weights)
    assert [epoch.loss for epoch in resumed.epochs] == [epoch.loss for epoch in whole.epochs]


def test_a_net_of_color_images_trains_on_augmented_ones() -> None:
    labels = torch.arange(24) % 4
    brightness = (32 + 64 * labels).to(torch.uint8)[:, None, None, None]
    images = Images(pixels((24, 3, 32, 32)) // 8 + brightness, labels, 0.5, 0.25)
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, 2), torch.nn.BatchNorm2d(8), torch.nn.ReLU(),
        torch.nn.Flatten(), torch.nn.Linear(8 * 15 * 15, 4),
    )  # fmt: skip
    phase = short("fast", epochs=6, augment=("flip", "crop", "shift")).finetune
    result = drain(dense.train(net, Splits(images, images, images), phase))
    assert result.epochs[-1].loss < 0.8 * result.epochs[0].loss


def test_names_are_read_from_text_and_lists_in_one_order() -> None:
    setting = settings_in(RecipeChanges)["augment"]
    for given_, expected in (
        ("flip,shift", ("shift", "flip")),
        ("crop", ("crop",)),
        ("none", ()),
        (["crop", "crop", "shift"], ("shift", "crop")),
        ([], ()),
    ):
        read: Callable[[object], object] = (
            setting.parse if isinstance(given_, str) else setting.read
        )
        assert read(given_) == expected
    for wrong in ("", "spin", "none,flip", "shift flip", "shift,"):
        with pytest.raises(InputError, match="expected none, or some of shift, flip, crop with"):
            setting.parse(wrong)
    with pytest.raises(InputError, match="expected none, or some of"):
        RecipeChanges(augment=7)  # type: ignore[arg-type]


def test_a_step_goes_through_every_selection() -> None:
    kind = settings_in(RecipeChanges)["augment"].kind
    seen, value = [], ()
    for _ in range(8):
        seen.append(kind.shown(value))
        value = kind.step(value, 1)
    assert value == ()
    assert len(set(seen)) == 8
    assert {"none", "shift", "shift,flip,crop"} <= set(seen)


def test_a_recipe_without_augmentation_is_recorded_as_before() -> None:
    for recipe in RECIPES.values():
        assert recipe.finetune.augment == ()
        assert "augment" not in recipe.finetune.values()
    phase = RecipeChanges(augment=("shift",)).applied_to(RECIPES["fast"]).finetune
    assert phase.values()["augment"] == ["shift"]
    assert RecipeChanges(augment=()).applied_to(RECIPES["fast"]) == RECIPES["fast"]
    assert NO_CHANGES.augment is None


@pytest.mark.parametrize(("chosen", "said"), [(("flip",), True), (("shift", "crop"), False)])
def test_mirrored_digits_are_warned_of(
    chosen: tuple[Augmentation, ...],
    said: bool,
    data_dir: Path,
    tiny: Splits,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Splits, "of", lambda *_: tiny)
    changes = RecipeChanges(epochs=1, augment=chosen)
    workbench = Workbench(Settings(data_dir=data_dir, precision="fp32", changes=changes))
    _, events = recorded(workbench.train())
    warned = [notice.text for notice in of_type(Notice, events) if notice.warning]
    what = "mirrored digits and letters are different ones, or none"
    text = f"mnist: {what}: leave flip out of --augment"
    assert warned == ([text] if said else [])


def test_between_two_pixels_is_interpolated_and_outside_is_black() -> None:
    weights = augmentation._weights(torch.tensor([[0.0, 0.25, 2.0, 3.5]]), 3)
    assert weights.tolist() == [[[1, 0, 0], [0.75, 0.25, 0], [0, 0, 1], [0, 0, 0]]]
