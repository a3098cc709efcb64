"""What a net can do, measured.

evaluation    accuracy on a split
bf16_filter   the predictions of float32, computed in bf16 wherever that cannot change them
sample_accuracy      the accuracy of a plan on a growing sample
sensitivity_scan   the scan: each layer pruned alone over a range of sparsities
comparison    the predictions of two nets, image by image
activity      per layer: multiplications, and activations that are not zero
costs         the table of Han et al. (2015) for any net
"""
