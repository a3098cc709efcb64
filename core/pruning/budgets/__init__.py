"""What a plan may cost, and the plan with the least drop in accuracy for it.

costs      what each layer costs by the weights it keeps: parameters, multiplications, time
reach      whether a budget can be met, and what can; costs in words
dynamic    sparsities by dynamic programming over a scan and such costs
"""
