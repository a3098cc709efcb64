"""A dense net that is not worth pruning is said to be that, and no other is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.events import Accuracy, Epoch, Event, Notice, Stream, drain
from core.jobs.dense_net import measured_net
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.nets.weights import DenseWeights, copy_weights
from core.pruning.masks import Masks
from core.pruning.plans import uniform_plan
from core.training.dense import TrainingResult
from core.training.finetuning import FineTuningResult
from tests.core.training_loops import of_type

pytestmark = pytest.mark.usefixtures("one_thread")

IMAGES = (100, 100)


def warnings(stream: Stream[object]) -> list[str]:
    """What a job warns of."""
    events: list[Event] = []
    drain(stream, events.append)
    return [event.text for event in of_type(Notice, events) if event.warning]


def ending_with(result: object) -> Callable[..., Stream[object]]:
    """A training that has its result at once."""

    def stream(*_: object, **__: object) -> Stream[object]:
        yield from ()
        return result

    return stream


def test_a_net_that_few_images_cannot_tell_from_guessing_is_not_said_to_guess(
    workbench: Workbench, base: Net
) -> None:
    seven = DenseWeights(base.weights, None, accuracy=Accuracy(14.0, 14.0, IMAGES))
    (said,) = warnings(measured_net(workbench, seven, stage="finetuned"))
    assert said.startswith("the fine-tuned net cannot be told from always guessing")
    assert said.endswith("on so few validation images (100)")


def test_a_net_that_guesses_is_said_to_be_at_chance(workbench: Workbench, base: Net) -> None:
    fresh = copy_weights(workbench.fresh_model())
    (said,) = warnings(measured_net(workbench, DenseWeights(fresh, None)))
    assert said.startswith("the dense net is no better than always guessing the most common class")
    assert warnings(measured_net(workbench, DenseWeights(fresh, None, trained=False))) == []
    assert warnings(measured_net(workbench, DenseWeights(base.weights, None))) == []


@pytest.mark.parametrize(
    ("course", "said"),
    [
        (
            (20.0, 30.0, 40.0, 80.0),
            [
                "probably undertrained: validation still rose by 40.0 points in the last quarter "
                "of training"
            ],
        ),
        ((20.0, 70.0, 80.0, 81.0), []),
    ],
)
def test_a_training_that_still_rose_is_said_to_be_cut_short(
    course: tuple[float, ...],
    said: list[str],
    workbench: Workbench,
    base: Net,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    epochs = tuple(Epoch(at, 1.0, best, 1.0, 0.0, True, 0) for at, best in enumerate(course, 1))
    trained = TrainingResult(
        base.weights, base.weights, base.accuracy, epochs, 4, "fp32", False, False
    )
    monkeypatch.setattr("core.jobs.workbench.train", ending_with(trained))
    heard = warnings(workbench.train())
    assert [text.partition("; ")[0] for text in heard] == said
    assert all(text.endswith("more epochs may help") for text in heard)


@pytest.mark.parametrize(
    ("dense", "tuned", "said"),
    [
        (60.0, 90.0, ["the fine-tuned net beats the dense one by 30.0 ±11.2 points on validation"]),
        (90.0, 91.0, []),
        (90.0, 60.0, []),
    ],
)
def test_a_fine_tuned_net_that_beats_the_dense_one_says_so(
    dense: float,
    tuned: float,
    said: list[str],
    workbench: Workbench,
    base: Net,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accuracy = Accuracy(tuned, tuned, IMAGES)
    masks = Masks.of(base.weights, workbench.layers, uniform_plan(0.0, workbench.layer_names))
    result = FineTuningResult(
        base.weights, masks, accuracy, accuracy, (), 1, 0, None, workbench.finetuning, "fp32",
        stopped=False, diverged=False,
    )  # fmt: skip
    monkeypatch.setattr("core.jobs.workbench.finetune", ending_with(result))
    monkeypatch.setattr(workbench, "sizes", lambda _: None)
    start = replace(base, accuracy=Accuracy(dense, dense, IMAGES))
    heard = warnings(workbench.finetune(start, {}))
    assert [text.partition(": ")[0] for text in heard] == said
    assert all(text.endswith("probably undertrained; more epochs may help it") for text in heard)
    adopted = replace(start, accuracy=accuracy, dense=start.accuracy)
    assert len(warnings(workbench.finetune(adopted, {}))) == len(said)
