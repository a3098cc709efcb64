"""Fast inference on this machine.

sparse/            a pruned net computed from its nonzeros, where that is faster
engines            torch, onnxruntime, openvino: dense engines
benchmark          every engine on the same images, timed by core.system.timing
saved_times        layer times measured before, by net, machine, engine and threads
benchmark_result   the result of a benchmark, and its JSON
"""
