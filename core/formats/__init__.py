"""Nets as files.

codec/             the compact file: encode, decode; FORMAT.md specifies every bit
export_formats     the formats a net can be written in, and how values are stored
torch_files/       what torch.save writes, read as data without running code
recognition        what a file holds, by its content
state_dicts        the state_dict for a net among all that a file holds
name_matching      the prefix that makes a file's names meet those of a net
weights_files      weights read from and written to files
packing            a net as the contents of a compact file
codebooks          tensors of few distinct values: k-means codebooks, even steps
straight_through   training a net whose weights share values
sizes              the bytes a pruned net takes, in every common count
onnx               a net as ONNX
"""
