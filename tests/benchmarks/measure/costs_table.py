"""The table of the layers' costs on the 10,000 test images, over one evaluation of them."""

from __future__ import annotations

from core.events import drain
from core.formats.weights_files import load_weights
from core.jobs import measurement
from core.jobs.workbench import Workbench
from core.measure.evaluation import evaluate
from core.settings.settings import Settings
from tests.benchmarks.support.figures import Figure, in_turns, medians, ratio


def figures(_wanted: tuple[str, ...]) -> list[Figure]:
    """The shipped cnn5, seven rounds, both in the precision that is fastest here."""
    workbench = Workbench(Settings())
    data = drain(workbench.splits())
    precision = drain(workbench.precision(data))
    net = workbench.fresh_model()
    weights = load_weights(workbench.spec.shipped_weights, net)
    net.load_state_dict(weights)
    seconds = in_turns(
        {
            "table": lambda: drain(measurement.costs(workbench, weights, "test")),
            "evaluation": lambda: drain(evaluate(net, data.test, precision=precision)),
        },
        rounds=7,
    )
    return [
        Figure(
            key="table_time",
            what="the table of cnn5 on 10,000 images, over one evaluation of them",
            value=ratio(seconds["table"], seconds["evaluation"]),
            unit="x",
            limit=3,
            at_least=False,
            detail=medians(seconds),
        )
    ]
