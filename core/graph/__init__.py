"""A net as torch.fx sees it: its calls, its units, and which of them can be removed.

tracing        a net as a graph, checked against the net itself
fx_calls       what kind of call each node is
units          the calls of a graph: which units are constant, which are needed
call_classes     which calls treat every unit alone, and which are layers
dead_units     finds, counts and exactly removes units without an input or an output
compaction     a smaller dense net without them
unit_order     sorts units so that a compact file becomes smaller
prefix_cache   a net cut before a layer: the first part runs once, the rest many times
"""
