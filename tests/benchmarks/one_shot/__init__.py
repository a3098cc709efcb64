"""What is left of a net without training.

nets        the nets and how far they are pruned
solvers     other ways to prune a layer: SparseGPT, optimal brain compression
accuracy    reconstructed nets: accuracy and time
comparison  the same nets, pruned by magnitude and by the other ways
criteria    magnitude against other criteria; a command of its own
resnet18    ResNet-18 on Fashion-MNIST, recalibrated and reconstructed

reconstructed_start.toml is a sweep: fine-tuning from the reconstructed net against gradual pruning.
"""
