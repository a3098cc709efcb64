"""The entropy coder: an adaptive binary range coder and the models that predict each bit.

stream            numbers and text as range-coded bits, written or read
models            the initial state of the adaptive models; part of the format
text_primer       the text that the text model learns from first; part of the format
logistic_tables   the logistic function and its inverse, in integers
kernels           the inner loops, compiled by numba
"""
