"""Reconstruction for the sensitivity scan.

packed         tensors whose zeros take a bit each
layers_alone   each layer reconstructed alone, at several sparsities
"""
