"""Sparse inference: a pruned net computed from its nonzeros, with the same logits as in torch.

    layers     supported layers: linear layers, convolutions, pooling, each with its ReLU
    simplify   a traced net with fewer calls, so that more layers are adjacent
    groups     its supported layers, each with its ReLU and pooling
    program    adjacent layers as a table of numbers that the kernels run
    kernels    the loops
    vectors    the innermost loop, in LLVM
    compiling  compilation by numba, cached
    chains     a net whose adjacent supported layers are programs
    net        the fastest mix of sparse and dense layers, by measurement
    layer_times  how long each layer takes by the weights it keeps

Only `kernels` loads numba, for `program`, `chains` and `layer_times`.
"""
