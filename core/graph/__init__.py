"""A net as torch.fx sees it: its calls, its units, and which of them can go.

tracing        a net as a graph, checked against the net itself
fx_calls       what kind of call each node is
units          the calls of a graph as far as units matter: constants, what is needed
unit_graph     which calls treat every unit alone, and which are layers
dead_units     units without an input or an output: found, removed exactly, counted
compaction     a smaller dense net without them
unit_order     units in the order in which a compact file is smallest
prefix_cache   a net cut before a layer: computed up to it once, continued many times
"""
