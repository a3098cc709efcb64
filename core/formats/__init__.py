"""Nets as files.

codec/             the compact file: encode, decode; FORMAT.md specifies every bit
export_formats     the formats a net can be written in, and how values are stored
weights_files      weights read from and written to files
packing            a net as the contents of a compact file
codebooks          tensors of few distinct values: k-means codebooks, even steps
straight_through   training a net whose weights share values
sizes              the bytes a pruned net takes, in every common count
onnx               a net as ONNX
"""
