"""The latency in each engine."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, names, sizes, text
from tui.plots import speed
from tui.plots.speed import SpeedData

CASES = ((1, 1), (64, 1), (1, 2), (64, 2))
KNOWN = SpeedData(
    cases=CASES,
    engines=(
        ("torch", (853e-6, 20.6e-3, 764e-6, 13.4e-3)),
        ("channels_last", (765e-6, 20.2e-3, 559e-6, 10.3e-3)),
        ("onnxruntime", (305e-6, 18.2e-3, 448e-6, 9.7e-3)),
        ("sparse", (67.6e-6, 2.02e-3, 70.6e-6, 12.1e-3)),
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


def test_latencies_are_exported_as_numbers():
    slow = replace(KNOWN, engines=(("torch", (1.2345678, 20.6e-3, None, 13.4e-3)),))
    lines = speed.table(slow).csv().splitlines()
    assert lines[:2] == ["engine,batch,threads,latency (ms)", "torch,1,1,1234.5678"]
    assert lines[3] == "torch,1,2,"
    shown = "".join(span.text for span in speed.table(KNOWN).readout(12, 1))
    assert shown == "engine sparse  batch 1  threads 1  latency 0.0676 ms"


@settings(max_examples=50)
@given(area=sizes, name=names, count=st.integers(0, 5), latency=st.none() | st.floats(0, 1e6))
def test_any_engines_are_drawn(area, name, count, latency):
    data = SpeedData(
        cases=((64, 2),) * count,
        engines=((name, (latency,) * count),) * 2,
        against=(name,) * count,
        slower=(True,) * count,
        amounts=(name,),
        caption=name,
    )
    assert_exact(speed.draw(data, *area, name), *area)
    assert_exact(speed.draw(replace(data, engines=data.engines[:1]), *area), *area)
