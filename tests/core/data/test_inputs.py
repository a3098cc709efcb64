"""Image settings: size, channels and normalization, set, saved, combined and refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from core.data.inputs import DEFAULT_INPUTS, Inputs
from core.errors import InputError
from core.fields.declaration import settings_in
from core.nets.zoo import IMAGENET
from tests.core.settings.test_recipe_file import INPUTS


@given(inputs=INPUTS)
def test_settings_survive_json(inputs: Inputs) -> None:
    assert Inputs.of(json.loads(json.dumps(inputs.explicit_values()))) == inputs


@given(inputs=INPUTS)
def test_beyond_keeps_only_what_differs(inputs: Inputs) -> None:
    assert inputs.beyond(inputs) == DEFAULT_INPUTS
    assert inputs.beyond(DEFAULT_INPUTS) == inputs


@given(inputs=INPUTS)
def test_settings_override_those_of_the_net(inputs: Inputs) -> None:
    assert inputs.over(DEFAULT_INPUTS) == inputs
    assert DEFAULT_INPUTS.over(inputs) == inputs
    over = inputs.over(IMAGENET)
    assert over.explicit_values().items() >= inputs.explicit_values().items()
    assert over.image_size == (inputs.image_size or 224)
    assert inputs.channels in (None, 3) or (over.mean, over.std) == (inputs.mean, inputs.std)


def test_a_single_number_is_one_for_all_channels() -> None:
    assert Inputs(mean=0.5, std=1).explicit_values() == {"mean": (0.5,), "std": (1.0,)}  # type: ignore[arg-type]
    for wrong in ({"mean": "gray"}, {"image_size": "3"}, {"channels": True}):
        with pytest.raises(InputError, match="expected"):
            Inputs(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [{"side": 3}, 7, [1], None])
def test_unknown_or_malformed_settings_are_refused(values: Any) -> None:
    with pytest.raises(InputError, match="unknown image settings"):
        Inputs.of(values)


def test_normalization_is_as_set_or_the_default() -> None:
    assert DEFAULT_INPUTS.normalization(3, 0.2, 0.3) == (0.2, 0.3)
    assert Inputs(mean=(0.5,)).normalization(1, 0.2, 0.3) == (0.5, 0.3)
    three = (0.1, 0.2, 0.3)
    assert Inputs(std=three).normalization(3, 0.2, 0.3) == (0.2, three)
    with pytest.raises(InputError, match=r"3 numbers for images with 1 channel: expected 1"):
        Inputs(std=three).normalization(1, 0.2, 0.3)


@pytest.mark.parametrize("text", ["", "a", "0.5,", "0,5;1"])
def test_a_normalization_that_is_not_a_number_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--mean .*such as 0\.485,0\.456,0\.406"):
        settings_in(Inputs)["mean"].parse(text)
