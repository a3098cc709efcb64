"""Measurements of a net.

evaluation         the accuracy on a split, or on a growing sample of it, as the app measures in
                   the background; batch and sample sizes
coarse_filter      the predictions of float32, computed coarsely where that cannot change them
int8_convolutions  convolutions in int8, which is coarse
recalibration      running statistics computed anew on training images, as after pruning
points/            the points of a scan before they are measured: repaired, recalibrated
sensitivity_scan   each layer pruned alone over a range of sparsities
comparison         the predictions of two nets, image by image
activity           per layer: multiplications, and activations that are not zero; on which images
value_flow         how it is counted: which operation uses which prunable weight, which ReLU follows
operations         the operations that multiply, and how often
layer_counts       the counts of a layer, and of each call of it
undertraining      signs that a dense net was trained too little
costs              the table of Han et al. (2015) for any net
"""
