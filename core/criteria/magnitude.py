"""Magnitude: the size of the weight itself."""

from collections.abc import Sequence

from torch import nn

from core.criteria.criterion import Importance, Sample
from core.nets.layers import Layer


class Magnitude:
    """|w| (Han et al. 2015, "Learning both Weights and Connections for Efficient Neural Networks").

    It leaves out every layer, since those are ranked by magnitude.
    """

    name = "magnitude"

    def importance(self, model: nn.Module, layers: Sequence[Layer], sample: Sample) -> Importance:
        """See `Criterion.importance`; no image is used."""
        return {}
