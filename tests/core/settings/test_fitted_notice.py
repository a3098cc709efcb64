"""What a user is told before a training starts."""

import re

from hypothesis import given
from hypothesis import strategies as st

from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from core.training.notices import fitted_notice
from core.training.recipes import TrainingSize


@given(
    st.integers(1, 100_000),
    st.integers(1, 50_000),
    st.none() | st.integers(1, 50),
    st.none() | st.integers(1, 500),
)
def test_what_the_user_chose_is_not_said_to_be_fitted_to_the_images(
    images: int, values: int, epochs: int | None, batch_size: int | None
) -> None:
    settings = Settings(changes=RecipeChanges(epochs=epochs, batch_size=batch_size))
    size = TrainingSize(images, values)
    for what, phases in (
        ("training", (settings.training(), settings.training(size))),
        ("fine-tuning", (settings.finetuning().finetune, settings.finetuning(size).finetune)),
    ):
        said = fitted_notice(what, *phases, images)
        for option, chosen in (("--epochs", epochs), ("--batch-size", batch_size)):
            assert option not in said or chosen is None
        assert bool(said) == (phases[0] != phases[1])
        assert not re.search(r"\b1 (epochs|images|training images)\b", said)
