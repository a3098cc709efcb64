"""Running a pruned net by its nonzeros, with the logits that torch gives.

    layers     what the kernels know: linears, convolutions, pooling, each with its ReLU
    chains     these found in a traced net, one after another
    program    a chain as a table of numbers, for the kernels to run
    kernels    the loops, compiled by numba; vectors: the innermost one as LLVM has it
    net        a net with chains in it; which layers are faster so is measured

numba comes in with `kernels`, not before.
"""
