"""Running a pruned net by its nonzeros, with the logits that torch gives.

    layers     what the kernels know: linears, convolutions, pooling, each with its ReLU
    simpler    a traced net with fewer calls, so that more layers follow each other
    groups     the layers found in it, each with its ReLU and pooling
    program    layers one after another as a table of numbers, for the kernels to run
    kernels    the loops; vectors: the innermost one as LLVM has it; compiling: by numba, and kept
    chains     the net with programs in it
    net        which layers are faster so, measured

numba comes in with `kernels`, not before.
"""
