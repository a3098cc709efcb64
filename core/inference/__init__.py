"""Fast inference on this machine.

sparse/     a pruned net computed from its nonzeros, where that is faster
engines     torch, onnxruntime, openvino: dense engines
benchmark   every engine timed on the same images
timings     the result of a benchmark, and its JSON
"""
