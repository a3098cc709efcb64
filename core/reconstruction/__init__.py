"""Layer-wise reconstruction: masks and weights that keep each layer's output, without training.

uses           where a net multiplies by a layer's weight, and with what
rows           the rows of the matrix that a weight is multiplied by; convolutions are unfolded
problems       Gram matrices of a layer's inputs, and the output error of weights
activations    a sample on its way through a net, kept before the layer in turn
statistics     running statistics, computed anew on that way
inputs         a layer's sums over a sample of images, from the net as it is now and the dense one
support        which weights to keep: ADMM with a projection on the k largest
least_squares  the best values on a given support
layers         one layer: the best of several masks
parts          a layer with many inputs: some of them at a time
tasks          the layers in order, what each costs and what it came to
sequence       layer after layer, each from the inputs that the reconstructed ones give it
measured_net   a reconstructed net, recalibrated and measured
scanned/       each layer alone at several sparsities, for the sensitivity scan
"""
