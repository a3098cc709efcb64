"""Inference, as fast as this machine can.

sparse/     a pruned net run by its nonzeros, where that is faster
engines     torch, onnxruntime, openvino: dense engines
benchmark   all engines timed side by side
timings     the result of a benchmark, and its JSON
"""
