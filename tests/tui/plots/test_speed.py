"""The latency in each engine."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, names, sizes, text
from tui.plots import speed
from tui.plots.speed import SpeedData

CASES = (
    ("batch 1", "1 thread"), ("batch 64", "1 thread"), ("batch 1", "2 threads"),
    ("batch 64", "2 threads"),
)  # fmt: skip
KNOWN = SpeedData(
    cases=CASES,
    engines=(
        ("torch", ("0.853", "20.6", "0.764", "13.4")),
        ("channels_last", ("0.765", "20.2", "0.559", "10.3")),
        ("onnxruntime", ("0.305", "18.2", "0.448", "9.70")),
        ("sparse", ("0.0676", "2.02", "0.0706", "12.1")),
    ),
    against=("4.5x", "9.0x", "6.3x", "1.2x slower"),
    slower=(False, False, False, True),
    amounts=("MACs: 12.7M, 713k nonzero", "parameters: 228k, 6,183 nonzero"),
    caption="fine-tuned",
)


def test_all_cases_show_if_there_is_room():
    rows = [" ".join(line.split()) for line in text(speed.draw(KNOWN, 80, 10))]
    assert rows == [
        "Speed · latency in ms · fine-tuned",
        "batch 1 batch 64 batch 1 batch 64",
        "1 thread 1 thread 2 threads 2 threads",
        "torch 0.853 20.6 0.764 13.4",
        "channels_last 0.765 20.2 0.559 10.3",
        "onnxruntime 0.305 18.2 0.448 9.70",
        "sparse 0.0676 2.02 0.0706 12.1",
        "vs. best dense 4.5x 9.0x 6.3x 1.2x slower",
        "MACs: 12.7M, 713k nonzero",
        "parameters: 228k, 6,183 nonzero",
    ]


def test_a_slower_engine_is_marked_wrong():
    spans = speed.draw(KNOWN, 80, 10)[7]
    roles = {span.text.strip(): span.role for span in spans}
    assert roles["1.2x slower"] == "wrong"
    assert roles["4.5x"] == "right"


def test_the_last_cases_are_dropped_and_the_sparse_engine_never_is():
    for width in range(24, 81):
        rows = [line.split() for line in text(speed.draw(KNOWN, width, 5))]
        assert rows[3][:2] == ["sparse", "0.0676"]
        assert rows[4][:4] == ["vs.", "best", "dense", "4.5x"]
    assert len(rows[3]) == 5


@settings(max_examples=50)
@given(area=sizes, name=names, count=st.integers(0, 5))
def test_any_names_of_engines_are_drawn(area, name, count):
    data = SpeedData(
        cases=((name, name),) * count,
        engines=((name, (name,) * count),) * 2,
        against=(name,) * count,
        slower=(True,) * count,
        amounts=(name,),
        caption=name,
    )
    assert_exact(speed.draw(data, *area, name), *area)
    assert_exact(speed.draw(replace(data, engines=data.engines[:1]), *area), *area)
